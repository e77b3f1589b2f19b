"""`imagelab lab`: JupyterLab on the learner's own copy of the lessons.

    imagelab-lessons/
    ├── en/01-getting-images.ipynb       yours: never written to again
    ├── en/01-getting-images-new.ipynb   the lesson has changed since: the new one stands beside yours
    ├── zh/…
    └── .imagelab/                       what was copied and when it looked how; JupyterLab's settings

The shipped notebooks show what every cell prints; a copy does not, for a lesson asks before it shows, and who can read
the answer below the question does not guess. A lesson is copied once; from then on the copy belongs to whoever works on
it. Only a copy that is still, byte for byte, what was copied is replaced by a newer lesson.

Everything stays on this machine: no news, no update check, no extension catalogue. `docker` is on PATH in cells and in
JupyterLab's terminals. The server listens on 127.0.0.1 behind a token.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from imagelab.cli.command import Invocation
from imagelab.cli.command import command as verb
from imagelab.cli.flags import CommandLineError, Flag, Parsed, parse
from imagelab.cli.help import options
from imagelab.course.shipped_lessons import LESSONS, PRIVATE, shipped
from imagelab.errors import ImageLabError, UsageError

if TYPE_CHECKING:
    import subprocess

LANGUAGES = ("en", "zh")
FIRST_PORT = 8888
WELCOME = "lab-welcome"
"""Leads to the first lesson in the browser's language: see `welcome`."""
FLAGS = (
    Flag("no-browser", "", "bool", "Do not open a browser; print the address"),
    Flag("port", "p", "int", "Port of JupyterLab (else a free one, from 8888 up)"),
    Flag("ip", "", "string", "Address to listen on", "127.0.0.1"),
    Flag("lang", "", "string", "Language of the lessons, en or zh (else the browser's)"),
    Flag("dir", "", "string", f"Folder for your copy of the lessons (else ./{LESSONS})"),
    Flag("lab", "", "string", "The lab's directory for terminals and notebooks of your own (else $IMAGELAB_HOME)"),
)


@verb("lab", "[OPTIONS]", most=None, raw=True)
def lab(context: Invocation) -> int:
    """The verb of the command line."""
    return command(
        context.parsed.arguments, out=context.out, err=context.err, environ=context.environ, home=context.options.text("lab")
    )  # fmt: skip


def command(words: Sequence[str], *, out: TextIO, err: TextIO, environ: Mapping[str, str], home: str = "") -> int:
    """Run `imagelab lab` with these words; JupyterLab's exit code. ImageLabError when it cannot start.

    `home`: the lab's directory, when the global `--lab` named one.
    """
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
    language, folder = language_of(parsed.text("lang"), environ), folder_of(parsed.text("dir"))
    hub = environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    port = 0 if hub and "port" not in parsed.values else _port(parsed)
    new = working_copy(shipped(), folder)
    out.write(f"{len(new)} notebooks copied to {folder}\n" if new else f"your notebooks are in {folder}\n")
    path = f"{language}/{first_lesson(folder, language)}"
    if hub and not port:
        out.write(f"JupyterLab is running already: open {folder.name}/{path} in its file browser.\n")
        return 0
    _need_jupyterlab()
    ip = parsed.text("ip", "127.0.0.1")
    page = f"lab/tree/{path}" if parsed.text("lang") else WELCOME
    line = jupyterlab(folder, page, ip=ip, port=port, browser=not parsed.on("no-browser"))
    env = environment(folder, environ, parsed.text("lab") or home)
    return _serve(line, env, out, f"{_address(ip, port)}/{page}?token={env['JUPYTER_TOKEN']}", folder=folder)


def language_of(asked: str, environ: Mapping[str, str]) -> str:
    """`--lang`, else what the machine speaks."""
    if asked and asked not in LANGUAGES:
        raise UsageError(f"no lessons in {asked!r}", hint=f"--lang takes {' or '.join(LANGUAGES)}")
    local = (
        next((environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(key)), "") or _system_language()
    )
    return asked or ("zh" if local.startswith(("zh", "Chinese")) else "en")


def _system_language() -> str:
    """What the system is set to where no variable says so: `Chinese (Simplified)_China` on Windows, "" if it is not known."""
    import locale

    return (locale.getlocale()[0] or "") if os.name == "nt" else ""


