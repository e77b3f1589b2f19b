"""docs/docker-rules.md: every number that is cited is a rule, and every rule can be found and says where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "docker-rules.md"
FOLDERS = ("imagelab", "tests", "docs", "lessons", "benchmarks")
TEXTS = {".py", ".md", ".toml", ".txt", ".json", ".js", ".css", ".html", ".svg", ".sh"}

RULE = re.compile(r'^( *)- <a id="([^"]*)"></a>\*\*R(\d+\.\d+[a-z]?)\*\* (.*)')
CITATION = re.compile(r"\bR(\d+\.\d+[a-z]?)\b(?:\s*[-–]\s*R(\d+\.\d+[a-z]?)\b)?")
ELSEWHERE = re.compile(r"§ ?\d|[\w-]*semantics\.md|\bdocker-semantics\b|(?<![\w/])shared/[\w-]+\.md")


def place(number: str) -> tuple[int, int, str]:
    """`6.25a` -> (6, 25, "a"): where a rule stands."""
    chapter, position, letter = re.fullmatch(r"(\d+)\.(\d+)([a-z]?)", number).groups()  # type: ignore[union-attr]
    return int(chapter), int(position), letter


def rules() -> list[tuple[re.Match[str], str]]:
    """Every rule, as its first line and the line after that."""
    lines = RULES.read_text(encoding="utf-8").splitlines()
    return [(rule, after) for line, after in pairwise([*lines, ""]) if (rule := RULE.match(line))]


NUMBERS = [rule[3] for rule, _ in rules()]


def texts() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in TEXTS and path != Path(__file__):
                yield path


def uncovered(citation: re.Match[str]) -> list[str]:
    """The numbers of a citation that are no rule; a range must begin with one, end with one, and go upward."""
    first, last = citation[1], citation[2]
    if last and place(first) >= place(last):
        return [f"{first}-R{last}"]
    return [number for number in (first, last) if number and number not in NUMBERS]


def wrong_citations(text: str) -> Iterator[tuple[int, str]]:
    """The line number and the text of each citation that leads nowhere, or out of the repository."""
    for number, line in enumerate(text.splitlines(), 1):
        for citation in CITATION.finditer(line):
            for missing in uncovered(citation):
                yield number, f"R{missing} is no rule"
        for outside in ELSEWHERE.findall(line):
            yield number, f"{outside!r} is no place in this repository"


def test_every_citation_leads_to_a_rule() -> None:
    wrong = [
        f"{path.relative_to(ROOT).as_posix()}:{number}: {problem}"
        for path in texts()
        for number, problem in wrong_citations(path.read_text(encoding="utf-8"))
    ]
    assert not wrong, "\n".join(wrong)


def test_rules_are_cited() -> None:
    cited = {
        number for path in texts() if path != RULES for number, _ in CITATION.findall(path.read_text(encoding="utf-8"))
    }
    assert len(cited) > 150


@pytest.mark.parametrize(
    "text",
    [
        "R3.99",
        "R0.7",
        "R5.10z",
        "R1.19-R1.99",
        "R3.28-R3.14",
        "(R2.8, R2.88)",
        "§2.4",
        "docker-semantics",
        "shared/x.md",
    ],
)
def test_a_citation_of_nothing_is_found(text: str) -> None:
    assert [number for number, _ in wrong_citations(f"R3.14\n{text}\n")] == [2]


def test_numbers_are_unique_in_order_and_without_gaps() -> None:
    places = [place(number) for number in NUMBERS]
    assert len(places) > 250
    for before, after in pairwise(places):
        assert before < after, f"{after} after {before}"
        if before[0] == after[0]:
            assert after[1] - before[1] <= 1, f"nothing between {before} and {after}"
    assert {chapter for chapter, _, _ in places} == set(range(12))


def flaw(rule: re.Match[str], after: str) -> str:
    """What a rule lacks: its anchor, a text or a source. A part (indented) has the source of the rule it is in."""
    indent, anchor, number, text = rule.groups()
    if anchor != f"r{number}":
        return "its anchor is another one"
    if not text.strip():
        return "no text"
    if indent:
        return "" if number[:-1] in NUMBERS else "it is part of no rule"
    return "" if re.fullmatch(r"  \*Source:\* \S.+\.", after) else "no source"


def test_a_rule_has_an_anchor_a_text_and_a_source() -> None:
    flawed = {rule[3]: problem for rule, after in rules() if (problem := flaw(rule, after))}
    assert not flawed


@pytest.mark.parametrize(
    ("line", "after", "problem"),
    [
        ('- <a id="r3.1"></a>**R3.1** columns', "", "no source"),
        ('- <a id="r3.1"></a>**R3.1** columns', "  *Source:* .", "no source"),
        ('- <a id="r3.2"></a>**R3.1** columns', "  *Source:* M28 `x.go`.", "its anchor is another one"),
        ('- <a id="r3.1"></a>**R3.1** ', "  *Source:* M28 `x.go`.", "no text"),
        ('  - <a id="r99.1a"></a>**R99.1a** columns', "", "it is part of no rule"),
        ('- <a id="r3.1"></a>**R3.1** columns', "  *Source:* M28 `x.go`.", ""),
    ],
)
def test_a_flaw_is_found(line: str, after: str, problem: str) -> None:
    rule = RULE.match(line)
    assert rule is not None
    assert flaw(rule, after) == problem


def test_links_between_rules_lead_to_rules() -> None:
    anchors = {f"r{number}" for number in NUMBERS}
    linked = set(re.findall(r"\]\(#(r\d[^)]*)\)", RULES.read_text(encoding="utf-8")))
    assert linked <= anchors
