"""docs/images/floors.svg: the floors of the package, drawn from the import contract in pyproject.toml.

    python -m tools.make_floors

One row a floor, the top one first; a room imports only from rows below its own. What stands in a room is the first sentence of
its own docstring, so the drawing is true as long as the contract is kept and the docstrings are.
"""

from __future__ import annotations

import ast
import tomllib
from html import escape
from pathlib import Path
from textwrap import wrap

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "images" / "floors.svg"
WIDE, NARROW = 46, 62
WIDTH, GAP, LEFT = 1080, 8, 34
STYLE = (
    "text{font:13px system-ui,'Segoe UI','Noto Sans',sans-serif;fill:#1f2933}.room{font-weight:600;font-size:14px}"
    ".floor{fill:#7b8794;font-size:12px}rect{fill:#f5f7fa;stroke:#9aa5b1}"
    "@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.floor{fill:#9aa5b1}rect{fill:#1f2933;stroke:#616e7c}}"
)


def floors() -> list[list[str]]:
    """The rooms of each floor, from the top down, as the contract has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contract = next(one for one in settings["contracts"] if one["id"] == "floors")
    return [[room.strip(" ()") for room in layer.split("|")] for layer in contract["layers"]]


def sentence(room: str) -> str:
    """What a room says of itself first: up to its first full stop or colon."""
    package = ROOT / "imagelab" / room
    file = package / "__init__.py" if package.is_dir() else package.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split()).rstrip(".")


def wrapped(text: str, width: float) -> list[str]:
    """A sentence in a box of that many pixels: two lines, and what has no room left out."""
    return wrap(text, int(width / 6.4), max_lines=2, placeholder=" …")


def picture() -> str:
    """The drawing."""
    rows = floors()
    boxes, top = [], GAP
    for row, rooms in enumerate(rows):
        height = WIDE if len(rooms) == 1 else NARROW
        width = (WIDTH - LEFT - GAP * len(rooms)) / len(rooms)
        boxes.append(f'<text class="floor" x="8" y="{top + height / 2 + 4:g}">{len(rows) - row}</text>')
        for column, room in enumerate(rooms):
            left = LEFT + column * (width + GAP)
            lines = "".join(
                f'<text x="{left + 10:g}" y="{top + 36 + 16 * line}">{escape(text)}</text>'
                for line, text in enumerate(wrapped(sentence(room), width - 20))
            )
            boxes.append(
                f'<g><title>{escape(sentence(room))}</title><rect x="{left:g}" y="{top}" width="{width:g}" height="{height}" rx="6"/>'
                f'<text class="room" x="{left + 10:g}" y="{top + 19}">{room}</text>'
                f"{lines}</g>"
            )
        top += height + GAP
    title = "The floors of imagelab: a room imports only from floors below it"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" aria-label="{title}">'
        f"<title>{title}</title><style>{STYLE}</style>\n" + "\n".join(boxes) + "\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8", newline="\n")
