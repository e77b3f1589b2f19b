"""Find the hand-ins in a folder or a ZIP, in whatever layout it was made.

    nbgrader      submitted/NAME/LESSON/x.ipynb
    Moodle        Name_123_assignsubmission_file/x.ipynb, or a ZIP in there
    plain         NAME/x.ipynb, NAME/zh/x.ipynb, NAME_LESSON.ipynb, and a ZIP of any of these

The progress file that is nearest, in the notebook's folder or above it up to the learner's own, belongs to a notebook. Nothing
is unpacked onto the disk. Links, pipes and devices are refused; so is an entry of a ZIP whose path leads out of it.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from imagelab.course.hand_in import NOTEBOOK_LIMIT, PROGRESS_LIMIT, HandInError, read_file, within
from imagelab.course.printable import printable

FILES_LIMIT = 20_000
"""Files of a batch, and entries of a ZIP."""
ZIP_LIMIT = 400_000_000
"""Bytes of a ZIP, and of all that is in it."""
MOODLE = re.compile(r"^(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)$")
SKIPPED = {"__MACOSX", ".ipynb_checkpoints"}


@dataclass(frozen=True, slots=True)
class Found:
    """One file of the batch: where it is in it, when it was written, and its bytes when they are asked for (HandInError)."""

    path: PurePosixPath
    written: float
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Submission:
    """One notebook of one learner (None: only a progress file), and the progress that goes with it."""

    learner: str
    path: PurePosixPath
    notebook: Found | None
    progress: Found | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not looked at, and why, as a sentence."""

    learner: str
    sentence: str


def collect(place: Path, known: Sequence[str] = ()) -> tuple[list[Submission], list[Refused]]:
    """Every submission in a folder or a ZIP, in order. `known`: names of learners, as folders may have them. HandInError."""
    refused: list[Refused] = []
    files: list[Found] = []
    for entry in _entries(place):
        if isinstance(entry, Found):
            files.append(entry)
        else:
            refused.append(entry)
        if len(files) + len(refused) > FILES_LIMIT:
            raise HandInError(f"{printable(place.name)} has more than {FILES_LIMIT} files")
    strip = _wrappers([one.path for one in files if one.path.suffix == ".ipynb"], known)
    whose = [(learner(_inside(one.path, strip)), one) for one in files]
    told = [replace(one, learner=learner(_inside(PurePosixPath(one.learner), strip))) for one in refused]
    return list(_submissions(whose)), told


def _inside(path: PurePosixPath, strip: int) -> PurePosixPath:
    return PurePosixPath(*path.parts[strip:]) if len(path.parts) > strip else path


def learner(path: PurePosixPath) -> str:
    """Whose file this is."""
    parts = path.parts
    for part in parts:
        if found := MOODLE.match(part):
            return found["name"].strip()
    if len(parts) > 1:
        return parts[0]
    return re.sub(r"(^|[_ -])\d\d-[a-z-]+?($|[_ ])", "", path.stem).strip("_- ") or path.stem


def _wrappers(paths: Sequence[PurePosixPath], known: Sequence[str]) -> int:
    """How many folders at the top are round all notebooks and are no learner's: `submitted`, the folder in a ZIP."""
    count = _after("submitted", paths)
    while paths and all(len(path.parts) > count + 2 for path in paths):
        tops = {path.parts[count] for path in paths}
        below = {path.parts[count + 1] for path in paths}
        only = tops.pop() if len(tops) == 1 else ""
        several = len(below) > 1 and not any(re.match(r"\d\d-|en$|zh$|ps\d", one) for one in below)
        if not only or only in known or MOODLE.match(only) or not several:
            break
        count += 1
    return count


def _after(name: str, paths: Sequence[PurePosixPath]) -> int:
    """How many folders there are down to the one of that name that is round all of them."""
    places = {path.parts[:-2].index(name) + 1 if name in path.parts[:-2] else 0 for path in paths}
    return places.pop() if len(places) == 1 else 0


