"""What runs in a container: a POSIX shell, utilities and two services, on the container's own files.

    a name in the image's PATH -> execution -> a program (a generator) -> driven in turns, by this process or one of its own

Owns processes, streams, signals, users, the merged file system of one container, the shell (`shell/`), the utilities
(`userland/`), nginx (`services/`), and who drives a container (`driver`, `runner`, `supervisor`). Programs see the
container's files and nothing of the machine; machine code is never run.

Read first: `process` (what a program is), then `driver` (a container's life).
"""
