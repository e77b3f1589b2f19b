"""The real docker client beside ours, for containers: listings, changes, histories, help pages and refusals, byte for byte."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker_lines import ours, settled, theirs

import imagelab
import peers
from engine_api import daemon
from imagelab.app import Lab

pytestmark = pytest.mark.compat

LINES = r"""
ps
ps -a
ps -q
ps -aq
ps --no-trunc
ps -a --no-trunc
ps -s
ps -as
system df
system df -v
ps -l
ps -n 2
ps -n 2 -q
ps -a -f status=exited
ps -f status=nope
ps -a -f exited=3
ps -f name=web
ps -a -f name=^/three$
ps -a -f ancestor=ubuntu:14.04
ps -a -f ancestor=nginx
ps -a -f label=tier
ps -a -f label=tier=front
ps -f publish=80
ps -f expose=443/tcp
ps -a -f before=three
ps -a -f since=three
ps -f foo=bar
ps -f foo
ps -a --format '{{.ID}} {{.Names}}'
ps -a --format '{{.Image}} {{.Command}} {{.State}}'
ps -a --format 'table {{.Names}}\t{{.Ports}}'
ps -a --format 'table {{.ID}}\t{{.Labels}}\t{{.Label "tier"}}'
ps -a --format '{{.CreatedAt}} {{.RunningFor}}'
ps -a --format 'table {{.Names}}\t{{.Size}}'
ps -a --format '{{.Networks}}|{{.Mounts}}|{{.LocalVolumes}}'
ps --format '{{.Foo}}'
ps --format '{{'
ps --format table
container ls -a
container list -q
container ps
ps x
ps -n x
ps --nope
diff web
diff three
diff nosuch
diff
container diff web
history nginx:v2
history --no-trunc nginx:v2
history -q nginx:v2
history --format '{{.ID}} {{.Comment}} {{.Size}}' nginx:v2
images nginx
images -a
inspect web --format '{{.Name}} {{.State.Status}} {{.State.ExitCode}}'
inspect three --format '{{.State.ExitCode}} {{.Path}} {{.Args}}'
inspect web --format '{{json .Config.Cmd}}'
inspect web --format '{{.Config.Image}} {{.Image}} {{.Id}}'
inspect web --format '{{range .Config.Env}}{{println .}}{{end}}'
inspect web --format '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}'
container inspect web --format '{{.Created}} {{.HostConfig.AutoRemove}}'
container inspect nosuch
inspect nosuch
inspect --type container nosuch
inspect web nginx --format '{{.Id}}'
port web
port web 80
port web 80/tcp
port web 443
port three
port nosuch
logs
logs nosuch
rm
start
stop
stop -t x web
kill
pause
unpause
wait
rename web
exec
exec web
attach
attach nosuch
top
commit
commit a b c
export
cp a b
cp web:/a web:/b
cp web:/a
run
run -p foo nginx
run -p 70000:80 nginx
run -p a:80 nginx
run -p 1-3:80-81 nginx
run -p 1.2.3:80:80 nginx
run -p 80/foo nginx
run --pull x nginx
run -it nginx
run -d -a stdout nginx
run --env-file /nope nginx
run --label-file /nope nginx
run --name
run --nope nginx
run -m x nginx
run --expose abc nginx
run --rm --restart always nginx
run NGINX
run --blkio-weight x nginx
create
container nope
container prune x
""".strip().splitlines()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running web server, one that failed, one that was only created, one whose image has another name now."""
    lab = imagelab.connect(tmp_path_factory.mktemp("lab"), environ={"TZ": "UTC"}, in_process=True)
    for name in ("ubuntu:14.04", "nginx"):
        lab.pull(name)
    web = lab.run("nginx", name="web", ports={80: 18080}, labels={"tier": "front"})
    web.exec(
        "echo '<h1>Hello, Docker!</h1>' > /usr/share/nginx/html/index.html; rm /etc/nginx/conf.d/default.conf; mkdir -p /new/dir"
    )
    web.commit("nginx:v2", author="me", message="修改了默认网页")
    lab.run("ubuntu:14.04", "exit 3", name="three", labels={"tier": "back"})
    lab.docker("create --name later -e A=1 nginx:v2")
    lab.run("nginx:v2", "echo moved", name="moved")
    lab.tag("nginx", "nginx:v2")
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def docker(lab: Lab) -> Iterator[str]:
    peers.need("docker")
    version = re.search(r"(\d+)\.\d+", peers.run("docker", "--version"))
    assert version is not None and 23 <= int(version[1]) <= 28, "these lines are a docker 23-28's"
    with tempfile.TemporaryDirectory(prefix="il-") as folder, daemon(lab, Path(folder)) as host:
        yield host


@pytest.mark.parametrize("line", LINES)
def test_the_same_bytes(lab: Lab, docker: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for _ in range(3):  # "2 seconds ago" may turn into 3 between the two
        expected, found = theirs(docker, line), ours(lab, line)
        if found[0] == expected[0]:
            break
    assert found[0] == expected[0]
    assert settled(found[1]) == settled(expected[1])
    assert found[2] == expected[2]


PAGES = """run create start stop restart kill pause unpause wait exec attach logs ps top port rename rm cp diff commit export
container\\ prune container\\ inspect container\\ ls container\\ rm container\\ run""".replace("\\ ", "~").split()


@pytest.mark.parametrize("command", [page.replace("~", " ") for page in PAGES])
def test_the_same_page_of_help(lab: Lab, docker: str, command: str) -> None:
    page, err, code = ours(lab, f"{command} --help")
    assert (page.partition("\nimagelab's own:")[0], err, code) == theirs(docker, f"{command} --help")
