"""The container verbs as command lines: what they print, where, and with which exit code."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import imagelab
from imagelab.app import Lab
from imagelab.cli.main import run
from imagelab.cli.streams import Script


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = imagelab.connect(tmp_path / "lab", clock="class", environ={}, in_process=True)
    for name in ("nginx", "ubuntu:14.04"):
        lab.pull(name)
    yield lab
    lab.close()


def docker(lab: Lab, *words: str, stdin: str = "") -> tuple[str, str, int]:
    out, err = io.StringIO(), io.StringIO()
    code = run(words, stdin=Script(stdin, out), stdout=out, stderr=err, environ={"HOME": "/me"}, lab=lab)
    return out.getvalue(), err.getvalue(), code


CREATE = (
    "OCI runtime create failed: runc create failed: unable to start container process: error during container init: "
)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ubuntu:14.04", "nosuch"], 127, CREATE + 'exec: "nosuch": executable file not found in $PATH: unknown'),
        (
            ["ubuntu:14.04", "./nosuch"],
            127,
            CREATE + 'exec: "./nosuch": stat ./nosuch: no such file or directory: unknown',
        ),
        (["ubuntu:14.04", "/etc/passwd"], 126, CREATE + 'exec: "/etc/passwd": permission denied: unknown'),
        (["ubuntu:14.04", "/etc"], 126, CREATE + 'exec: "/etc": permission denied: unknown'),
        (["-u", "bob", "ubuntu:14.04", "id"], 125, "unable to find user bob: no matching entries in passwd file"),
        (["-u", "0:crew", "ubuntu:14.04", "id"], 125, "unable to find group crew: no matching entries in group file"),
        (["--entrypoint", "", "ubuntu:14.04"], 125, "no command specified"),
        (["-w", "rel", "ubuntu:14.04"], 125, "the working directory 'rel' is invalid, it needs to be an absolute path"),
        (["-w", "/etc/passwd", "ubuntu:14.04"], 125, "Cannot mkdir: /etc/passwd is not a directory"),
        (["--stop-signal", "FOO", "ubuntu:14.04"], 125, "invalid signal: FOO"),
        (
            ["--name", "x", "ubuntu:14.04"],
            125,
            "Invalid container name (x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
        ),
        (["--pull", "never", "redis"], 125, "No such image: redis:latest"),
        (["ubuntu:nosuch"], 125, "manifest for ubuntu:nosuch not found: manifest unknown"),
    ],
)
def test_run_that_fails(lab: Lab, words: list[str], code: int, said: str) -> None:
    """R6.11, R6.20."""
    out, err, found = docker(lab, "run", *words)
    assert (out, found) == ("", code)
    assert "docker: Error response from daemon: " in err and said in err
    assert "\n\nRun 'docker run --help' for more information\n" in err


@pytest.mark.parametrize(
    "flag",
    [
        "--volume=/a:/b",
        "--mount=type=bind",
        "--network=mine",
        "--link=a",
        "--gpus=all",
        "--restart=always",
        "--health-cmd=x",
        "--device=/dev/x",
    ],
)
def test_what_is_out_of_scope_is_one_sentence(lab: Lab, flag: str) -> None:
    out, err, code = docker(lab, "run", flag, "ubuntu:14.04")
    assert (out, code) == ("", 125)
    assert err.startswith(f"imagelab does not do `docker run {flag.partition('=')[0]}") and err.count("\n") == 2


def test_rm_also_removes_what_could_not_start(lab: Lab) -> None:
    """R6.10."""
    assert docker(lab, "run", "--rm", "ubuntu:14.04", "nosuch")[2] == 127
    assert not lab.containers(all=True)


def test_limits_are_taken_and_change_nothing(lab: Lab) -> None:
    assert docker(
        lab, "run", "-m", "512m", "--cpus", "2", "--cap-drop", "ALL", "--init", "ubuntu:14.04", "echo", "hi"
    ) == ("hi\n", "", 0)


def test_run_prints_what_the_container_prints(lab: Lab) -> None:
    assert docker(lab, "run", "ubuntu:14.04", "sh", "-c", "echo out; echo err >&2; exit 7") == ("out\n", "err\n", 7)
    assert docker(lab, "run", "--rm", "-i", "ubuntu:14.04", "tr", "a-z", "A-Z", stdin="shout\n") == ("SHOUT\n", "", 0)
    assert (
        docker(
            lab, "run", "-e", "A=1", "-e", "HOME", "-e", "NOSUCH", "ubuntu:14.04", "sh", "-c", "echo $A $HOME [$NOSUCH]"
        )[0]
        == "1 /me []\n"
    )
    assert (
        docker(
            lab, "run", "-w", "/new/dir", "-h", "box", "ubuntu:14.04", "sh", "-c", "pwd; hostname; cat /etc/hostname"
        )[0]
        == "/new/dir\nbox\nbox\n"
    )
    assert (
        docker(lab, "run", "-u", "www-data", "ubuntu:14.04", "id")[0]
        == "uid=33(www-data) gid=33(www-data) groups=33(www-data)\n"
    )


def test_an_image_that_is_not_here_is_pulled(lab: Lab) -> None:
    out, err, code = docker(lab, "run", "--rm", "busybox", "echo", "hi")
    assert (out, code) == ("hi\n", 0)
    assert err.startswith("Unable to find image 'busybox:latest' locally\nlatest: Pulling from library/busybox\n")
    assert err.endswith("Status: Downloaded newer image for busybox:latest\n")


def test_programs_are_files(lab: Lab) -> None:
    script = "rm /bin/ls; ls; echo $?; PATH=/nowhere; cat /etc/passwd; echo $?; printf '\\177ELF\\0' > /elf; /bin/chmod +x /elf; /elf; echo $?"
    out, err, _ = docker(lab, "run", "ubuntu:14.04", "sh", "-c", script)
    assert out == "127\n127\n126\n"
    assert err.startswith(
        "sh: 1: ls: not found\nsh: 1: cat: not found\nsh: 1: /elf: machine code, which this runtime does not execute"
    )


def test_a_typed_session(lab: Lab) -> None:
    out, _, code = docker(
        lab, "run", "-it", "--name", "typed", "ubuntu:14.04", "bash", stdin="echo hi\nls /nosuch\nexit 4\n"
    )
    prompt = f"root@{lab.container('typed').id[:12]}:/# "
    assert (
        out
        == f"{prompt}echo hi\nhi\n{prompt}ls /nosuch\nls: cannot access '/nosuch': No such file or directory\n{prompt}exit 4\n"
    )
    assert code == 4
    assert docker(lab, "diff", "typed")[0] == "C /root\nA /root/.bash_history\n"


def test_each_argument_is_done_or_explained(lab: Lab) -> None:
    """R6.1."""
    for name in ("one", "two"):
        docker(lab, "run", "-d", "--name", name, "ubuntu:14.04", "sleep", "1000")
    out, err, code = docker(lab, "stop", "-t", "0", "one", "nosuch", "two")
    assert (out, code) == ("one\ntwo\n", 1) and err.startswith(
        "Error response from daemon: No such container: nosuch\n"
    )
    assert docker(lab, "start", "one")[0] == "one\n"
    out, err, code = docker(lab, "rm", "two", "one")
    assert (out, code) == ("two\n", 1) and 'cannot remove container "/one": container is running' in err
    assert docker(lab, "rm", "-f", "one", "nosuch") == ("one\n", "", 0)


def test_logs(lab: Lab) -> None:
    """R6.22."""
    docker(lab, "run", "--name", "log", "ubuntu:14.04", "sh", "-c", "echo 1; echo 2 >&2; echo 3; printf end")
    assert docker(lab, "logs", "log") == ("1\n3\nend", "2\n", 0)
    assert docker(lab, "logs", "-n", "1", "log") == ("end", "", 0)
    assert docker(lab, "logs", "-t", "--tail", "1", "log")[0].startswith("2016-11-28T10:00:0")
    assert docker(lab, "logs", "-f", "log")[0] == "1\n3\nend"


def test_wait_top_port_rename(lab: Lab) -> None:
    docker(lab, "run", "--name", "done", "ubuntu:14.04", "sh", "-c", "exit 9")
    docker(lab, "run", "-d", "--name", "web", "-p", "18081:80", "nginx")
    assert docker(lab, "wait", "done")[0] == "9\n"
    assert docker(lab, "top", "web")[0].splitlines()[1].endswith("nginx -g daemon off;")
    assert docker(lab, "port", "web")[0] == "80/tcp -> 0.0.0.0:18081\n80/tcp -> [::]:18081\n"
    assert docker(lab, "rename", "web", "www") == ("", "", 0)
    assert docker(lab, "port", "www", "80")[0] == "0.0.0.0:18081\n[::]:18081\n"


def test_cp_both_ways(lab: Lab, tmp_path: Path) -> None:
    docker(lab, "create", "--name", "box", "ubuntu:14.04")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("hello\n")
    assert docker(lab, "cp", str(tmp_path / "folder"), "box:/srv") == ("", "", 0)
    assert docker(lab, "cp", str(tmp_path / "folder" / "file"), "box:/srv/named") == ("", "", 0)
    assert docker(lab, "diff", "box")[0] == "C /srv\nA /srv/folder\nA /srv/folder/file\nA /srv/named\n"
    assert docker(lab, "cp", "box:/srv/folder/.", str(tmp_path / "back"))[2] == 0
    assert (tmp_path / "back" / "file").read_text() == "hello\n"
    assert docker(lab, "cp", "box:/nosuch", str(tmp_path))[1].startswith(
        "Error response from daemon: Could not find the file /nosuch in container box\n"
    )
    assert docker(lab, "cp", str(tmp_path / "nosuch"), "box:/")[1].startswith(
        f"lstat {tmp_path}/nosuch: no such file or directory\n"
    )


def test_cp_does_not_leave_the_container(lab: Lab, tmp_path: Path) -> None:
    """Links that point outside lead to places inside."""
    docker(
        lab,
        "run",
        "--name",
        "box",
        "ubuntu:14.04",
        "sh",
        "-c",
        f"ln -s {tmp_path} /out; ln -s ../../../../etc/passwd /up; mkdir -p /srv/x",
    )
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (tmp_path / "new").write_text("new")
    assert docker(lab, "cp", "box:/out/secret", str(tmp_path / "got"))[2] == 1
    assert docker(lab, "cp", str(tmp_path / "new"), "box:/out/secret")[2] == 1
    assert secret.read_text() == "mine"
    assert docker(lab, "cp", "-L", "box:/up", str(tmp_path / "passwd"))[2] == 0
    assert (tmp_path / "passwd").read_text().startswith("root:x:0:0:root:/root:/bin/bash\ndaemon")


def test_export_is_a_tar_of_everything(lab: Lab, tmp_path: Path) -> None:
    """R6.49."""
    docker(lab, "run", "--name", "box", "ubuntu:14.04", "sh", "-c", "echo x > /new")
    assert docker(lab, "export", "-o", str(tmp_path / "all.tar"), "box")[2] == 0
    with tarfile.open(tmp_path / "all.tar") as tar:
        names = {name.strip("/") for name in tar.getnames()}
        assert {"new", "etc/passwd", "dev", "proc", ".dockerenv"} <= names and "dev/null" not in names
        assert tar.getmember("etc/hosts").size == 0


def test_a_shell_whose_input_stays_open_or_that_has_a_terminal_waits(lab: Lab) -> None:
    """Driven in this process as by one of its own: what reads waits, and reads what `attach` types."""
    for name, flags in (("both", "-dit"), ("tty", "-dt"), ("open", "-di"), ("none", "-d")):
        assert docker(lab, "run", flags, "--name", name, "ubuntu:14.04", "bash")[2] == 0
    assert docker(lab, "ps", "--format", "{{.Names}}")[0].split() == ["open", "tty", "both"]
    assert docker(lab, "stop", "-t", "0", "open")[2] == 0
    docker(lab, "rm", "-f", "both", "tty")
    assert docker(lab, "ps", "-q")[0] == ""


def test_system_prune_takes_containers_first_and_then_images(lab: Lab) -> None:
    docker(lab, "run", "--name", "done", "nginx", "true")
    docker(lab, "run", "-d", "--name", "busy", "ubuntu:14.04", "sleep", "100")
    out, _, code = docker(lab, "system", "prune", stdin="n\n")
    assert code == 1 and out.startswith(
        "WARNING! This will remove:\n  - all stopped containers\n  - all dangling images\n"
    )
    assert docker(lab, "system", "prune", "--volumes", "-f")[2] == 1
    assert docker(lab, "system", "prune", "-f", "--filter", "label=none")[0] == "Total reclaimed space: 0B\n"
    out, _, code = docker(lab, "system", "prune", "-a", "-f")
    assert (
        code == 0 and out.startswith("Deleted Containers:\n") and "\n\nDeleted Images:\nuntagged: nginx:latest\n" in out
    )
    assert out.splitlines()[-1].startswith("Total reclaimed space: ")
    assert docker(lab, "images", "--format", "{{.Repository}}")[0] == "ubuntu\n"
    assert docker(lab, "ps", "-a", "--format", "{{.Names}}")[0] == "busy\n"


def test_prune(lab: Lab) -> None:
    docker(lab, "run", "-d", "--name", "web", "nginx")
    gone = [lab.run("ubuntu:14.04", "echo xyz > /f").id for _ in range(2)]
    assert docker(lab, "container", "prune", stdin="n\n")[2] == 1
    out, _, code = docker(lab, "container", "prune", "-f")
    assert code == 0 and out == f"Deleted Containers:\n{gone[0]}\n{gone[1]}\n\nTotal reclaimed space: 8B\n"
    assert [one.name for one in lab.containers(all=True)] == ["web"]


def test_era_1_13_says_it_differently(lab: Lab) -> None:
    _, err, code = docker(lab, "--era", "1.13", "run", "--name", "x", "ubuntu:14.04")
    assert code == 125 and ".\nSee 'docker run --help'.\n" in err


@pytest.mark.parametrize(
    ("era", "words", "said"),
    [
        (
            "1.13",
            ["rm", "one"],
            "You cannot remove a running container {id}. Stop the container before attempting removal or use -f",
        ),
        (
            "28",
            ["rm", "one"],
            'cannot remove container "/one": container is running: stop the container before removing or force remove',
        ),
        (
            "29",
            ["rm", "one"],
            'cannot remove container "one": container is running: stop the container before removing or force remove',
        ),
        (
            "1.13",
            ["create", "--name", "one", "ubuntu:14.04"],
            'Conflict. The container name "/one" is already in use by container {id}. You have',
        ),
        (
            "28",
            ["create", "--name", "one", "ubuntu:14.04"],
            'Conflict. The container name "/one" is already in use by container "{id}". You have',
        ),
        ("1.13", ["exec", "two", "ls"], "Container {two} is not running"),
        ("28", ["exec", "two", "ls"], "container {two} is not running"),
        ("1.13", ["run", "--entrypoint", "", "ubuntu:14.04"], "No command specified"),
    ],
)
def test_eras(lab: Lab, era: str, words: list[str], said: str) -> None:
    """R6.3, R6.6, R6.14, R6.15."""
    one, two = lab.run("ubuntu:14.04", "sleep", "1000", name="one"), lab.run("ubuntu:14.04", "true", name="two")
    assert said.format(id=one.id, two=two.id) in docker(lab, "--era", era, *words)[1]


@pytest.mark.usefixtures("ports_of_the_book")
def test_ps_and_port_of_each_era(lab: Lab) -> None:
    """R6.9, R6.16, R6.18: one lab, three ways to print it."""
    docker(lab, "run", "-d", "--name", "web", "-p", "8080:80", "nginx")
    docker(lab, "exec", "web", "sh", "-c", "echo hello > /x")
    image = lab.image("nginx").image
    docker(lab, "tag", "ubuntu:14.04", "nginx")
    shown = {}
    for era in ("1.13", "28", "29"):
        row = docker(lab, "--era", era, "ps", "--format", "{{.Image}}|{{.Command}}|{{.Ports}}|{{.Size}}")[0].strip()
        shown[era] = [*row.split("|"), docker(lab, "--era", era, "port", "web", "80")[0]]
    assert shown["1.13"][:3] == [image.id.short, '"nginx -g \'daemon ..."', "443/tcp, 0.0.0.0:8080->80/tcp"]
    assert shown["28"][:3] == [
        image.id.short,
        '"nginx -g \'daemon of…"',
        "443/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp",
    ]
    assert shown["29"][:3] == [image.target.short, *shown["28"][1:3]]
    assert shown["1.13"][3].startswith("8 B (virtual 1") and shown["28"][3].startswith("8B (virtual 1")
    assert shown["1.13"][4] == "0.0.0.0:8080\n" and shown["28"][4] == "0.0.0.0:8080\n[::]:8080\n"


def test_commit_without_a_pause(lab: Lab) -> None:
    """R6.33: Docker 29's name for it."""
    docker(lab, "run", "-d", "--name", "web", "nginx")
    assert docker(lab, "commit", "--no-pause", "web", "made")[2] == 0
    assert (
        docker(lab, "commit", "--no-pause", "--pause=false", "web")[1]
        == "conflicting options: --no-pause and --pause cannot be used together\n"
    )


