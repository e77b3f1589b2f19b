"""Names: what is typed, what it stands for, and the words for what is not a name (R1.1-R1.18)."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from imagelab.errors import ReferenceSyntaxError
from imagelab.oci import reference as module
from imagelab.oci.documents import Digest
from imagelab.oci.reference import Reference, familiar

HEX = "a" * 64
DIGEST = Digest(f"sha256:{HEX}")

# typed -> canonical, familiar                                                                 (R1.8-R1.13)
NAMES = [
    ("ubuntu", "docker.io/library/ubuntu", "ubuntu"),
    ("ubuntu:14.04", "docker.io/library/ubuntu:14.04", "ubuntu:14.04"),
    ("docker.io/ubuntu", "docker.io/library/ubuntu", "ubuntu"),
    ("index.docker.io/library/ubuntu", "docker.io/library/ubuntu", "ubuntu"),
    ("docker.io/u/a", "docker.io/u/a", "u/a"),
    ("library/a/b", "docker.io/library/a/b", "library/a/b"),
    ("foo/bar/baz", "docker.io/foo/bar/baz", "foo/bar/baz"),
    ("myhost/foo", "docker.io/myhost/foo", "myhost/foo"),
    ("localhost", "docker.io/library/localhost", "localhost"),
    ("localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"),
    ("192.168.0.1:80", "docker.io/library/192.168.0.1:80", "192.168.0.1:80"),
    ("localhost/foo", "localhost/foo", "localhost/foo"),
    ("localhost:5000/me/app:1", "localhost:5000/me/app:1", "localhost:5000/me/app:1"),
    ("[::1]:5000/x", "[::1]:5000/x", "[::1]:5000/x"),
    ("My/foo", "My/foo", "My/foo"),
    ("quay.io/a/b_c__d---e.f", "quay.io/a/b_c__d---e.f", "quay.io/a/b_c__d---e.f"),
    ("ubuntu:_x", "docker.io/library/ubuntu:_x", "ubuntu:_x"),
    ("ubuntu:" + "t" * 128, "docker.io/library/ubuntu:" + "t" * 128, "ubuntu:" + "t" * 128),
    ("sha256:abcd", "docker.io/library/sha256:abcd", "sha256:abcd"),
    (f"foo@{DIGEST}", f"docker.io/library/foo@{DIGEST}", f"foo@{DIGEST}"),
    (f"foo:T@{DIGEST}", f"docker.io/library/foo:T@{DIGEST}", f"foo:T@{DIGEST}"),
]


@pytest.mark.parametrize(("typed", "canonical", "short"), NAMES)
def test_typed_canonical_and_familiar(typed: str, canonical: str, short: str) -> None:
    ref = Reference.parse(typed)
    assert str(ref) == canonical
    assert ref.familiar() == short == familiar(canonical)
    assert Reference.canonical(canonical) == ref


MALFORMED = [
    "", " ", "ubuntu:", "ubuntu:-x", "ubuntu:.x", "https://x/y", "my repo", "-a", "a-", "foo:bar:baz", "foo\n", "/a", "a/",
    "a//b", "a..b", "a___b", "a-_b", "a.-b/x", "x-.y/foo", "[::1/x", "[fe80::1%eth0]/x", "x.y:port/foo", "docker.io/",
    "foo@", "foo@sha256:" + "a" * 31, "ubuntu:" + "t" * 129, f"foo@sha256:{HEX}:x", "a_b.c/foo", "a:b/c", "a b",
]  # fmt: skip


@pytest.mark.parametrize("typed", MALFORMED)
def test_malformed_names(typed: str) -> None:
    """R1.2-R1.5, R1.15."""
    with pytest.raises(ReferenceSyntaxError) as caught:
        Reference.parse(typed)
    assert str(caught.value) == "invalid reference format"
    assert (caught.value.text, caught.value.origin) == (typed, "client")
    assert caught.value.hint


UPPERCASE = [
    ("Ubuntu", "library/Ubuntu"),
    ("foo/Bar", "foo/Bar"),
    ("My/Foo:1", "Foo"),
    ("docker.io/Ubuntu", "library/Ubuntu"),
    ("foo/bAr:T/x", "foo/bAr"),
    (f"Foo@{DIGEST}", "library/Foo@sha256"),  # up to the first colon, whatever it belongs to (R1.11)
]


@pytest.mark.parametrize(("typed", "shown"), UPPERCASE)
def test_uppercase_is_refused_with_the_normalised_path(typed: str, shown: str) -> None:
    """R1.14."""
    with pytest.raises(ReferenceSyntaxError) as caught:
        Reference.parse(typed)
    assert str(caught.value) == f"invalid reference format: repository name ({shown}) must be lowercase"


OTHER_REFUSALS = [
    (HEX, f"invalid repository name ({HEX}), cannot specify 64-byte hexadecimal strings"),  # R1.7
    ("X_y/foo", "repository name must be lowercase"),
    ("a" * 248, "repository name must not be more than 255 characters"),  # `library/` counts (R1.6)
    ("x.y/" + "a" * 256, "repository name must not be more than 255 characters"),
    ("foo@sha256:" + "a" * 63, "invalid checksum digest length"),  # R1.5
    ("foo@sha256:" + "A" * 64, "invalid checksum digest format"),
    ("foo@md5:" + "a" * 32, "unsupported digest algorithm"),
]


@pytest.mark.parametrize(("typed", "sentence"), OTHER_REFUSALS)
def test_other_refusals(typed: str, sentence: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        Reference.parse(typed)
    assert str(caught.value) == caught.value.cause == sentence


def test_the_longest_names() -> None:
    """R1.6: the host does not count."""
    assert len(Reference.parse("a" * 247).path) == 255
    assert len(Reference.parse("x.y/" + "a" * 255).path) == 255


def test_latest_is_added_only_to_a_bare_name() -> None:
    """R1.12."""
    assert Reference.parse("ubuntu").with_default_tag().tag == "latest"
    assert Reference.parse("ubuntu:16.04").with_default_tag().tag == "16.04"
    pinned = Reference.parse(f"ubuntu@{DIGEST}")
    assert pinned.with_default_tag() == pinned


def test_other_references_of_the_same_repository() -> None:
    ref = Reference.parse(f"localhost:5000/me/app:1@{DIGEST}")
    assert ref.repository == ref.familiar_name() == "localhost:5000/me/app"
    assert str(ref.name_only().with_tag("2")) == "localhost:5000/me/app:2"
    assert str(ref.with_digest(None)) == "localhost:5000/me/app:1"
    assert Reference.parse("redis:7").familiar_name() == "redis"


def test_what_familiar_drops_can_be_missed() -> None:
    """R1.13: Docker prints `localhost/x` for a repository of the Hub, and reads it back as another one."""
    assert Reference.parse("docker.io/localhost/x").familiar() == "localhost/x"
    assert Reference.parse("localhost/x").domain == "localhost"


def test_the_grammar_in_the_docstring_names_the_atoms_of_the_code() -> None:
    text = str(module.__doc__)
    for atom in ("component", "separator", "alphanumeric", "domain", "host", "label", "tag", "digest", "path"):
        assert isinstance(getattr(module, atom), str)
        assert atom in text


def test_importing_it_is_cheap() -> None:
    code = "import sys, imagelab.oci.reference; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(loaded) & {"requests", "sqlite3", "datetime", "imagelab.units", "imagelab.state.model"}
    assert isinstance(module, ModuleType)
