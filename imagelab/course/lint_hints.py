"""Does a hint give the solution away, and does what it says to type work?

`docker image tag --  a b`     another spelling of the solution: it is tried, and the exercise is solved
Tag hello-world as greeting    the same in prose: the words of the solution, in their order
`docker retag a b`             no such command
`docker tag a`                 a command that fails when it is tried, with the images it names pulled before
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from imagelab.classroom.upstream import images_of
from imagelab.cli.lab_docker import docker
from imagelab.course.exercise import Exercise, Line, perform, read
from imagelab.course.lab_snapshot import take_snapshot
from imagelab.course.trial import clean_lab
from imagelab.errors import ImageLabError

CODE = re.compile(r"`([^`]+)`")
BLANK = re.compile(r"(?<![\w/])_+(?![A-Za-z])|__+|…")
VARIABLE = re.compile(r"\$[A-Za-z_]")
SAME = {
    "image rm": "rmi",
    "image remove": "rmi",
    "image tag": "tag",
    "image pull": "pull",
    "container commit": "commit",
    "container run": "run",
}
NUMBERS = dict(
    zip(
        "2 3 4 5 6 7 8 9".split(),
        ("two 两 二", "three 三", "four 四", "five 五", "six 六", "seven 七", "eight 八", "nine 九"),
        strict=True,
    )
)
ANSWER = re.compile(r"\banswer:(\w+)")
NOT_HERE = re.compile(
    r"No such (?:container|image|object)|Unable to find image|is not running|already in use|no such file"
)
LEAST = 2
"""Words that a solution must have, for its words to give it away."""


def spoilers(exercise: Exercise) -> Iterator[str]:
    """A sentence for each hint that gives the solution away."""
    wanted = _words(" ".join(exercise.solution))
    for hint in exercise.hints:
        told = next((line for text in hint.words for line in _answer_in(exercise, text)), "")
        if not told and len(wanted) >= LEAST and any(_in_order(wanted, _words(text)) for text in hint.words):
            told = " ".join(wanted)
        if not told and any(_solves(exercise, text) for text in dict.fromkeys(map(_key, hint.words))):
            told = " ".join(wanted)
        if told:
            yield f"hint {hint.id} gives the solution away: {told!r}"


def failures(exercise: Exercise) -> Iterator[str]:
    """A sentence for each command of a hint that is none, or that does not work."""
    for hint in exercise.hints:
        for line in dict.fromkeys(line for text in hint.words for line in CODE.findall(text)):
            if (verb := _unknown(line)) is not None:
                yield f"hint {hint.id}: there is no command {verb!r}"
        for text in dict.fromkeys(map(_key, hint.words)):
            yield from (f"hint {hint.id}: {line!r} fails: {why}" for line, why in _failing(exercise, text.split("\n")))


# -- the pieces ---------------------------------------------------------------------------------------------


def commands(text: str) -> list[Line]:
    """The command lines in a hint that could be typed as they stand."""
    found = [code.strip() for code in CODE.findall(text) if not BLANK.search(code) and not VARIABLE.search(code)]
    lines = [re.sub(r"^[%!]*(?=docker )", "", code) for code in found]
    return [line for line in lines if _is_whole(line.removeprefix("docker ").split())]


def _is_whole(words: Sequence[str]) -> bool:
    """Is this a command with something to work on, and not only the name of a verb?"""
    return known(words) and not known(words, exactly=True)


def known(words: Sequence[str], *, exactly: bool = False) -> bool:
    """Do the words after `docker` begin with a command, or are they one?"""
    from imagelab.cli.verbs import VERBS

    return " ".join(words) in VERBS if exactly else bool({" ".join(words[:1]), " ".join(words[:2])} & VERBS.keys())


def _unknown(code: str) -> str | None:
    words = code.strip().split()
    if (
        len(words) < 2
        or words[0] not in ("docker", "%docker", "!docker")
        or BLANK.search(words[1])
        or words[1].startswith("-")
    ):
        return None
    from imagelab.cli.verbs import GROUPS

    open_ended = words[1] in GROUPS and len(words) > 2 and BLANK.search(words[2])
    return None if known(words[1:]) or open_ended else words[1]


def _key(text: str) -> str:
    return "\n".join(commands(text))


def _solves(exercise: Exercise, lines: str) -> bool:
    from imagelab.course.trial import run_trial

    return bool(lines) and run_trial(exercise, [f"- {line}" for line in lines.split("\n")]).passed


def _failing(exercise: Exercise, lines: Sequence[Line]) -> Iterator[tuple[Line, str]]:
    """Try lines at the start of an exercise, with the images that they name; what is not there in the story is no failure."""
    if not any(lines):
        return
    with clean_lab(exercise) as lab:
        here = take_snapshot(lab)
        for name in {word for line in lines for word in re.findall(r"[\w./:-]+", line)[1:] if images_of(word)}:
            if here.id_of(name) is None:
                perform(lab, [f"pull -q {name}"])
        for line in lines:
            try:
                result = docker(lab, read(lab, line))
            except ImageLabError as error:
                yield line, str(error)
                continue
            empty = "$(" in line and "requires at least" in result.stderr
            if result.exit_code and result.stderr and not empty and not NOT_HERE.search(result.stderr):
                yield line, (result.stderr.strip() or f"exit code {result.exit_code}").splitlines()[0]


def _answer_in(exercise: Exercise, text: str) -> Iterator[str]:
    """An answer that is to be found, in so many words."""
    for answer in ANSWER.findall(" ".join(exercise.solution)):
        if answer.isdigit() and len(answer) < 3:
            forms = [
                rf"(?<!\w){answer}(?!\w)",
                *(rf"\b{one}\b" if one.isascii() else f"{one}层|是{one}" for one in NUMBERS.get(answer, "").split()),
            ]
        else:
            forms = [re.escape(answer)]
        if any(re.search(form, text, re.I) for form in forms):
            yield f"answer:{answer}"


def _words(text: str) -> list[str]:
    """The words of commands or of prose that say something: no `docker`, no options, groups as the short verb."""
    found = [word.rstrip(".:,;").removesuffix(":latest").lower() for word in re.findall(r"[A-Za-z0-9_./:@=-]+", text)]
    joined = " ".join(word for word in found if word and word != "docker" and not word.startswith("-"))
    for long, short in SAME.items():
        joined = re.sub(rf"\b{long}\b", short, joined)
    return joined.split()


def _in_order(wanted: Sequence[str], said: Sequence[str]) -> bool:
    rest = iter(said)
    return all(word in rest for word in wanted)
