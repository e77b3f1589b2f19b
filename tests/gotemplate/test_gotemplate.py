"""Go templates on values; what the real client prints is compared in `compat`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelab.errors import TemplateError
from imagelab.gotemplate.template import HEADER_FUNCTIONS, Template
from imagelab.gotemplate.values import Strings, Struct

ROW = Struct(
    "*formatter.imageContext",
    {"ID": lambda: "abc123", "Tag": lambda: "x<y", "List": lambda: Strings(["a", "b"]), "Label": lambda key: key * 2},
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.ID}}: {{.Tag}}", "abc123: x<y"),
        ("{{range $i, $x := .List}}{{$i}}={{$x}};{{else}}none{{end}}", "0=a;1=b;"),
        ('{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', "a"),
        ("{{with .Nothing}}x{{end}}", None),
        ('{{.Label "k"}}', "kk"),
        ('{{printf "%5.2s|%-4d|%04d|%q|%x" .ID 7 7 "q" 255}}', '   ab|7   |0007|"q"|ff'),
        ("{{- .ID -}}  \n x", "abc123x"),
        ('{{define "r"}}<{{.}}>{{end}}{{range .List}}{{template "r" .}}{{end}}', "<a><b>"),
        ("{{`raw`}} {{'a'}} {{1.5}} {{true}} {{0x10}}", "raw 97 1.5 true 16"),
        ("{{len .List}} {{index .List 1}} {{slice .ID 1 3}}", "2 b bc"),
        ("{{if and .ID (not .List)}}a{{else if .Tag}}b{{end}}", "b"),
        ('{{json .List}} {{join .List "+"}} {{split "a:b" ":"}}', '["a","b"] a+b [a b]'),
    ],
)
def test_templates(template: str, text: str | None) -> None:
    """R4.5."""
    if text is None:
        with pytest.raises(TemplateError, match="can't evaluate field Nothing in type"):
            Template.parse(template).execute(ROW)
    else:
        assert Template.parse(template).execute(ROW) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (
            "{{.Foo}}",
            'template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.imageContext',
        ),
        (
            "x\n{{.Foo}}",
            'template: :2:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.imageContext',
        ),
        ("{{", "template: :1: unclosed action"),
        ("{{nope}}", 'template: :1: function "nope" not defined'),
        ("{{$x}}", 'template: :1: undefined variable "$x"'),
        ("{{if .ID}}", "template: :1: unexpected EOF"),
        ("{{end}}", "template: :1: unexpected {{end}}"),
        ('{{"x}}', "template: :1: unterminated quoted string"),
        ("{{/* x}}", "template: :1: unclosed comment"),
        (
            "{{index .List 9}}",
            'template: :1:2: executing "" at <index .List 9>: error calling index: index out of range: 9',
        ),
    ],
)
def test_errors_are_gos(template: str, text: str) -> None:
    """R4.7."""
    with pytest.raises(TemplateError) as caught:
        Template.parse(template).execute(ROW)
    assert str(caught.value) == f"template parsing error: {text}"


def test_maps_answer_no_value_or_refuse() -> None:
    """R4.4, and `docker inspect`."""
    assert Template.parse("{{.Nope}} {{.A}}").execute({"A": {"b": 1, "a": None}}) == "<no value> map[a:<nil> b:1]"
    with pytest.raises(TemplateError, match='map has no entry for key "Nope"'):
        Template.parse("{{.Nope}}").execute({"A": 1}, missing_is_error=True)


def test_a_header_leaves_names_alone() -> None:
    """R4.4: the functions do nothing there; pad stays."""
    template = Template.parse("{{lower .ID}} {{truncate .ID 2}} {{json .ID}} {{pad .ID 1 1}}|", HEADER_FUNCTIONS)
    assert template.execute({"ID": "IMAGE ID"}) == "IMAGE ID IMAGE ID IMAGE ID  IMAGE ID |"


def test_depth_is_bounded() -> None:
    for deep in (
        "{{" + "(" * 500 + "1" + ")" * 500 + "}}",
        "{{if 1}}" * 500,
        '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}',
    ):
        with pytest.raises(TemplateError):
            Template.parse(deep).execute(ROW)


PIECES = st.lists(
    st.sampled_from(
        [
            "{{",
            "}}",
            ".ID",
            ".",
            "$x",
            ":=",
            "|",
            "(",
            ")",
            "if ",
            "range ",
            "end",
            "else",
            '"s"',
            "1",
            " ",
            "-",
            "json ",
            "index ",
            ".List",
            "text",
            "/*",
            "*/",
            "'",
        ]
    ),
    max_size=12,
).map("".join)


@given(PIECES)
def test_nothing_but_a_template_error_ever(template: str) -> None:
    try:
        Template.parse(template).execute(ROW)
    except TemplateError as error:
        assert str(error).startswith("template parsing error: template: :")