def _submissions(files: Sequence[tuple[str, Found]]) -> Iterator[Submission]:
    """Each notebook with the nearest progress file; a learner's progress file alone, where there is no notebook."""
    progress = {(owner, one.path.parent): one for owner, one in files if _is_progress(one.path)}
    alone = {owner: one for owner, one in files if _is_progress(one.path)}
    for owner, one in sorted(files, key=lambda pair: (pair[0], pair[1].path)):
        if one.path.suffix == ".ipynb":
            alone.pop(owner, None)
            near = (progress.get((owner, folder)) for folder in one.path.parents)
            yield Submission(owner, one.path, one, next((found for found in near if found), None))
    for owner, one in sorted(alone.items()):
        yield Submission(owner, one.path, None, one)


def _is_progress(path: PurePosixPath) -> bool:
    return path.suffix == ".json" and "progress" in path.name


# -- where files are ----------------------------------------------------------------------------------------------


def _entries(place: Path) -> Iterator[Found | Refused]:
    if place.is_symlink() or not place.exists():
        raise HandInError(f"{printable(str(place))} is no folder and no ZIP", hint="name the folder of the hand-ins")
    if place.is_file():
        yield from _zip(PurePosixPath(), place, read_file(place, ZIP_LIMIT))
        return
    yield from _folder(place)


def _folder(root: Path) -> Iterator[Found | Refused]:
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED)
        for name in sorted([*names, *(name for name in folders if (Path(folder) / name).is_symlink())]):
            file = Path(folder) / name
            path = PurePosixPath(*file.relative_to(root).parts)
            if not _is_wanted(path) and not file.is_symlink():
                continue
            yield from _file(file, path)


def _file(file: Path, path: PurePosixPath) -> Iterator[Found | Refused]:
    kind = file.lstat()
    if not stat.S_ISREG(kind.st_mode):
        what = "a link to another file" if stat.S_ISLNK(kind.st_mode) else "not an ordinary file"
        yield Refused(str(path), f"{printable(path.name)} is {what}: it is not read")
    elif path.suffix.lower() == ".zip":
        try:
            yield from _zip(path.parent, file, read_file(file, ZIP_LIMIT))
        except HandInError as error:
            yield Refused(str(path), str(error))
    else:
        limit = NOTEBOOK_LIMIT if path.suffix == ".ipynb" else PROGRESS_LIMIT
        yield Found(path, kind.st_mtime, lambda: read_file(file, limit))


def _is_wanted(path: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") or part in SKIPPED for part in path.parts)
    return not hidden and (path.suffix.lower() in (".ipynb", ".zip") or _is_progress(path))


def _zip(at: PurePosixPath, file: Path, data: bytes) -> Iterator[Found | Refused]:
    """The wanted entries of a ZIP that lies at a place of the batch."""
    name = printable(file.name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, UnicodeError):
        raise HandInError(f"{name} is not a ZIP that can be read") from None
    if len(entries) > FILES_LIMIT or sum(entry.file_size for entry in entries) > ZIP_LIMIT:
        raise HandInError(f"{name} holds more than {FILES_LIMIT} files or {ZIP_LIMIT // 1_000_000} MB")
    for entry in entries:
        yield from _zip_entry(at, file, entry)


def _zip_entry(at: PurePosixPath, file: Path, entry: zipfile.ZipInfo) -> Iterator[Found | Refused]:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or any(":" in part for part in path.parts[:1]):
        yield Refused(str(at / "x"), f"{printable(file.name)} holds {printable(str(path))}, which leads out of it")
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield Refused(str(at / "x"), f"{printable(file.name)} holds {printable(str(path))}, which is no ordinary file")
    elif not entry.is_dir() and _is_wanted(path) and path.suffix.lower() != ".zip":
        limit = NOTEBOOK_LIMIT if path.suffix == ".ipynb" else PROGRESS_LIMIT
        written = float(entry.date_time[0] * 10**10 + entry.date_time[1] * 10**8 + entry.date_time[2] * 10**6)
        yield Found(at / path, written, lambda: _read_entry(file, entry, limit))


def _read_entry(file: Path, entry: zipfile.ZipInfo, limit: int) -> bytes:
    name = printable(entry.filename)
    try:
        with zipfile.ZipFile(file) as archive, archive.open(entry) as opened:
            return within(opened.read(limit + 1), limit, name)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError, EOFError, OSError):
        raise HandInError(f"{name} cannot be read from {printable(file.name)}") from None
