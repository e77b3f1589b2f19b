"""nginx's configuration: words, blocks in braces, comments, includes; and what a request finds in it.

    server { listen 80;  location / { root /usr/share/nginx/html;  index index.html; } }

A directive is a name, words, and perhaps a block. One that is not found in a block is looked for in the block around
it, which is how `root` in `http` holds for every location.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

KNOWN = set(
    """user worker_processes worker_connections pid daemon master_process events http server location types sendfile tcp_nopush
tcp_nodelay keepalive_timeout gzip gzip_types gzip_vary gzip_min_length gzip_proxied gzip_comp_level gzip_disable server_tokens
client_max_body_size client_body_timeout send_timeout charset expires etag log_not_found types_hash_max_size
server_names_hash_bucket_size multi_accept use include default_type log_format access_log error_log listen server_name root alias
index try_files return error_page add_header autoindex internal""".split()
)
"""What this one does, or need not do."""
MISSING = set(
    "allow auth_basic deny fastcgi_pass if limit_except proxy_pass rewrite set ssl_certificate upstream".split()
)
"""What would change an answer, and is not done: refused rather than passed over."""
_TOKEN = re.compile(r"""\s+|\#[^\n]*|([{};])|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|((?:[^\s;{}"'\\]|\\.|\$\{\w+\})(?:[^\s;{\\]|\\.|(?<=\$)\{\w+\})*)""", re.S)  # fmt: skip


class ConfigProblem(Exception):
    """What `nginx -t` says after `[emerg]`."""


@dataclass
class Directive:
    """`name words { block }`."""

    name: str
    words: list[str]
    where: str
    block: list[Directive] | None = None


@dataclass
class Scope:
    """A block, seen from inside: what it does not say, the one around it does."""

    directives: list[Directive]
    outer: Scope | None = None
    words: list[str] = field(default_factory=list)

    def all(self, name: str) -> list[Directive]:
        """Every directive of that name in the nearest block that has one."""
        directives = [directive for directive in self.directives if directive.name == name]
        return directives if directives or self.outer is None else self.outer.all(name)

    def text(self, name: str, default: str = "") -> str:
        """The first word of a directive."""
        directives = self.all(name)
        return directives[-1].words[0] if directives and directives[-1].words else default

    def inner(self, name: str) -> list[Scope]:
        """The blocks of that name directly in this one."""
        return [Scope(d.block, self, d.words) for d in self.directives if d.name == name and d.block is not None]


Reader = Callable[[str], Iterable[tuple[str, str]]]
"""A file name, perhaps a pattern -> (name, text) of each file."""


def parse(name: str, text: str, read: Reader) -> list[Directive]:
    """A configuration file, with what it includes. ConfigProblem."""
    tokens = list(_tokens(name, text))
    directives, rest = _block(tokens, name, read, inside=False)
    assert not rest
    return directives


def _tokens(name: str, text: str) -> Iterable[tuple[str, bool, int]]:
    """(token, was quoted, line)"""
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        line = text.count("\n", 0, position) + 1
        if match is None:
            raise ConfigProblem(f'unexpected end of file, expecting ";" or "}}" in {name}:{line}')
        position = match.end()
        if match[1]:
            yield match[1], False, line
        elif match[2] is not None or match[3] is not None:
            yield re.sub(r"\\(.)", r"\1", match[2] if match[2] is not None else match[3]), True, line
        elif match[4]:
            yield match[4], False, line


def _block(tokens: list[tuple[str, bool, int]], name: str, read: Reader, *, inside: bool) -> tuple[list[Directive], list[tuple[str, bool, int]]]:  # fmt: skip
    directives: list[Directive] = []
    words: list[str] = []
    while tokens:
        (token, quoted, line), *tokens = tokens
        if quoted or token not in "{};":
            words.append(token)
            continue
        where = f"{name}:{line}"
        if token == "}":
            if words or not inside:
                raise ConfigProblem(f'unexpected "}}" in {where}')
            return directives, tokens
        if not words:
            raise ConfigProblem(f'unexpected "{token}" in {where}')
        directive = Directive(words[0], words[1:], where)
        words = []
        if token == "{":
            directive.block, tokens = _block(tokens, name, read, inside=True)
        directives += _included(directive, read) if directive.name == "include" else [_known(directive)]
    if words or inside:
        line = tokens[-1][2] if tokens else 1
        expected = '";" or "}"' if words else '"}"'
        raise ConfigProblem(f"unexpected end of file, expecting {expected} in {name}:{line}")
    return directives, tokens


def _included(directive: Directive, read: Reader) -> list[Directive]:
    directives: list[Directive] = []
    for name, text in read(directive.words[0] if directive.words else ""):
        directives += parse(name, text, read)
    return directives


def _known(directive: Directive) -> Directive:
    if directive.name in MISSING:
        raise ConfigProblem(f'"{directive.name}" is not available in imagelab in {directive.where}')
    in_types = "/" in directive.name or directive.name in ("default", "~")
    if directive.name not in KNOWN and not in_types and directive.block is None:
        raise ConfigProblem(f'unknown directive "{directive.name}" in {directive.where}')
    return directive
