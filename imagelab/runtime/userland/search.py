"""Finding lines, and running a command for each: grep, xargs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagelab.runtime.execution import NotExecutable
from imagelab.runtime.filesystem import Refusal
from imagelab.runtime.process import Process, Program, Steps, raw, text
from imagelab.runtime.shell.words import unescape
from imagelab.runtime.userland.options import Options, parse
from imagelab.runtime.userland.regex import BadPattern, compile
from imagelab.runtime.userland.text import lines_of

# -- grep ---------------------------------------------------------------------------------------------------

GREP_LONG = {"extended-regexp": "E", "fixed-strings": "F", "ignore-case": "i", "invert-match": "v", "line-number": "n", "count": "c", "files-with-matches": "l", "files-without-match": "L", "only-matching": "o", "quiet": "q", "silent": "q", "recursive": "r", "no-filename": "h", "with-filename": "H", "word-regexp": "w", "line-regexp": "x", "regexp": "e", "file": "f", "no-messages": "s", "max-count": "m", "after-context": "A", "before-context": "B", "context": "C", "color": "0", "colour": "0", "text": "a", "include": "I"}  # fmt: skip


def grep(p: Process) -> Steps:
    p.args = [p.args[0], *(f"-C{word[1:]}" if re.fullmatch(r"-\d+", word) else word for word in p.args[1:])]
    options, names = parse(p, "EFGPivnclLoqrRhHwxe:f:sm:A:B:C:aI:0z", GREP_LONG)
    patterns = list(options.get("e", []))
    if not patterns and "f" not in options:
        if not names:
            p.err(f"Usage: {p.name} [OPTION]... PATTERNS [FILE]...\nTry '{p.name} --help' for more information.")
            return 2
        patterns = [names.pop(0)]
    for name in options.get("f", []):
        patterns += text((yield from p.slurp(name))).rstrip("\n").split("\n")
    try:
        matcher = _matcher(p, patterns, options)
    except BadPattern as problem:
        return p.complain(str(problem), 2)
    return (yield from _searched(p, matcher, names, options))


def _matcher(p: Process, patterns: list[str], options: Options) -> list[re.Pattern[str]]:
    extended = "E" in options or p.name == "egrep"
    found = []
    for pattern in "\n".join(patterns).split("\n"):
        fixed = "F" in options or p.name == "fgrep"
        compiled = compile(
            re.sub(r"([\\.*\[\]^$])", r"\\\1", pattern) if fixed else pattern,
            extended=extended and not fixed,
            ignore_case="i" in options,
        )
        source = compiled.pattern
        source = rf"(?<!\w)(?:{source})(?!\w)" if "w" in options else rf"\A(?:{source})\Z" if "x" in options else source
        found.append(re.compile(source, re.I if "i" in options else 0))
    return found


def _searched(p: Process, matcher: list[re.Pattern[str]], names: list[str], options: Options) -> Steps:
    recursive = bool(options.keys() & {"r", "R"})
    files = list(_below(p, names or ["."], options)) if recursive else names or ["-"]
    titled = ("H" in options or len(files) > 1 or recursive) and "h" not in options
    any_match = trouble_seen = False
    for name in files:
        try:
            data = yield from p.slurp(name)
        except Refusal as refusal:
            trouble_seen = True
            if "s" not in options:
                p.complain(f"{name}: {refusal}")
            continue
        matched = _one_file(p, matcher, "(standard input)" if name == "-" else name, data, options, titled)
        any_match = any_match or matched
        if matched and "q" in options:
            return 0
    return 2 if trouble_seen and not ("q" in options and any_match) else int(not any_match)


def _below(p: Process, names: list[str], options: Options) -> Iterator[str]:
    from imagelab.runtime.shell.patterns import matches

    for name in names:
        node = p.find(name)
        if node is None or not node.is_directory:
            yield name
            continue
        for path in p.files.walk(p.user, p.path(name)):
            found = p.find(path, follow=False)
            wanted = options.get("I") is None or any(matches(glob, path.rpartition("/")[2]) for glob in options["I"])
            if found is not None and found.kind == "file" and wanted:
                rest = path.removeprefix(p.path(name).rstrip("/")).lstrip("/")
                yield rest if name == "." and len(names) == 1 and p.args[-1] != "." else f"{name.rstrip('/')}/{rest}"


def _one_file(
    p: Process, matcher: list[re.Pattern[str]], name: str, data: bytes, options: Options, titled: bool
) -> bool:
    lines = [text(line.rstrip(b"\n")) for line in lines_of(data)]
    most = int(options["m"][-1]) if "m" in options else len(lines)
    hits: list[int] = []
    for at, line in enumerate(lines):
        if len(hits) < most and any(pattern.search(line) for pattern in matcher) != ("v" in options):
            hits.append(at)
    prefix = f"{name}:" if titled else ""
    if "q" in options:
        return bool(hits)
    if "c" in options:
        p.out(f"{prefix}{len(hits)}\n")
    elif "l" in options or "L" in options:
        p.out(f"{name}\n" if bool(hits) == ("l" in options) else "")
    elif b"\0" in data and "a" not in options and hits:
        p.out(f"{p.name}: {name}: binary file matches\n")
    else:
        _shown_lines(p, matcher, lines, hits, options, name if titled else "")
    return bool(hits)


def _shown_lines(
    p: Process, matcher: list[re.Pattern[str]], lines: list[str], hits: list[int], options: Options, name: str
) -> None:
    before = int(options.get("B", options.get("C", ["0"]))[-1])
    after = int(options.get("A", options.get("C", ["0"]))[-1])
    shown: dict[int, str] = {}
    for hit in hits:
        for at in range(max(hit - before, 0), min(hit + after + 1, len(lines))):
            shown[at] = ":" if at == hit else shown.get(at, "-")
    last = -1
    for at in sorted(shown):
        mark = shown[at]
        if (before or after) and last >= 0 and at > last + 1:
            p.out("--\n")
        last = at
        head = (f"{name}{mark}" if name else "") + (f"{at + 1}{mark}" if "n" in options else "")
        if "o" not in options:
            p.out(f"{head}{lines[at]}\n")
        elif "v" not in options:
            for found in matcher[0].finditer(lines[at]) if len(matcher) == 1 else _all(matcher, lines[at]):
                p.out(f"{head}{found[0]}\n" if found[0] else "")


def _all(matcher: list[re.Pattern[str]], line: str) -> list[re.Match[str]]:
    return sorted((match for pattern in matcher for match in pattern.finditer(line)), key=lambda match: match.start())


# -- xargs --------------------------------------------------------------------------------------------------


def xargs(p: Process) -> Steps:
    options, command = parse(p, "n:I:0d:rL:tP:s:", {"max-args": "n", "null": "0", "delimiter": "d", "no-run-if-empty": "r", "replace": "I", "verbose": "t"}, mixed=False)  # fmt: skip
    command = command or ["echo"]
    data = yield from p.read_all()
    if "0" in options or "d" in options:
        separator = b"\0" if "0" in options else raw(unescape(options["d"][-1], "[0-7]{1,3}"))
        words = [text(word) for word in data.removesuffix(separator).split(separator)] if data else []
    elif "I" in options or "L" in options:
        words = [line.strip() for line in text(data).splitlines() if line.strip()]
    else:
        words = [
            re.sub(r"\\(.)|'([^']*)'|\"([^\"]*)\"", lambda m: m[1] or m[2] or m[3] or "", word)
            for word in re.findall(r"(?:\\.|'[^']*'|\"[^\"]*\"|[^\s\\'\"])+", text(data))
        ]
    status = 0
    for arguments in _batches(command, words, options):
        if "t" in options:
            p.err(" ".join(arguments))
        try:
            code = yield from p.machine.run(p, arguments)
        except Refusal as refusal:
            return p.complain(f"{arguments[0]}: {refusal}", 127 if refusal.code == "ENOENT" else 126)
        except NotExecutable as problem:
            return p.complain(str(problem), 126)
        if code == 255:
            return p.complain(f"{arguments[0]}: exited with status 255; aborting", 124)
        status = 123 if code else status
    return status


def _batches(command: list[str], words: list[str], options: Options) -> Iterator[list[str]]:
    if "I" in options:
        for word in words:
            yield [part.replace(options["I"][-1], word) for part in command]
        return
    size = int((options.get("n") or options.get("L") or ["5000"])[-1])
    if not words and "r" not in options:
        yield command
    for at in range(0, len(words), size):
        yield [*command, *words[at : at + size]]


PROGRAMS: dict[str, Program] = {"grep": grep, "egrep": grep, "fgrep": grep, "xargs": xargs}
