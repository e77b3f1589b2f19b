"""Whatever is typed is a name or refused in words; what is a name can be written and read again."""

from __future__ import annotations

from hypothesis import assume, example, given
from hypothesis import strategies as st

from imagelab.errors import ReferenceSyntaxError
from imagelab.oci.documents import Digest
from imagelab.oci.reference import Reference, familiar

component = st.from_regex(r"\A[a-z0-9]{1,3}((\.|_|__|-{1,3})[a-z0-9]{1,3}){0,2}\Z")
path = st.lists(component, min_size=1, max_size=4).map("/".join)
label = st.from_regex(r"\A[a-zA-Z0-9](-?[a-zA-Z0-9]){0,3}\Z")
host = st.lists(label, min_size=2, max_size=3).map(".".join) | st.sampled_from(["localhost", "[::1]", "Host"])
port = st.integers(0, 65535).map(lambda n: f":{n}") | st.just("")
domain = st.builds(str.__add__, host, port) | st.just("docker.io")
tag = st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}\Z")
digest = st.binary(max_size=2).map(Digest.of)


@st.composite
def references(draw: st.DrawFn) -> Reference:
    registry, name = draw(domain), draw(path)
    if registry == "docker.io" and "/" not in name:
        name = f"library/{name}"
    return Reference(registry, name, draw(st.none() | tag), draw(st.none() | digest))


@given(references())
def test_parse_reads_what_str_writes(ref: Reference) -> None:
    assert Reference.parse(str(ref)) == ref == Reference.canonical(str(ref))


@given(references())
def test_parse_reads_what_familiar_writes(ref: Reference) -> None:
    first, _, rest = ref.path.removeprefix("library/").partition("/")
    hub = ref.domain == "docker.io"
    # Docker drops the host even where the rest then looks like one (or like an ID): test_reference.py shows it.
    assume(not (hub and rest and ("." in first or first == "localhost" or first == "library")))
    assert Reference.parse(ref.familiar()) == ref
    assert familiar(str(ref)) == ref.familiar()
    assert familiar(ref.repository) == ref.familiar_name()


@given(
    st.text(st.sampled_from("abAZ019._-/:@[]\n é"), max_size=40)
    | st.text(max_size=20)
    | st.lists(st.sampled_from(["a", "A", "-", "_", ".", "/", ":", "@", "sha256:" + "a" * 64, "localhost"])).map(
        "".join
    )
)
@example("a" * 5000 + "!")
@example("a-" * 5000)
@example("a." * 5000 + "/")
def test_anything_else_is_refused_in_words(text: str) -> None:
    try:
        ref = Reference.parse(text)
    except ReferenceSyntaxError as error:
        assert error.text == text and str(error)
    else:
        assert Reference.parse(str(ref)) == ref
