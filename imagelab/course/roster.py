"""The class: who is in it, from a table that the school's own system wrote.

    id,name,email        any order, any of them, in English or Chinese; a `;` or a tab between them does as well

A folder of hand-ins belongs to the learner whose id, name or address (whole, or what is before the @) it is called after.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from imagelab.course.hand_in import HandInError, within

ROSTER_LIMIT = 5_000_000
COLUMNS = {
    "id": ("id", "student id", "id number", "username", "user", "login", "number", "学号", "编号"),
    "name": ("name", "full name", "student", "姓名", "名字"),
    "first": ("first name", "firstname", "given name"),
    "last": ("last name", "lastname", "surname", "family name"),
    "email": ("email", "e-mail", "email address", "mail", "邮箱", "电子邮件"),
}


@dataclass(frozen=True, slots=True)
class Learner:
    """One row of the roster; "" for what it does not say."""

    id: str = ""
    name: str = ""
    email: str = ""

    @property
    def shown(self) -> str:
        return self.name or self.id or self.email

    def names(self) -> set[str]:
        """What a folder of this learner's may be called, as `plain` has it."""
        return {plain(one) for one in (self.id, self.name, self.email, self.email.partition("@")[0]) if one}


def plain(name: str) -> str:
    """A name without what systems change in it: case, spaces, marks."""
    return "".join(character for character in normalize("NFKC", name).casefold() if character.isalnum())


def parse_roster(data: bytes) -> list[Learner]:
    """The learners of a roster, in its order. HandInError when it is none."""
    try:
        text = within(data, ROSTER_LIMIT, "the roster").decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise HandInError(
            "the roster is not a table of UTF-8 text", hint="a CSV with the columns id, name, email"
        ) from None
    columns = _columns(rows[0]) if rows else {}
    if not columns:
        raise HandInError("the roster has no column called id, name or email", hint="its first row names the columns")
    learners = [_learner(row, columns) for row in rows[1:]]
    return [one for one in learners if one.shown]


def _separator(text: str) -> str:
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)


def _columns(head: Sequence[str]) -> dict[str, int]:
    words = [one.strip().casefold() for one in head]
    found = {}
    for kind, names in COLUMNS.items():
        place = next((words.index(name) for name in names if name in words), None)
        if place is not None:
            found[kind] = place
    return found


def _learner(row: Sequence[str], columns: Mapping[str, int]) -> Learner:
    def cell(kind: str) -> str:
        place = columns.get(kind, len(row))
        return row[place].strip() if place < len(row) else ""

    return Learner(cell("id"), cell("name") or f"{cell('first')} {cell('last')}".strip(), cell("email"))


def matched(folder: str, learners: Sequence[Learner]) -> Learner | None:
    """The learner whose folder this is."""
    name = plain(folder)
    return next((one for one in learners if name in one.names()), None)
