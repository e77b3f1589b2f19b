"""`imagelab lab`: JupyterLab on the learner's own copy of the lessons.

The shipped notebooks are copied into a folder once; from then on that copy is the learner's and is never written to.
When a lesson has changed since, the new version is put beside it under a name of its own. Everything runs offline: no
news, no update check, and a `docker` on PATH in cells and in JupyterLab's terminals.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from imagelab.cli.flags import CommandLineError, Flag, Parsed, parse
from imagelab.cli.help import options
from imagelab.errors import ImageLabError, UsageError

LANGUAGES = ("en", "zh")
FLAGS = (
    Flag("no-browser", "", "bool", "Do not open a browser; print the address"),
    Flag("port", "p", "int", "Port of JupyterLab", "8888"),
    Flag("ip", "", "string", "Address to listen on", "127.0.0.1"),
    Flag("lang", "", "string", "Language of the lessons: en or zh (else the machine's)"),
    Flag("dir", "", "string", "Folder for your copy of the lessons", "imagelab-lessons"),
)
RECORD = ".imagelab.json"


def command(words: Sequence[str], *, out: TextIO, err: TextIO, environ: Mapping[str, str], home: str = "") -> int:
    """Run `imagelab lab` with these words; JupyterLab's exit code. ImageLabError when it cannot start."""
    try:
        parsed = parse(words, FLAGS)
        if parsed.arguments:
            raise CommandLineError(f"imagelab lab: unexpected argument {parsed.arguments[0]!r}")
    except CommandLineError as error:
        err.write(f"{error}\n\nUsage:  imagelab lab [OPTIONS]\n\nRun 'imagelab lab --help' for more information\n")
        return error.exit_code
    if parsed.on("help"):
        out.write(f"Usage:  imagelab lab [OPTIONS]\n\nOpen JupyterLab on the lessons\n\nOptions:\n{options(FLAGS)}")
        return 0
    folder, language = Path(parsed.text("dir", "imagelab-lessons")), _language(parsed, environ)
    for copied in working_copy(shipped(), folder):
        out.write(f"new lesson: {copied}\n")
    out.flush()
    return _run(_jupyterlab(parsed, folder, language), _environment(folder, environ, home))


def _language(parsed: Parsed, environ: Mapping[str, str]) -> str:
    asked = parsed.text("lang")
    if asked and asked not in LANGUAGES:
        raise UsageError(f"no lessons in {asked!r}", hint=f"--lang takes {' or '.join(LANGUAGES)}")
    local = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return asked or ("zh" if local.startswith("zh") else "en")


# -- the learner's copy -------------------------------------------------------------------------------------


def shipped() -> Path:
    """The notebooks that came with this imagelab: in the package, or beside it in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "_notebooks", package.parent / "notebooks"):
        if any(folder.glob("*/*.ipynb")):
            return folder
    raise ImageLabError("the lessons are not installed", origin="client", hint="reinstall imagelab, or run make notebooks")


def working_copy(source: Path, folder: Path) -> list[Path]:
    """Copy what is not there yet; never write to a file that is. Returns the new files."""
    made: list[Path] = []
    record = folder / RECORD
    known: dict[str, str] = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    try:
        for lesson in sorted(source.glob("*/*.ipynb")):
            name = lesson.relative_to(source).as_posix()
            version = hashlib.sha256(lesson.read_bytes()).hexdigest()
            target = folder / name
            if target.exists() and known.get(name) == version:
                continue
            if target.exists():
                target = _free(target) if name in known else target
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(lesson, target)
                made.append(target)
            known[name] = version
        folder.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        reason = f"{folder} cannot be written to: {error.strerror or error}"
        raise ImageLabError(reason, origin="client", hint="choose another folder with --dir") from None
    return made


def _free(target: Path) -> Path:
    """`01-x.ipynb` -> `01-x (new).ipynb`, `01-x (new 2).ipynb`, …"""
    at = 1
    while True:
        other = target.with_name(f"{target.stem} (new{f' {at}' if at > 1 else ''}){target.suffix}")
        if not other.exists():
            return other
        at += 1


# -- JupyterLab ---------------------------------------------------------------------------------------------


def _jupyterlab(parsed: Parsed, folder: Path, language: str) -> list[str]:
    first = min((folder / language).glob("*.ipynb"), default=None)
    url = f"/lab/tree/{language}/{first.name}" if first else "/lab"
    line = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}", f"--LabApp.default_url={url}",
        f"--ServerApp.ip={parsed.text('ip', '127.0.0.1')}", "--LabApp.news_url=None",
        f"--ServerApp.terminado_settings={_terminal_shell(folder)}",
    ]  # fmt: skip
    if "port" in parsed.values:
        _refuse_taken(parsed.text("ip", "127.0.0.1"), int(parsed.text("port")))
        line += [f"--ServerApp.port={parsed.text('port')}", "--ServerApp.port_retries=0"]
    if parsed.on("no-browser"):
        line.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        line.append("--allow-root")
    return line


def _refuse_taken(host: str, port: int) -> None:
    import socket

    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = f"port {port} of {host} cannot be used: {getattr(error, 'strerror', None) or error}"
            raise ImageLabError(reason, origin="client", hint="choose another one with --port") from None


def _terminal_shell(folder: Path) -> str:
    """A terminal's bash reads the learner's own settings and then puts our folder first: a login shell would not."""
    bash = shutil.which("bash")
    if os.name == "nt" or bash is None:
        return "{}"
    rc = _private(folder) / "bashrc"
    rc.write_text('[ -f ~/.bashrc ] && . ~/.bashrc\nexport PATH="$IMAGELAB_BIN:$PATH"\n', encoding="utf-8")
    return json.dumps({"shell_command": [bash, "--rcfile", str(rc.resolve())]})


def _private(folder: Path) -> Path:
    private = folder / ".imagelab"
    private.mkdir(parents=True, exist_ok=True)
    return private


def _environment(folder: Path, environ: Mapping[str, str], home: str) -> dict[str, str]:
    from imagelab.shim import install, on_path

    env = dict(environ)
    on_path(env)
    env["IMAGELAB_BIN"] = str(install())
    settings = _private(folder) / "settings"
    quiet = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    if not quiet.exists():
        quiet.parent.mkdir(parents=True, exist_ok=True)
        quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}\n', encoding="utf-8")
    env["JUPYTERLAB_SETTINGS_DIR"] = str(settings.resolve())
    if home:
        env["IMAGELAB_HOME"] = str(Path(home).resolve())
    return env


def _run(line: Sequence[str], environ: Mapping[str, str]) -> int:
    from importlib.util import find_spec

    if find_spec("jupyterlab") is None:
        raise ImageLabError("jupyterlab is not installed", origin="client", hint="pip install jupyterlab")
    process = subprocess.Popen(list(line), env=dict(environ))
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # JupyterLab has had it too, and asks whether it is meant
