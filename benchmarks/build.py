"""Building: twelve steps of a classroom image, cold and from the cache, and how the time of a long Dockerfile grows.

The floor is what the disk takes: two small files a step, written so that a power cut leaves them whole.
"""

from __future__ import annotations

import os
from pathlib import Path

import imagelab
from benchmarks.measure import interleaved, show

TWELVE = """FROM nginx
ENV A=1
RUN mkdir -p /app && echo 1 > /app/one
WORKDIR /app
COPY app.py .
RUN cat app.py > copy.py
RUN true
ENV B=2
LABEL x=y
EXPOSE 8080
USER nobody
CMD ["nginx"]
"""
FILES = {"Dockerfile": TWELVE, "app.py": "print(1)\n"}


def bench(folder: Path) -> None:
    lab = imagelab.connect(folder / "build", environ={}, in_process=True)
    lab.pull("nginx")
    lab.build(FILES, "app")

    def floor() -> None:
        for number in range(24):
            with (folder / f"floor{number}").open("wb") as file:
                file.write(b"x" * 4096)
                file.flush()
                os.fsync(file.fileno())

    seconds = interleaved(
        {
            "24 small files, synced": floor,
            "12 steps, cold (1 s wanted)": lambda: lab.build(FILES, "app", no_cache=True),
            "12 steps, cached (0.1 s wanted)": lambda: lab.build(FILES, "app"),
        },
        7,
    )
    show("docker build", seconds, "24 small files, synced")
    long = {
        f"{steps} steps": lambda steps=steps: lab.build({"Dockerfile": _long(steps)}, no_cache=True)
        for steps in (125, 250, 500, 1000)
    }
    seconds = interleaved(long, 1)
    each = ", ".join(f"{seconds[name] / int(name.split()[0]) * 1000:.0f}" for name in long)
    show(
        "a long Dockerfile",
        seconds,
        "125 steps",
        f"milliseconds a step: {each}; the same for all when time grows with length",
    )
    lab.close()


def _long(steps: int) -> str:
    return "FROM nginx\n" + "".join(f"LABEL a{number % 7}={number}\n" for number in range(steps - 1))
