"""The course: lessons that run, exercises that look for themselves, and the tools that keep both honest.

    lessons/NN-slug/lesson.md ──notebooks──> notebooks/{en,zh}/NN-slug.ipynb
    lessons/NN-slug/exercises.py ──catalog──> Exercise: start, checks, hints, solution, alternates, wrong answers

    a learner     lab.exercise("moved-tag")        practice: a lab, looked at after every cell    exercise_magics: and buttons
                                                   panel: task, checklist, the goal laid under    progress: one JSON file
    an author     imagelab lint-lessons            lint: can it be solved, failed, helped with?   mutants: do checks notice?
    a teacher     imagelab check NOTEBOOK          grade: do it again in a clean lab              nbgrader: as assert cells

All of it rests on one small idea. A *snapshot* is a lab at one moment, as a value; a *check* is a function of two of them, the
one at the start and the one now, that can say in both languages what it wants. Panels, hints, the linter and grading ask
the same checks, and none of them ever looks at what was typed.
"""
