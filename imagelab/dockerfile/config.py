"""Instructions that only change an image's config: CMD, ENTRYPOINT, ENV, LABEL, EXPOSE and the others.

    config --instruction--> config, and the comment that history keeps: `#(nop)  ENV A=b`

`docker build` and `docker commit --change` are both this. Nothing here knows of files or images.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from imagelab.dockerfile.instructions import (
    Arg,
    Cmd,
    CommandInstruction,
    Copy,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Instruction,
    Label,
    Maintainer,
    OnBuild,
    PairsInstruction,
    ShellInstruction,
    StopSignal,
    TextInstruction,
    UserInstruction,
    Volume,
    WordsInstruction,
    Workdir,
    instruction,
)
from imagelab.dockerfile.parser import parse_line
from imagelab.dockerfile.words import substitute, substitute_words
from imagelab.errors import ImageLabError

Config = dict[str, Any]

_ORDER = """Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce Env Cmd Healthcheck
ArgsEscaped Image Volumes WorkingDir Entrypoint NetworkDisabled MacAddress OnBuild Labels StopSignal StopTimeout Shell""".split()
_ALWAYS: Config = {
    "Hostname": "", "Domainname": "", "User": "", "AttachStdin": False, "AttachStdout": False, "AttachStderr": False, "Tty": False,
    "OpenStdin": False, "StdinOnce": False, "Env": None, "Cmd": None, "Image": "", "Volumes": None, "WorkingDir": "",
    "Entrypoint": None, "OnBuild": None, "Labels": None,
}  # fmt: skip
"""Keys that are written even when there is nothing to say."""
SHELL = ("/bin/sh", "-c")


def ordered(config: Mapping[str, Any]) -> Config:
    """A config with the keys Docker always writes, in its order (R7.1); maps sorted, as Go writes them."""
    full = {**_ALWAYS, **{key: value for key, value in config.items() if value or key in _ALWAYS}}
    sorted_config = {key: full[key] for key in _ORDER if key in full}
    for key in ("ExposedPorts", "Volumes", "Labels"):
        if sorted_config.get(key):
            sorted_config[key] = dict(sorted(sorted_config[key].items()))
    return sorted_config | {key: value for key, value in full.items() if key not in sorted_config}


def shell_of(config: Mapping[str, Any]) -> list[str]:
    """What the shell form is given to."""
    return list(config.get("Shell") or SHELL)


def words_of(command: CommandInstruction, config: Mapping[str, Any]) -> list[str]:
    """The exec form as it is; the shell form for the shell (R8.18)."""
    return list(command.words) if command.is_exec else [*shell_of(config), *command.words]


def quoted(words: Sequence[str]) -> str:
    """A list of strings as Go's %q prints it: `["nginx" "-g" "daemon off;"]`."""
    return "[" + " ".join(json.dumps(word, ensure_ascii=False) for word in words) + "]"


def environment(config: Mapping[str, Any]) -> dict[str, str]:
    """Env as a mapping."""
    return {key: value for key, _, value in (entry.partition("=") for entry in config.get("Env") or [])}


# -- substitution -------------------------------------------------------------------------------------------


def expanded(instruction: Instruction, values: Mapping[str, str], escape: str = "\\") -> Instruction:
    """The instruction with its variables replaced, where it is the builder who does that (R8.16). SubstitutionError."""

    def substituted(word: str) -> str:
        return substitute(word, values, escape)

    match instruction:
        case Label(given=True) | OnBuild() | Maintainer() | ShellInstruction() | CommandInstruction() | Healthcheck():
            return instruction
        case Expose():
            return replace(
                instruction,
                words=tuple(word for text in instruction.words for word in substitute_words(text, values, escape)),
            )
        case PairsInstruction():
            return replace(
                instruction, pairs=tuple((substituted(key), substituted(value)) for key, value in instruction.pairs)
            )
        case Arg():
            return replace(
                instruction,
                pairs=tuple(
                    (substituted(key), None if value is None else substituted(value))
                    for key, value in instruction.pairs
                ),
            )
        case WordsInstruction():
            return replace(instruction, words=tuple(map(substituted, instruction.words)))
        case TextInstruction():
            return replace(instruction, value=substituted(instruction.value))
        case Copy():
            return replace(
                instruction,
                sources=tuple(map(substituted, instruction.sources)),
                target=substituted(instruction.target),
                chown=substituted(instruction.chown),
            )
    return instruction


# -- what each does -----------------------------------------------------------------------------------------


def applied(config: Config, instruction: Instruction, *, command_is_ours: bool = False) -> tuple[Config, str]:
    """The config after an instruction, and its comment. `command_is_ours`: CMD was set in this very Dockerfile.

    ImageLabError in Docker's words for a port, a signal or a path that cannot be.
    """
    match instruction:
        case Cmd():
            words = words_of(instruction, config)
            return config | {"Cmd": words}, f"CMD {quoted(words)}"
        case Entrypoint():
            words = words_of(instruction, config)
            changed = {"Entrypoint": words} | ({} if command_is_ours else {"Cmd": None})
            return config | changed, f"ENTRYPOINT {quoted(words)}"
        case Env():
            return config | {
                "Env": _with_values(config.get("Env") or [], instruction.pairs)
            }, f"ENV {_said(instruction)}"
        case Label():
            return config | {
                "Labels": {**(config.get("Labels") or {}), **dict(instruction.pairs)}
            }, f"LABEL {_said(instruction)}"
        case Expose():
            ports: dict[str, dict[str, str]] = {port: {} for word in instruction.words for port in _ports(word)}
            known = {**(config.get("ExposedPorts") or {}), **ports}
            return config | {"ExposedPorts": dict(sorted(known.items()))}, f"EXPOSE {' '.join(instruction.words)}"
        case Volume():
            paths: dict[str, dict[str, str]] = {path: {} for path in instruction.words}
            return config | {
                "Volumes": {**(config.get("Volumes") or {}), **paths}
            }, f"VOLUME [{' '.join(instruction.words)}]"
        case ShellInstruction():
            return config | {"Shell": list(instruction.words)}, f"SHELL [{' '.join(instruction.words)}]"
    return _applied_text(config, instruction)