def folder_of(asked: str) -> Path:
    """`--dir`, else ./imagelab-lessons, or the one in the home folder where nothing can be written here."""
    if asked:
        return Path(asked).expanduser().resolve()
    here = Path.cwd()
    return (here if os.access(here, os.W_OK) else Path.home()) / LESSONS


# -- the learner's copy -------------------------------------------------------------------------------------


def working_copy(source: Path, folder: Path) -> list[Path]:
    """Bring `folder` up to date with the lessons in `source`, and leave alone what somebody has worked on.

    Returns the files written. ImageLabError when the folder cannot be written to.
    """
    try:
        record = private(folder) / "lessons.json"
        known = _read_record(record)
        made = [
            made
            for lesson in sorted(source.glob("*/*.ipynb"))
            if (made := _bring(lesson, folder, lesson.relative_to(source).as_posix(), known))
        ]
        _write_record(record, known)
    except OSError as error:
        reason = f"{folder} cannot be written to: {error.strerror or error}"
        raise ImageLabError(reason, origin="client", hint="choose another folder with --dir") from None
    return made


def _bring(lesson: Path, folder: Path, name: str, known: dict[str, str]) -> Path | None:
    """Copy one lesson if its copy is missing, or if it has changed since; the file written, if any.

    `known` says, for each name, the digest of the lesson as it was when it was last brought.
    """
    raw, target = _not_yet_run(lesson.read_bytes()), folder / name
    version, last = _digest(raw), known.get(name)
    known[name] = version
    if target.exists():
        mine = _digest(target.read_bytes())
        if mine == version or last == version:
            return None
        if mine != last:
            target = _beside(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(raw)
    return target


def _not_yet_run(raw: bytes) -> bytes:
    """A notebook as it is before anybody has run it; whatever is no notebook stays as it is."""
    import json

    try:
        notebook = json.loads(raw)
    except ValueError:
        return raw
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def _beside(target: Path) -> Path:
    """`01-x.ipynb` -> `01-x-new.ipynb`, `01-x-new-2.ipynb`, …: the first that is free."""
    other, count = target.with_name(f"{target.stem}-new{target.suffix}"), 1
    while other.exists():
        count += 1
        other = target.with_name(f"{target.stem}-new-{count}{target.suffix}")
    return other


def _digest(raw: bytes) -> str:
    from hashlib import sha256

    return sha256(raw).hexdigest()


def _read_record(record: Path) -> dict[str, str]:
    """What was brought before; nothing when the record is damaged, which costs a copy beside and no work."""
    import json

    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): str(version) for name, version in found.items()} if isinstance(found, dict) else {}


def _write_record(record: Path, known: Mapping[str, str]) -> None:
    import json

    record.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def private(folder: Path) -> Path:
    """Our own corner of the learner's folder."""
    corner = folder / PRIVATE
    corner.mkdir(parents=True, exist_ok=True)
    return corner


def first_lesson(folder: Path, language: str) -> str:
    """The file name of the first lesson."""
    return min((folder / language).glob("*.ipynb"), key=lambda file: file.stem).name  # 00-x before 00-x-new


# -- JupyterLab ---------------------------------------------------------------------------------------------


def _need_jupyterlab() -> None:
    from importlib.util import find_spec

    if find_spec("jupyterlab") is None:
        raise ImageLabError("JupyterLab is not installed", origin="client", hint="python -m pip install jupyterlab")


def _port(parsed: Parsed) -> int:
    """The port asked for, if it can be had; else the first free one."""
    host, asked = parsed.text("ip", "127.0.0.1"), int(parsed.text("port", "0"))
    if not asked:
        return next((port for port in range(FIRST_PORT, FIRST_PORT + 100) if not _refusal(host, port)), 0)
    if reason := _refusal(host, asked):
        raise ImageLabError(
            f"port {asked} of {host} cannot be used: {reason}",
            origin="client",
            hint="choose another one with --port, or leave --port out",
        )
    return asked


def _refusal(host: str, port: int) -> str:
    """Why nobody can listen there; "" if one can."""
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name != "nt":  # there the option means something else
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
        except OverflowError:
            return "ports end at 65535"
    return ""


