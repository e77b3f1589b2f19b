"""Do two languages say the same? What can be told without understanding them: code, numbers, and what stays or goes.

en  Remove `a`; `b` stays, with 2 tags        code {a, b}   numbers {2}   goes, stays
zh  删掉 `a`，`b` 留下，有三个标签                  code {a, b}   numbers {3}   goes, stays      -> the numbers differ
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagelab.course.bilingual import Words

CODE = re.compile(r"`([^`]+)`")
ENGLISH = dict(zip("two three four five six seven eight nine ten eleven twelve".split(), range(2, 13), strict=True))
CHINESE = {"两": 2, **dict(zip("二三四五六七八九", range(2, 10), strict=True))}
STAYS = (re.compile(r"\b(?:keep|kept|stay|stays|still)\b", re.I), re.compile("留|保|还能|还在|还要|不动|不要动|不能少"))
GOES = (
    re.compile(r"\b(?:remove|removed|delete|deleted|go|goes|empty)\b", re.I),
    re.compile("删|去掉|去了|消失|清|空|旧的不去"),
)
BARRED = (
    re.compile(r"\b(?:not|no|nobody|nothing|none|neither|never|without|needless|cannot|needn't)\b", re.I),
    re.compile("不(?!能少)|没|无|别(?!的)|未|非"),
)


def differences(words: Words) -> Iterator[str]:
    """What one language says and the other does not."""
    code = [_codes(text) for text in words]
    for language, here, there in (("en", code[0], code[1]), ("zh", code[1], code[0])):
        yield from (f"{name!r} is named in {language!r} only" for name in sorted(here - there))
    prose = Words(*(CODE.sub(" ", text) for text in words))
    english, chinese = _numbers_en(prose.en), _numbers_zh(prose.zh)
    if english - chinese and chinese - english:
        yield f"the numbers differ: {_listed(english)} in 'en', {_listed(chinese)} in 'zh'"
    else:
        digits = {int(text) for language in prose for text in re.findall(r"\d+", language)}
        yield from (f"the number {number} is in one language only" for number in sorted(digits & (english ^ chinese)))


def contradictions(task: Words) -> Iterator[str]:
    """The same, and whether what stays in one language goes in the other, or what is barred in one is asked for in the other."""
    yield from differences(task)
    prose = Words(*(CODE.sub(" ", text) for text in task))
    en, zh = ({name for name, forms in _POLES if forms[at].search(prose[at])} for at in (0, 1))
    if en ^ zh == {"stays", "goes"}:
        yield f"in 'en' something {_listed(en)}, in 'zh' it {_listed(zh)}"
    if bool(BARRED[0].search(prose.en)) != bool(BARRED[1].search(prose.zh)):
        yield "one language says that something is not so, or not to be done, and the other does not"


_POLES = (("stays", STAYS), ("goes", GOES))


_TENS = re.compile("([一二三四五六七八九]?)十([一二三四五六七八九]?)")


def _codes(text: str) -> set[str]:
    return {re.sub(r"\s+", " ", code).strip() for code in CODE.findall(text)}


def _numbers_en(text: str) -> set[int]:
    tens = {f"{word}ty": 10 * number for word, number in (("twen", 2), ("thir", 3), ("for", 4), ("fif", 5))}
    text = re.sub(
        "|".join(f"{ten}-{one}" for ten in tens for one in ENGLISH),
        lambda found: str(_joined(found[0], tens)),
        text.lower(),
    )
    named = {ENGLISH[word] for word in re.findall(r"[a-z]+", text) if word in ENGLISH}
    return named | {int(digits) for digits in re.findall(r"\d+", text)}


def _joined(word: str, tens: dict[str, int]) -> int:
    ten, _, one = word.partition("-")
    return tens[ten] + ENGLISH[one]


def _numbers_zh(text: str) -> set[int]:
    """Numbers from 2 on: `三`, `十二`; an ordinal (`第二`) is none."""
    text = re.sub("第[一二三四五六七八九十两]+", " ", text)
    digits = {**CHINESE, "一": 1, "": 0}
    tens = {digits[ten or "一"] * 10 + digits[one] for ten, one in _TENS.findall(text)}
    ones = {CHINESE[char] for char in _TENS.sub(" ", text) if char in CHINESE}
    return tens | ones | {int(digits) for digits in re.findall(r"\d+", text)}


def _listed(some: set[int] | set[str]) -> str:
    return ", ".join(map(str, sorted(some))) or "nothing"
