"""The course: lessons are text (`lessons/<slug>/lesson.md`), notebooks are made of it."""
