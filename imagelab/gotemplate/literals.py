"""Constants in a template: what quoted text and numbers stand for, by Go's rules.

>>> unescape("caf\\u00e9", '"'), integer("0x1f"), integer("1_000"), decimal("1.5e3"), imaginary("1+2i")
('café', 31, 1000, 1500.0, (1+2j))
"""

from __future__ import annotations

import re

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))|([^\\])", re.DOTALL)


def unescape(text: str, delimiter: str) -> str | None:
    """A quoted constant's value; None when an escape is not one."""
    out, position = b"", 0
    while position < len(text):
        match = _ESCAPE.match(text, position)
        if match is None:
            return None
        byte, short, long, octal, letter, plain = match.groups()
        code = int(short or long or "0", 16)
        if letter is not None and letter != delimiter and letter not in _ESCAPES:
            return None
        if code > 0x10FFFF or 0xD800 <= code < 0xE000 or octal is not None and int(octal, 8) > 255:
            return None
        if byte is not None or octal is not None:
            out += bytes([int(byte, 16) if byte is not None else int(octal, 8)])
        else:
            char = plain or (chr(code) if letter is None else _ESCAPES.get(letter, letter))
            out += char.encode("utf-8", "surrogatepass")
        position = match.end()
    return out.decode("utf-8", "replace") if delimiter == '"' or out[:1] < b"\x80" else _rune(out)


def _rune(data: bytes) -> str:
    """A character constant beyond ASCII: `'é'` is a code point, `'\\xe9'` is a byte that means one."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


_INTEGER = re.compile(
    r"([+-]?)(0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[bB]_?[01]+(?:_[01]+)*|0[oO]?_?[0-7]+(?:_[0-7]+)*|0|[1-9][0-9]*(?:_[0-9]+)*)"
)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEX_FLOAT = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+")


def integer(text: str) -> int | None:
    """A whole number that 64 bits hold, in any base; None for anything else."""
    match = _INTEGER.fullmatch(text)
    if match is None:
        return None
    digits = match[2].replace("_", "").lower()
    if re.fullmatch("0[0-7]+", digits):
        digits = f"0o{digits[1:]}"
    value = int(digits, 0) * (-1 if match[1] == "-" else 1)
    unsigned = not match[1] and value < 2**64
    return value if -(2**63) <= value < 2**63 or unsigned else None


def decimal(text: str) -> float | None:
    """A floating-point number, finite; None for anything else."""
    if _HEX_FLOAT.fullmatch(text):
        try:
            return float.fromhex(text)
        except OverflowError:
            return None
    if not _FLOAT.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) != float("inf") else None


def imaginary(text: str) -> complex | None:
    """`2i`, `1+2i`."""
    match = re.fullmatch(r"(.*?)([+-]?[^+-]*(?:[eE][+-]?[0-9]+)?)i", text)
    real, rest = (decimal(match[1] or "0"), decimal(match[2])) if match else (None, None)
    return None if real is None or rest is None else complex(real, rest)