# -- what cannot be: one sentence, nothing lost -------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["exec", "-w", "/nosuch", "web", "true"], 127, 'chdir to cwd ("/nosuch") set in config.json failed: no such file or directory: unknown'),
        (["exec", "-w", "/etc/passwd", "web", "true"], 126, 'chdir to cwd ("/etc/passwd") set in config.json failed: not a directory: unknown'),
        (["exec", "-w", "rel", "web", "true"], 126, "Cwd must be an absolute path: unknown"),
        (["rename", "web", "other"], 1, 'Error when allocating new name: Conflict. The container name "/other" is already in use by container "'),
        (["rename", "web", "a b"], 1, "Error when allocating new name: Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
        (["run", "--cidfile", "/nosuch/id", "ubuntu:14.04", "true"], 125, "failed to create the container ID file: open /nosuch/id: no such file or directory"),
        (["export", "-o", "/nosuch/tar", "web"], 1, "write /nosuch/tar: no such file or directory"),
        (["cp", "/etc", "web:/etc/passwd"], 1, "cannot copy directory"),
        (["cp", "web:/etc", "/nosuch/x"], 1, 'invalid output path: directory "/nosuch" does not exist'),
        (["stop", "-t", "x", "web"], 125, 'invalid argument "x" for "-t, --timeout" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        (["logs", "--tail", "x", "web"], 1, 'invalid value for "tail": x'),
    ],
)  # fmt: skip
def test_what_cannot_be(lab: Lab, words: list[str], code: int, said: str) -> None:
    """R6.2, R6.3, R6.11, R6.12."""
    docker(lab, "run", "-d", "--name", "web", "nginx")
    docker(lab, "create", "--name", "other", "nginx")
    before = len(lab.state.containers)
    out, err, found = docker(lab, *words)
    assert (out, found) == ("", code)
    assert said in err
    assert len(lab.state.containers) == before and docker(lab, "exec", "web", "head", "-1", "/etc/passwd")[
        0
    ].startswith("root:")


