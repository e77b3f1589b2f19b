"""Dockerfiles: lines, instructions, substitution, what each does to a config (R8.16-R8.20)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.dockerfile.arguments import Arguments
from imagelab.dockerfile.config import applied, expanded, ordered
from imagelab.dockerfile.instructions import Cmd, Copy, Env, From, OnBuild, instruction, plan, trigger
from imagelab.dockerfile.parser import DockerfileError, Line, parse
from imagelab.dockerfile.words import SubstitutionError, split, substitute, substitute_words


def lines(text: str) -> tuple[Line, ...]:
    return parse(text).lines


# -- lines --------------------------------------------------------------------------------------------------


def test_lines_join_and_comments_between_them_are_no_part() -> None:
    (line,) = lines("# first\n\n  RUN a \\\n  # between\n    && b \\\n\n && c\n")
    assert (line.original, line.start, line.end) == ("RUN a     && b  && c", 3, 7)


def test_an_empty_line_in_a_continuation_is_warned_of() -> None:
    file = parse("RUN a \\\n\n b\n")
    assert file.warnings == (
        "Empty continuation line found in:\n    RUN a  b",
        "Empty continuation lines will become errors in a future release.",
    )


def test_directives_stand_above_everything_else() -> None:
    assert lines("# escape=`\nRUN a `\n b")[0].args == ("a  b",)
    assert lines("# comment\n# escape=`\nRUN a `\n b")[0].args == ("a `",)
    for bad, said in (
        ("# escape=x\nRUN a", "invalid escape token 'x' does not match ` or \\"),
        ("# escape=`\n# escape=`\nRUN a", "only one escape parser directive can be used"),
    ):
        with pytest.raises(DockerfileError, match="failed to parse Dockerfile: ") as caught:
            parse(bad)
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "args", "is_json"),
    [
        ('CMD ["a", "b c"]', ("a", "b c"), True),
        ("CMD a  b", ("a  b",), False),
        ("CMD ['a']", ("['a']",), False),
        ('COPY ["a b", "/c"]', ("a b", "/c"), True),
        ("COPY a  b /c", ("a", "b", "/c"), False),
        ('ENV A=b C="d e" F=g\\ h', ("A", "b", "C", '"d e"', "F", "g\\ h"), False),
        ("ENV A b c", ("A", "b c"), False),
        ("EXPOSE 80 443/tcp", ("80", "443/tcp"), False),
        ("HEALTHCHECK --interval=5m CMD curl -f /", ("CMD", "curl -f /"), False),
        ('HEALTHCHECK CMD ["curl"]', ("CMD", "curl"), True),
        ("ONBUILD COPY a b", ("COPY", "a", "b"), False),
        ("WORKDIR /a b", ("/a b",), False),
    ],
)
def test_each_keyword_cuts_its_line_by_its_own_rule(text: str, args: tuple[str, ...], is_json: bool) -> None:
    (line,) = lines(text)
    assert (line.args, line.is_json) == (args, is_json)


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("", "the Dockerfile (Dockerfile) cannot be empty", 0),
        ("# only\n\n", "failed to parse Dockerfile: file with no instructions", 0),
        ("FROM a\nRUNN x", "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)", 2),
        ("RUN x", "no build stage in current context", 1),
        ("ARG A", "no build stage in current context", 0),
        ("FROM a b", "dockerfile parse error on line 1: FROM requires either one or three arguments", 1),
        (
            "FROM a AS 1x",
            'dockerfile parse error on line 1: invalid name for build stage: "1x", name can\'t start with a number or contain symbols',
            1,
        ),
        ("FROM a\nENV x", "failed to parse Dockerfile: ENV must have two arguments", 2),
        (
            "FROM a\nENV a=b c",
            'failed to parse Dockerfile: Syntax error - can\'t find = in "c". Must be of the form: name=value',
            2,
        ),
        (
            "FROM a\nCOPY x",
            "dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined",
            2,
        ),
        ("FROM a\nCOPY --form=b x y", "dockerfile parse error on line 2: unknown flag: --form", 2),
        ("FROM a\nSHELL bash", "dockerfile parse error on line 2: SHELL requires the arguments to be in JSON form", 2),
        ("FROM a\nONBUILD FROM b", "dockerfile parse error on line 2: FROM isn't allowed as an ONBUILD trigger", 2),
        (
            "FROM a\nONBUILD ONBUILD RUN b",
            "dockerfile parse error on line 2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
            2,
        ),
        (
            "FROM a\nHEALTHCHECK wget",
            'dockerfile parse error on line 2: Unknown type "WGET" in HEALTHCHECK (try CMD)',
            2,
        ),
        (
            'FROM a\nCMD ["a", 1]',
            "failed to parse Dockerfile: when using JSON array syntax, arrays must be comprised of strings only",
            2,
        ),
        ("FROM a\n  && b", "dockerfile parse error on line 2: unknown instruction: &&", 2),
    ],
)
def test_what_is_wrong_is_said_in_dockers_words_with_the_line(text: str, said: str, line: int) -> None:
    with pytest.raises(DockerfileError) as caught:
        plan(parse(text))
    assert (str(caught.value), caught.value.line) == (said, line)
    assert caught.value.hint


def test_the_caret_stands_below_the_word() -> None:
    with pytest.raises(DockerfileError) as caught:
        plan(parse("FROM a\nCOPY --form=b x y"))
    place, caret = caught.value.hint.split("\n")
    assert f"hint: {place}"[caret.index("^") :].startswith("--form=b")


def test_a_file_that_is_not_utf_8_is_refused_with_its_line() -> None:
    with pytest.raises(DockerfileError, match="line 2 is not UTF-8"):
        parse(b"FROM a\nRUN \xff\n")
    with pytest.raises(DockerfileError, match="UTF-16"):
        parse("FROM a".encode("utf-16"))
    assert parse(b"\xef\xbb\xbfFROM a").lines[0].name == "from"


@given(st.text(alphabet="FROMRUNENV \\\"'[]{}$=#\n\ta`<-:/", max_size=60))
def test_no_text_ends_in_anything_but_an_error_of_ours(text: str) -> None:
    try:
        plan(parse(text))
    except DockerfileError as error:
        assert str(error)


def test_stages_by_name_and_number() -> None:
    what = plan(parse("ARG V=1\nFROM a:$V AS Build\nRUN x\nFROM b\nCOPY --from=build x y"))
    assert (what.steps, what.index_of("BUILD"), what.index_of("1"), what.index_of("2")) == (5, 0, 1, None)
    assert what.up_to("build").steps == 3
    with pytest.raises(DockerfileError, match='target stage "nope" could not be found'):
        what.up_to("nope")
    assert isinstance(what.stages[0].base, From) and isinstance(what.stages[1].instructions[0], Copy)


# -- words --------------------------------------------------------------------------------------------------

VALUES = {"v": "val", "empty": "", "two": "a b"}


@pytest.mark.parametrize(
    ("word", "result"),
    [
        ("$v", "val"), ("${v}x", "valx"), ("$vx", ""), ("\\$v", "$v"), ("'$v'", "$v"), ('"$v"', "val"), ('"\\$v"', "$v"), ("$", "$"),
        ("${no:-w}", "w"), ("${no-w}", "w"), ("${empty:-w}", "w"), ("${empty-w}", ""), ("${v:+w}", "w"), ("${empty:+w}", ""),
        ("${empty+w}", "w"), ("${no+w}", ""), ("${no:-$v}", "val"), ("${no:-${v}!}", "val!"), ("a\\ b", "a b"), ('"a\\b"', "a\\b"), ("x\\", "x"),
    ],
)  # fmt: skip
def test_substitution(word: str, result: str) -> None:
    """R8.16."""
    assert substitute(word, VALUES) == result


@pytest.mark.parametrize(("word", "said"), [("${v", "missing '}'"), ("${}", "bad substitution"), ("${v!x}", "unsupported modifier (!)"), ("'a", "single-quote"), ('"a', "double-quote"), ("${no:?gone}", "no: gone")])  # fmt: skip
def test_substitution_that_cannot_be(word: str, said: str) -> None:
    with pytest.raises(SubstitutionError) as caught:
        substitute(word, VALUES)
    assert said in str(caught.value)


PLAIN = st.text(alphabet=st.characters(exclude_characters="$\\'\"` ", exclude_categories=("Z", "C")), max_size=20)


@given(PLAIN)
def test_plain_words_stay_as_they_are(word: str) -> None:
    assert substitute(word, {}) == word


@given(PLAIN, st.text(max_size=10))
def test_a_value_is_never_looked_at_again(name: str, value: str) -> None:
    assert substitute("<$v|'$v'|\"$v\">", {"v": value}) == f"<{value}|$v|{value}>"


@given(st.lists(PLAIN.filter(bool), max_size=5))
def test_splitting_undoes_joining(words: list[str]) -> None:
    assert split(" ".join(words)) == words


def test_expose_makes_words_of_a_value() -> None:
    assert substitute_words("$two", VALUES) == ["a", "b"] and substitute_words('"$two"', VALUES) == ["a b"]


# -- what they do -------------------------------------------------------------------------------------------


def done(*texts: str, **values: str) -> tuple[dict[str, object], list[str]]:
    config, comments = ordered({}), []
    for text in texts:
        config, comment = applied(config, expanded(instruction(lines(text)[0]), values))
        comments.append(comment)
    return config, comments


def test_comments_are_dockers() -> None:
    """R8.9."""
    assert done(
        'CMD ["nginx", "-g", "daemon off;"]', "CMD echo hi", "ENTRYPOINT run", 'ENV A=b C="d e"', "LABEL x=1 y=2", "EXPOSE 80 443/tcp", "VOLUME /a /b", "WORKDIR sub",
        "USER me", "STOPSIGNAL SIGQUIT", "ONBUILD RUN x", 'SHELL ["/bin/bash", "-c"]', "MAINTAINER me <a@b>", "ARG A=1 B", "HEALTHCHECK --interval=5m --retries=3 CMD curl /", "HEALTHCHECK NONE",
    )[1] == [
        'CMD ["nginx" "-g" "daemon off;"]', 'CMD ["/bin/sh" "-c" "echo hi"]', 'ENTRYPOINT ["/bin/sh" "-c" "run"]', "ENV A=b C=d e", "LABEL x=1 y=2", "EXPOSE 443/tcp 80", "VOLUME [/a /b]",
        "WORKDIR /sub", "USER me", "STOPSIGNAL SIGQUIT", "ONBUILD RUN x", "SHELL [/bin/bash -c]", "MAINTAINER me <a@b>", "ARG A=1 B",
        'HEALTHCHECK &{["CMD-SHELL" "curl /"] "5m0s" "0s" "0s" "0s" \'\\x03\'}', 'HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" \'\\x00\'}',
    ]  # fmt: skip


def test_values_are_those_before_the_instruction() -> None:
    """R8.16: `ENV abc=bye def=$abc` uses the old abc."""
    assert done("ENV abc=bye def=$abc", abc="hello")[0]["Env"] == ["abc=bye", "def=hello"]
    found = expanded(instruction(lines("CMD echo $abc")[0]), {"abc": "x"})
    assert isinstance(found, Cmd) and found.words == ("echo $abc",)
    assert isinstance(trigger("ENV A=$x"), Env) and isinstance(instruction(lines("ONBUILD ENV A=$x")[0]), OnBuild)


def test_entrypoint_forgets_an_inherited_command_only() -> None:
    """R8.18."""
    config = ordered({"Cmd": ["old"]})
    assert applied(config, instruction(lines("ENTRYPOINT x")[0]))[0]["Cmd"] is None
    assert applied(config, instruction(lines("ENTRYPOINT x")[0]), command_is_ours=True)[0]["Cmd"] == ["old"]


def test_workdir_chains() -> None:
    assert done("WORKDIR /a", "WORKDIR b", "WORKDIR ../c")[0]["WorkingDir"] == "/a/c"


# -- ARG ----------------------------------------------------------------------------------------------------


def test_arguments() -> None:
    """R8.17."""
    arguments = Arguments({"given": "g", "HTTP_PROXY": "p", "stray": "s"})
    arguments.declare_globally("v", "1")
    arguments.declare_globally("given", "default")
    assert arguments.in_from() == {"v": "1", "given": "g"}
    arguments.begin_stage()
    assert arguments.allowed([]) == {"HTTP_PROXY": "p"}
    arguments.declare("v", None)
    arguments.declare("w", "2")
    assert arguments.allowed(["w"]) == {"HTTP_PROXY": "p", "v": "1"}
    assert arguments.counted(["HTTP_PROXY", "v"]) == ["v"]
    arguments.declare("HTTP_PROXY", None)
    assert arguments.counted(["HTTP_PROXY", "v"]) == ["HTTP_PROXY", "v"]
    assert arguments.unused() == ["stray"]
