"""Names and commands that a learner wrote, made harmless to print: what a reader would not see is shown as its escape.

    >>> print(printable("docker \\x1b[2Jpull \\u202enginx"))
    docker \\x1b[2Jpull \\u202enginx

A report has a line an exercise. So a newline, a code that moves the cursor or one that turns the direction of writing
would let a name look like a line of the report; and half a character (a lone surrogate) would stop it from being written.
"""

from __future__ import annotations

from unicodedata import category

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Controls, formats (bidi among them), surrogates, what is not assigned, and line ends: categories of Unicode."""


def printable(text: str, limit: int = 160) -> str:
    """One line that says what is there; more than `limit` characters are cut off."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(_escape(character) if category(character) in UNSEEN else character for character in short)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