def jupyterlab(folder: Path, page: str, *, ip: str, port: int, browser: bool) -> list[str]:
    """The command that starts the server, with `page` as its first."""
    line = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", f"--LabApp.default_url=/{page}",
        f"--ServerApp.ip={ip}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--log-level=WARN",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly", "--ServerApp.jpserver_extensions=imagelab.jupyter.welcome=True",
    ]  # fmt: skip
    if shell := _terminal_shell(folder):
        line.append(f"--ServerApp.terminado_settings={shell}")
    if not browser:
        line.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        line.append("--allow-root")
    return line


def _terminal_shell(folder: Path) -> str:
    """What a terminal runs. JupyterLab would start a login shell, which may set PATH anew; ours reads the learner's own
    settings, and then puts our folder first."""
    import json
    import shutil

    if os.name == "nt":
        return ""
    bash = shutil.which("bash")
    if bash is None:
        return json.dumps({"shell_command": [os.environ.get("SHELL") or "/bin/sh"]})
    settings = private(folder) / "bashrc"
    settings.write_text('[ -f ~/.bashrc ] && . ~/.bashrc\nexport PATH="$IMAGELAB_BIN:$PATH"\n', encoding="utf-8")
    return json.dumps({"shell_command": [bash, "--rcfile", str(settings)]})


def environment(folder: Path, environ: Mapping[str, str], home: str) -> dict[str, str]:
    """The server's environment: `docker` and this Python's programs on PATH, settings of its own, a token."""
    from secrets import token_hex

    from imagelab.jupyter.docker_on_path import on_path
    from imagelab.lab.opening import ports_here

    env = dict(environ)
    programs = os.pathsep.join(part for part in (str(Path(sys.executable).parent), env.get("PATH", "")) if part)
    env["PATH"] = programs
    docker = on_path(env)
    env["IMAGELAB_BIN"] = os.pathsep.join([str(docker), str(Path(sys.executable).parent)])
    env["JUPYTER_PREFER_ENV_PATH"] = "1"
    env["JUPYTERLAB_SETTINGS_DIR"] = str(_settings(folder))
    env["JUPYTERLAB_WORKSPACES_DIR"] = str(private(folder) / "workspaces")
    env["IMAGELAB_PORTS"] = ports_here(env)
    env["JUPYTER_TOKEN"] = env.get("JUPYTER_TOKEN") or token_hex(24)
    if home:
        env["IMAGELAB_HOME"] = str(Path(home).expanduser().resolve())
    return env


def _settings(folder: Path) -> Path:
    """JupyterLab's settings, with its news switched off; a learner who changes them finds them changed next time."""
    settings = private(folder) / "settings"
    quiet = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    if not quiet.exists():
        quiet.parent.mkdir(parents=True, exist_ok=True)
        quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}\n', encoding="utf-8")
    return settings


def _serve(line: Sequence[str], environ: Mapping[str, str], out: TextIO, address: str, *, folder: Path) -> int:
    """Run the server to its end, and say where it is once it listens. It ends when we do, however that is."""
    import signal
    import subprocess

    out.flush()
    process = subprocess.Popen(list(line), env=dict(environ), cwd=folder)
    earlier = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while process.poll() is None and not _listens(address):
            _pause()
        if process.poll() is None:
            out.write(f"\nThe lessons are at\n\n    {address}\n\nCtrl-C ends them.\n")
            out.flush()
        return _ended(process)
    finally:
        signal.signal(signal.SIGTERM, earlier)


def _ended(process: subprocess.Popen[bytes]) -> int:
    """The server's exit code; a Ctrl-C reaches it as well as us, and it asks whether it is meant."""
    while True:
        try:
            code = process.wait()
            return 0 if code in (-15, 15) else code
        except KeyboardInterrupt:
            continue


def _listens(address: str) -> bool:
    """Does anybody answer there?"""
    import socket
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=1):
            return True
    except OSError:
        return False


def _pause() -> None:
    import time

    time.sleep(0.1)


def _address(ip: str, port: int) -> str:
    """What to type into a browser for a server that listens on `ip`."""
    host = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}.get(ip, ip)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