def test_a_container_id_file(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "id"
    made, _, _ = docker(lab, "create", "--cidfile", str(file), "ubuntu:14.04", "true")
    assert file.read_text() == made.strip()
    assert "container ID file found" in docker(lab, "create", "--cidfile", str(file), "ubuntu:14.04", "true")[1]
    docker(lab, "create", "--cidfile", str(tmp_path / "other"), "nosuch", "true")
    assert not (tmp_path / "other").exists()


def test_cp_onto_what_this_machine_refuses(lab: Lab, tmp_path: Path) -> None:
    """A directory stands where a file is to go, and a file where a directory is."""
    docker(lab, "run", "-d", "--name", "web", "nginx")
    (tmp_path / "out/etc/passwd").mkdir(parents=True)
    _, err, code = docker(lab, "cp", "web:/etc", str(tmp_path / "out"))
    assert code == 1 and err == f"open {tmp_path / 'out/etc/passwd'}: is a directory\n"


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "kill", "pause", "unpause", "wait", "attach", "logs", "top", "port", "rm", "diff", "commit", "export", "exec", "rename"])  # fmt: skip
def test_nobody_of_that_name(lab: Lab, verb: str) -> None:
    more = {"exec": ["true"], "rename": ["other"]}.get(verb, [])
    out, err, code = docker(lab, verb, "nosuch", *more)
    assert (out, code) == ("", 1) and err.startswith("Error response from daemon: No such container: nosuch\n")


