"""A digest: the name of exact bytes, and the one idea everything else stands on.

`sha256:` and 64 hex digits. A program that has the bytes can compute it, and none can find other bytes with the same one: so a
digest says *what* is meant, wherever it comes from. Tags say what is meant today.
"""

from __future__ import annotations

import hashlib
import re

from imagelab.errors import ManifestError

_SHA256 = re.compile(r"sha256:[a-f0-9]{64}")


class Digest(str):
    """`sha256:` and 64 lower-case hex digits, validated once.

    >>> Digest.of(b"").short
    'e3b0c44298fc'
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Digest:
        if type(text) is not Digest and not _SHA256.fullmatch(text):
            raise ManifestError(f"invalid digest {text!r}: expected sha256: and 64 lower-case hex digits")
        return super().__new__(cls, text)

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """The digest of these bytes.

        >>> Digest.of(b"hello").short, Digest.of(b"hello!").short      # one byte more, and nothing of the name is left
        ('2cf24dba5fb0', 'ce06092fb948')
        """
        return cls.trusted("sha256:" + hashlib.sha256(data).hexdigest())

    @classmethod
    def trusted(cls, text: str) -> Digest:
        """A digest that this program computed or stored itself: not validated again."""
        return super().__new__(cls, text)

    @property
    def hex(self) -> str:
        """The 64 digits without the algorithm."""
        return self[7:]

    @property
    def short(self) -> str:
        """The first 12 hex digits, as every listing shows them (R1.25)."""
        return self[7:19]
