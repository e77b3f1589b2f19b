"""The real docker client beside ours: the same lab, the same line, the same bytes and the same exit code.

The client does all the printing; the daemon is a stand-in of the tests (`engine_api`) that serves the lab's state. The
lines below hold for a client of 23 to 28; a client of another age prints as another age does, and is not compared.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from docker_lines import ours, settled, theirs

import imagelab
import peers
from engine_api import daemon
from imagelab.app import Lab
from imagelab.oci.documents import Digest

pytestmark = pytest.mark.compat

T = "{{"
LINES = """
images
images -a
images -q
images -aq
images --no-trunc
images -q --no-trunc
images --digests
images --digests --no-trunc
images ubuntu
images ubuntu:16.04
images --digests ubuntu:16.04
images --digests ubuntu
images 'ubu*'
images '*/*'
images nothing
images nginx:latest --format '{{.ID}}'
images -f dangling=true
images -f dangling=false
images -f dangling=true -q
images -f label=com.example.version
images -f label=com.example.version=0.1
images -f label=com.example.version=9
images -f since=ubuntu:16.04
images -f before=ubuntu:16.04
images -f since=mongo:3.2 -f before=redis
images -f reference='*:latest'
images -f reference='*:latest' -f reference='mongo'
images -f reference='u*' -q
images -f dangling=maybe
images -f foo=bar
images -f foo
images -f since=nothing
images -f until=2016-11-01
images --format '{{.ID}}: {{.Repository}}'
images --format 'table {{.ID}}\\t{{.Repository}}\\t{{.Tag}}'
images --format 'table {{.Repository}}:{{.Tag}}\\t{{.Size}}'
images --format 'table {{.ID}}\\t{{.CreatedAt}}\\t{{.CreatedSince}}'
images --format 'table {{.Containers}}\\t{{.SharedSize}}\\t{{.UniqueSize}}'
images --format table
images --format 'table {{upper .Repository}}\\t{{json .Tag}}\\t{{pad .ID 1 2}}'
images --format 'tablefoo'
images --format json
images --format json ubuntu
images --format raw
images --format raw -q
images --format raw --digests
images --digests --format 'table {{.ID}}'
images --digests --format '{{.Digest}}'
images --format '{{.Digest}}'
images --format '{{json .}}'
images --format '{{printf "%.5s|%-12s|%12s" .ID .Repository .Tag}}'
images --format '{{if eq .Tag "latest"}}{{.Repository}}{{else}}-{{end}}'
images --format '{{with .Tag}}{{.}}{{end}}'
images --format '{{truncate .ID 4}} {{lower "ABC"}} {{title "some words"}} {{len .ID}}'
images --format '{{split .ID "a"}} {{join (split .Repository "/") "+"}}'
images --format '{{range $i, $c := split .Tag "."}}{{$i}}={{$c}};{{end}}'
images --format '{{- .ID -}}   x'
images --format '{{/* nothing */}}{{.ID}}'
images --format '{{define "x"}}<{{.}}>{{end}}{{template "x" .Tag}}'
images --format '{{.ID | printf "%s!" | upper}}'
images --format '{{and .ID .Tag}} {{or "" .Tag}} {{not true}}'
images --format '{{index (split .ID "") 0}} {{slice .ID 0 3}}'
images --format '{{print 1 2 "x" true}} {{println .Tag}}'
images --format '{{html "<a&b>"}} {{urlquery "a b"}} {{js "it'"'"'s"}}'
images --format '{{lt 1 2}} {{ge 2 2}} {{ne "a" "b"}} {{eq 1 2 1}}'
images --format '{{$x := .Tag}}{{$x}}{{$x = "y"}}{{$x}}'
images --format '{{.Foo}}'
images --format '{{.ID.Foo}}'
images --format '{{'
images --format '{{.ID'
images --format '{{foo}}'
images --format '{{if .ID}}'
images --format '{{end}}'
images --format '{{.ID}} {{"x}}'
images --format '{{index .ID 99}}'
images --format 'table {{.Foo}}'
images --format '{{template "none"}}'
images --format '{{}}'
images --format '{{.ID | }}'
images --format '{{$x}}'
images --format ''
images -q --format '{{.Tag}}'
images -q --format 'table {{.Tag}}'
image ls
image list -q
history nginx
history -q nginx
history --no-trunc nginx
history -H=false nginx
history --format '{{.ID}} {{.CreatedSince}} {{.Size}}' nginx
history --format 'table {{.CreatedBy}}\\t{{.Size}}' nginx
history --format json nginx
history --format '{{.CreatedAt}}' ubuntu
history nothing
history --format '{{.Foo}}' nginx
image history mongo:3.2
system df
system df -v
system df --format '{{.Type}}: {{.Size}} {{.Reclaimable}}'
system df --format 'table {{.Type}}\\t{{.TotalCount}}\\t{{.Active}}'
system df --format json
image inspect nginx --format '{{.Id}}'
image inspect nginx --format '{{.RepoTags}} {{.Config.Cmd}}'
image inspect nginx --format '{{json .Config.Env}}'
image inspect nginx --format '{{json .RootFS}}'
image inspect nginx --format '{{range .RootFS.Layers}}{{println .}}{{end}}'
image inspect nginx --format '{{index .Config.ExposedPorts "80/tcp"}} {{.Architecture}}/{{.Os}} {{.Size}}'
image inspect nginx --format '{{.Foo}}'
image inspect nginx --format '{{'
image inspect nothing
image inspect nothing nginx --format '{{.Id}}'
inspect nothing
rmi
pull
tag a
images a b
images --nope
images -x
images --format
images -q=maybe
image prune x
image nope
nope
tag ubuntu Foo
tag Foo bar
pull -a ubuntu:1
pull Ubuntu
pull a..b
""".strip().splitlines()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The chapter's images, a moved tag, an intermediate and its child."""
    lab = imagelab.connect(tmp_path_factory.mktemp("lab"), environ={"TZ": "UTC"})
    for name in ("ubuntu:14.04", "ubuntu:16.04", "ubuntu", "nginx", "redis", "mongo:3.2", "imagelab/whoami:0.1"):
        lab.pull(name)
    lab.upstream.release("mongo:3.2")
    lab.pull("mongo:3.2")
    base = lab.image("nginx").image
    with lab.store.transaction() as tx:
        for word, parent, age in (("made", base.id, 0), ("again", Digest.of(b"made"), 60)):
            image = replace(
                base, id=Digest.of(word.encode()), parent=parent, created=base.created + age * 10**9, local=True
            )
            tx.put_image(image)
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def docker(lab: Lab) -> Iterator[str]:
    """DOCKER_HOST of the stand-in, for a client whose prints we know."""
    peers.need("docker")
    version = re.search(r"(\d+)\.\d+", peers.run("docker", "--version"))
    if version is None or not 23 <= int(version[1]) <= 28:
        pytest.skip("this docker client is of another age") if not os.environ.get("CI") else pytest.fail(
            "docker 23-28 is needed"
        )
    with tempfile.TemporaryDirectory(prefix="il-") as folder, daemon(lab, Path(folder)) as host:
        yield host


@pytest.mark.parametrize("line", LINES)
def test_the_same_bytes(lab: Lab, docker: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    expected = theirs(docker, line)
    found = ours(lab, line)
    assert found[0] == expected[0]
    assert settled(found[1]) == settled(expected[1])
    assert found[2] == expected[2]


PAGES = [
    "pull",
    "images",
    "image ls",
    "tag",
    "rmi",
    "image rm",
    "image prune",
    "image inspect",
    "inspect",
    "history",
    "system df",
    "version",
    "info",
]


@pytest.mark.parametrize("command", PAGES)
def test_the_same_page_of_help(lab: Lab, docker: str, command: str) -> None:
    page, err, code = ours(lab, f"{command} --help")
    assert (page.partition("\nimagelab's own:")[0], err, code) == theirs(docker, f"{command} --help")