@pytest.mark.parametrize(
    ("port", "said"),
    [
        ("x", "invalid containerPort: x"), ("80:x", "invalid containerPort: x"), ("99999:80", "invalid hostPort: 99999"),
        ("80/bogus", "invalid proto: bogus"), ("1.2.3:80:80", "invalid IP address: 1.2.3"), ("", "No port specified"), ("80-82:80-81", "Invalid ranges specified"),
    ],
)  # fmt: skip
def test_a_port_that_is_none(lab: Lab, port: str, said: str) -> None:
    """R6.9; nothing is made."""
    out, err, code = docker(lab, "create", "-p", port, "nginx")
    assert (out, code) == ("", 125) and said.lower() in err.lower() and not lab.state.containers


def test_commit_of_each_kind_of_container(lab: Lab) -> None:
    """R6.33: running, paused, exited and created ones can be; a dead or a removed one cannot, and no image is made."""
    from dataclasses import replace

    docker(lab, "run", "-d", "--name", "web", "nginx")
    docker(lab, "exec", "web", "sh", "-c", "echo hello > /x")
    assert docker(lab, "commit", "web", "running")[2] == 0
    docker(lab, "pause", "web")
    assert docker(lab, "commit", "web", "paused")[2] == 0 and docker(lab, "ps", "--format", "{{.Status}}")[0].endswith(
        "(Paused)\n"
    )
    docker(lab, "kill", "web")
    assert docker(lab, "commit", "web", "exited")[2] == 0
    docker(lab, "create", "--name", "made", "nginx")
    assert docker(lab, "commit", "made", "created")[2] == 0
    before = set(lab.state.images)
    with lab.store.transaction() as tx:
        tx.put_container(replace(lab.container("made").container, status="dead"))
    assert docker(lab, "commit", "made")[1:] == (
        "Error response from daemon: You cannot commit container made which is Dead\n",
        1,
    )
    docker(lab, "rm", "-f", "web")
    assert "No such container: web" in docker(lab, "commit", "web")[1]
    assert set(lab.state.images) == before


def test_host_port_nought_is_any(lab: Lab) -> None:
    docker(lab, "run", "-d", "--name", "web", "-p", "0:80", "nginx")
    chosen = docker(lab, "port", "web", "80")[0].splitlines()[0].removeprefix("0.0.0.0:")
    assert int(chosen) >= 32768