def _applied_text(config: Config, instruction: Instruction) -> tuple[Config, str]:
    match instruction:
        case Workdir(value=path):
            where = (
                path
                if path.startswith("/")
                else posixpath.normpath(posixpath.join("/", config.get("WorkingDir") or "/", path))
            )
            return config | {"WorkingDir": where}, f"WORKDIR {where}"
        case UserInstruction(value=user):
            return config | {"User": user}, f"USER {user}"
        case StopSignal(value=signal):
            return config | {"StopSignal": _signal(signal)}, f"STOPSIGNAL {signal}"
        case OnBuild(value=text):
            return config | {"OnBuild": [*(config.get("OnBuild") or []), text]}, f"ONBUILD {text}"
        case Healthcheck(health=health):
            return config | {"Healthcheck": dict(health)}, f"HEALTHCHECK {_health(health)}"
        case Maintainer(value=who):
            return config, f"MAINTAINER {who}"
        case Arg():
            return config, "ARG " + " ".join(
                key if value is None else f"{key}={value}" for key, value in instruction.pairs
            )
    raise AssertionError(instruction)


def _said(instruction: PairsInstruction) -> str:
    return " ".join(f"{key}={value}" for key, value in instruction.pairs)


def _with_values(before: Sequence[str], new: Sequence[tuple[str, str]]) -> list[str]:
    """A key keeps its place when its value changes."""
    entries = {entry.partition("=")[0]: entry for entry in before}
    return list((entries | {key: f"{key}={value}" for key, value in new}).values())


def _ports(word: str) -> list[str]:
    """`80`, `80/udp`, `8000-8002`; a host's port before a colon is not the image's affair."""
    numbers, _, protocol = word.rpartition(":")[2].partition("/")
    first, dash, last = numbers.partition("-")
    last = last if dash else first
    valid = first.isdigit() and last.isdigit() and 0 < int(first) <= int(last) < 65536
    if not valid:
        raise ImageLabError(f"invalid containerPort: {word}", hint="a number from 1 to 65535, for example 80 or 53/udp")
    if protocol.lower() not in ("", "tcp", "udp", "sctp"):
        raise ImageLabError(f"invalid proto: {protocol.lower()}", hint="tcp, udp or sctp")
    return [f"{number}/{(protocol or 'tcp').lower()}" for number in range(int(first), int(last) + 1)]


_SIGNALS = """HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ
VTALRM PROF WINCH IO PWR SYS IOT POLL CLD""".split()


def _signal(text: str) -> str:
    name = text.upper().removeprefix("SIG")
    realtime = re.fullmatch(r"RTM(IN(\+\d+)?|AX(-\d+)?)", name)
    if not (name in _SIGNALS or realtime or (text.isdigit() and 0 < int(text) < 65)):
        raise ImageLabError(f"invalid signal: {text}", hint="for example SIGTERM, SIGQUIT, or a number")
    return text


def _health(health: Mapping[str, Any]) -> str:
    """As Go's %q prints a pointer to this struct: durations as text, the retries as a character."""
    times = " ".join(
        f'"{_go_duration(int(health.get(key, 0)))}"' for key in ("Interval", "Timeout", "StartPeriod", "StartInterval")
    )
    retries = int(health.get("Retries", 0))
    char = {7: r"\a", 8: r"\b", 9: r"\t", 10: r"\n", 11: r"\v", 12: r"\f", 13: r"\r", 39: r"\'", 92: r"\\"}.get(retries)
    char = char or (
        chr(retries) if 32 <= retries < 127 else f"\\x{retries:02x}" if retries < 128 else f"\\u{retries:04x}"
    )
    return f"&{{{quoted(health['Test'])} {times} '{char}'}}"


def _go_duration(nanoseconds: int) -> str:
    """`5m0s`, `1.5s`, `300ms`, `0s`."""
    if 0 < nanoseconds < 1_000_000_000:
        return f"{nanoseconds / 1_000_000:g}ms"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / 1_000_000_000:g}s"
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}" if minutes else seconds


# -- commit --change ----------------------------------------------------------------------------------------

CHANGES = "CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR".split()


def with_changes(config: Config, changes: Sequence[str]) -> Config:
    """A container's config with Dockerfile instructions applied (R6.37). ImageLabError in Docker's words."""
    lines = [parse_line(text.strip()) for change in changes for text in change.split("\n") if text.strip()]
    for line in lines:
        if line.keyword.upper() not in CHANGES:
            known = line.keyword.upper() in ("FROM", "RUN", "COPY", "ADD", "ARG", "MAINTAINER", "SHELL")
            problem = (
                f"{line.keyword.upper()} is not a valid change command"
                if known
                else f"unknown instruction: {line.keyword.upper()}"
            )
            raise ImageLabError(problem, hint=f"one of {', '.join(CHANGES)}")
    has_command = any(line.name == "cmd" for line in lines)
    for line in lines:
        config, _ = applied(config, expanded(instruction(line), environment(config)), command_is_ours=has_command)
    return config
