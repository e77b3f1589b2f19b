"""What a lesson reaches for: the network, files elsewhere on the machine, and places that a link names.

docker pull quay.io/x/y      another registry                        !pip install x      a program that asks the network
upstream set hub             a registry that is not built in         socket, urllib …    a module that does
docker save -o /tmp/x.tar a  a file outside the folder               open("/x", "w")     the same in Python
[here](99-none.ipynb)        a link to no file                       [here](#none)       to no heading
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from imagelab.errors import ImageLabError
from imagelab.oci.reference import Reference

PROGRAMS = "apk apt apt-get brew conda curl dig ftp git host mamba nc npm nslookup ping pip pip3 rsync scp ssh svn telnet uv wget".split()
MODULES = "aiohttp ftplib http.client httpx imaplib poplib smtplib socket telnetlib urllib.request urllib3 xmlrpc.client".split()
ASK = {
    "get",
    "post",
    "put",
    "head",
    "patch",
    "delete",
    "request",
    "urlopen",
    "urlretrieve",
    "create_connection",
    "open_connection",
}
OUR_HOSTS = re.compile(r"(?:localhost|127\.0\.0\.1|[\w.-]+\.(?:test|example|invalid))(?:[:/]|$)")
HOST = re.compile(r"(?:[a-z0-9-]+\.)+(?:[a-z]{2,})(?::\d+)?(?:/.*)?", re.I)
NAMES_IMAGES = {"pull", "run", "create"}
WRITES_FILES = {"save", "export", "cp"}
WRITERS = "write_text write_bytes mkdir makedirs touch unlink rmtree remove rmdir copyfile copytree".split()
ELSEWHERE = re.compile(r"^(?:[/~\\]|[A-Za-z]:[\\/]|\.\.(?:[/\\]|$))")
LINK = re.compile(r"!?\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|<img[^>]*\ssrc=[\"']([^\"']+)")
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.M)


# -- command lines ------------------------------------------------------------------------------------------


def lint_line(line: str) -> Iterator[str]:
    """What a docker command line of a lesson reaches for."""
    first, _, typed = line.partition("\n")
    try:
        words = shlex.split(first.removeprefix("- "), comments=True)
    except ValueError:
        words = first.split()
    words = words[1:] if words[:1] in (["docker"], ["%docker"]) else words
    verb = next(
        (word for word in words if word not in ("container", "image", "builder") and not word.startswith("-")), ""
    )
    rest = words[words.index(verb) + 1 :] if verb else []
    if verb in NAMES_IMAGES:
        image = next((word for word in rest if not word.startswith("-") and _is_foreign(word)), None)
        if image:
            yield f"a line needs the network: {image} is at another registry"
    if verb == "upstream" and rest[:1] == ["set"] and rest[1:] != ["classroom"]:
        yield f"a line needs the network: upstream {' '.join(rest)}"
    for option, value in zip(words, words[1:], strict=False):
        if option in ("--upstream", "--mirror") and not (
            value == "classroom" or value.startswith("$") or OUR_HOSTS.match(value.partition("//")[2])
        ):
            yield f"a line needs the network: {' '.join(words)}"
    if verb == "build":
        yield from _dockerfile(typed)
    if verb in WRITES_FILES:
        yield from (
            f"a line writes outside of its folder: {word}" for word in _written(verb, rest) if ELSEWHERE.search(word)
        )


def _written(verb: str, rest: Sequence[str]) -> Iterator[str]:
    """The files of the machine that are written."""
    if verb == "cp":
        yield from (word for word in rest[-1:] if ":" not in word[2:])
        return
    for word, following in zip(rest, [*rest[1:], ""], strict=True):
        if word in ("-o", "--output"):
            yield following
        elif word.startswith("--output=") or (word.startswith("-o") and word != "-o"):
            yield word.removeprefix("--output=").removeprefix("-o")


def _dockerfile(text: str) -> Iterator[str]:
    for line in re.sub(r"\\[ \t]*\n", " ", text).splitlines():
        instruction, *words = line.split() or [""]
        if instruction.upper() == "FROM" and words and _is_foreign(words[0]):
            yield f"a line needs the network: {words[0]} is at another registry"
        if instruction.upper() == "ADD" and any("://" in word or word.startswith("git@") for word in words):
            yield f"a line needs the network: {line.strip()}"


def _is_foreign(word: str) -> bool:
    try:
        domain = Reference.parse(word).domain
    except ImageLabError:
        return False
    return domain != "docker.io" and not OUR_HOSTS.match(domain)


# -- cells --------------------------------------------------------------------------------------------------


def lint_cell(cell: str) -> Iterator[str]:
    """What a cell reaches for: its docker lines, its shell lines, its Python."""
    first, _, rest = cell.partition("\n")
    if first.startswith(("%%docker ", "%%dockerfile")):
        yield from lint_line(
            "build -\n" + rest if first.startswith("%%dockerfile") else first.removeprefix("%%docker ") + "\n" + rest
        )
    elif first.strip() == "%%docker":
        for line in rest.replace("\\\n", " ").splitlines():
            yield from lint_line(line.strip().removeprefix("$ "))
    elif first.startswith(("%%bash", "%%sh", "%%script", "%%!")):
        for line in rest.splitlines():
            yield from _shell(line)
    else:
        yield from _python(cell)


def _shell(line: str) -> Iterator[str]:
    if found := re.search(rf"(?:^|[|&;(`]|\bsudo)\s*({'|'.join(map(re.escape, PROGRAMS))})\s", f"{line} "):
        yield f"a cell needs the network: {found[1]}"
    for target in re.findall(r">{1,2}\s*([^\s|&;<>]+)", line):
        if ELSEWHERE.search(target) and not target.startswith("/dev/"):
            yield f"a cell writes outside of its folder: {target}"
    touched = re.search(r"\b(?:rm|touch|mkdir|mv|cp|tee|ln)\b(?:\s+-\S+)*(?:\s+\S+)*?\s+((?:/|~|\.\./)\S*)", line)
    if touched and "docker" not in line:
        yield f"a cell writes outside of its folder: {touched[1]}"
    if "docker " in line:
        yield from lint_line(line[line.index("docker ") :].partition("|")[0])


def _python(cell: str) -> Iterator[str]:
    lines = cell.replace("\\\n", " ").splitlines()
    for line in lines:
        text = line.strip()
        if text.startswith("%docker "):
            yield from lint_line(text)
        elif text.startswith(("!", "%pip", "%conda", "%mamba", "%sx", "%system")):
            yield from _shell(re.sub(r"^(?:!+|%(?:sx|system)\s+|%)", "", text))
    try:
        tree = ast.parse(re.sub(r"(?m)^([ \t]*)[!%].*$", r"\1pass", "\n".join(lines)))
    except SyntaxError:
        return
    for node in ast.walk(tree):
        yield from _node(node)


def _node(node: ast.AST) -> Iterator[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    yield from (f"a cell needs the network: it imports {name}" for name in names if name in MODULES)
    if not isinstance(node, ast.Call):
        return
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    texts = [arg.value for arg in ast.walk(node) if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if called in ASK and (
        host := next((text for text in texts if HOST.fullmatch(text) and not OUR_HOSTS.match(text)), None)
    ):
        yield f"a cell needs the network: {host}"
    if called == "set_upstream" and texts != ["classroom"]:
        yield f"a cell needs the network: upstream {' '.join(texts)}"
    upstream = next((word.value for word in node.keywords if word.arg == "upstream"), None)
    if isinstance(upstream, ast.Constant) and upstream.value not in ("classroom", None):
        yield f"a cell needs the network: upstream {upstream.value!r}"
    if called == "docker" and texts:
        yield from lint_line(texts[0])
    if called == "pull" and texts and _is_foreign(texts[0]):
        yield f"a cell needs the network: {texts[0]} is at another registry"
    yield from _written_by(node, called)


def _written_by(node: ast.Call, called: str) -> Iterator[str]:
    modes = [
        arg.value
        for arg in [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
        if isinstance(arg, ast.Constant)
    ]
    opens = called == "open" and any(isinstance(mode, str) and set("wax+") & set(mode) for mode in modes)
    if not opens and called not in WRITERS:
        return
    places = [
        node.func,
        *(() if isinstance(node.func, ast.Attribute) and called.startswith("write_") else node.args[:1]),
    ]
    paths = [text.value for place in places for text in ast.walk(place) if isinstance(text, ast.Constant)]
    yield from (
        f"a cell writes outside of its folder: {path}"
        for path in paths
        if isinstance(path, str) and ELSEWHERE.search(path)
    )


# -- links --------------------------------------------------------------------------------------------------


def lint_links(prose: str, headings: str, known: Sequence[str], folder: Path) -> Iterator[str]:
    """Links and pictures of a text that lead to nothing. `headings`: the text whose headings can be reached; `known`: the
    notebooks beside it; `folder`: where other files are looked for."""
    anchors = {re.sub(r"\s+", "-", re.sub(r"[`*]", "", heading)).lower() for heading in HEADING.findall(headings)}
    for found in LINK.findall(re.sub(r"`[^`\n]*`", "", prose)):
        target = next(filter(None, found))
        if re.match(r"[a-z][a-z0-9+.-]*:", target, re.I):
            continue
        path, _, anchor = target.partition("#")
        if path and path not in known and not (folder / path).exists():
            yield f"a link leads to nothing: {target}"
        elif not path and anchor.lower() not in anchors:
            yield f"a link leads to no heading: #{anchor}"
