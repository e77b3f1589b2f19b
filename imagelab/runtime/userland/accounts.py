"""Who is who: names and numbers of users and groups, as the container's own /etc/passwd and /etc/group have them."""

from __future__ import annotations

from imagelab.runtime.filesystem import User
from imagelab.runtime.process import Process
from imagelab.runtime.shell.expander import accounts


class NoSuchAccount(Exception):
    """`unable to find user nobody2: no matching entries in passwd file`."""


def user_name(p: Process, uid: int) -> str:
    """The name of a user; the number when there is none."""
    return next((fields[0] for fields in accounts(p, "passwd") if fields[2] == str(uid)), str(uid))


def group_name(p: Process, gid: int) -> str:
    """The name of a group; the number when there is none."""
    return next((fields[0] for fields in accounts(p, "group") if fields[2] == str(gid)), str(gid))


def user_number(p: Process, name: str) -> int | None:
    """`root` or `0` -> 0; None for an unknown one."""
    uid = next((int(fields[2]) for fields in accounts(p, "passwd") if fields[0] == name), None)
    return int(name) if uid is None and name.isdigit() else uid


def group_number(p: Process, name: str) -> int | None:
    """The same for a group."""
    gid = next((int(fields[2]) for fields in accounts(p, "group") if fields[0] == name), None)
    return int(name) if gid is None and name.isdigit() else gid


def user_of(p: Process, text: str) -> tuple[User, str]:
    """`-u name|uid[:group|gid]` -> the user and its home directory (R6.7). NoSuchAccount in runc's words."""
    name, colon, group = (text or "0").partition(":")
    entry = next((fields for fields in accounts(p, "passwd") if name in (fields[0], fields[2])), None)
    if entry is None and name and not name.isdigit():
        raise NoSuchAccount(f"unable to find user {name}: no matching entries in passwd file")
    uid = int(entry[2]) if entry else int(name or 0)
    gid = int(entry[3]) if entry and len(entry) > 3 else 0
    if not colon:
        member = entry[0] if entry else ""
        groups = [int(f[2]) for f in accounts(p, "group") if len(f) > 3 and member and member in f[3].split(",")]
        return User(uid, gid, tuple(groups)), entry[5] if entry and len(entry) > 5 else "/"
    number = group_number(p, group)
    if number is None:
        raise NoSuchAccount(f"unable to find group {group}: no matching entries in group file")
    return User(uid, number), entry[5] if entry and len(entry) > 5 else "/"
