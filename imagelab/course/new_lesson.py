"""`imagelab new-lesson SLUG`: a lesson that is one already, small as it is, to be written over.

It has a question before a run, both languages, and two exercises with everything an exercise needs; the linter finds
nothing wrong with it, and from there on says what a change has broken.
"""

from __future__ import annotations

import re
from pathlib import Path

from imagelab.errors import ImageLabError, UsageError

SLUG = re.compile(r"[0-9]{2}-[a-z0-9]+(?:-[a-z0-9]+)*")

LESSON = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

+++ {"lang": "en"}

# TITLE

*About 10 minutes. You will be able to say …*

+++ {"lang": "zh"}

# 标题

*大约 10 分钟。学完之后，你能说清楚……*

```{code-cell} ipython3
import imagelab

lab = imagelab.lesson("SLUG")
```

+++ {"lang": "en"}

> **Predict first.** How many lines will this print?

+++ {"lang": "zh"}

> **先猜一猜。** 下面会打印几行？

```{code-cell} ipython3
%docker pull hello-world
```

+++ {"lang": "en"}

> **Predict first.** And now that it is here?

+++ {"lang": "zh"}

> **先猜一猜。** 镜像已经有了，再来一次呢？

```{code-cell} ipython3
%docker pull hello-world
```

+++ {"lang": "en"}

## Your turn

+++ {"lang": "zh"}

## 轮到你了

```{code-cell} ipython3
lab.exercise("ID-one")
```

```{code-cell} ipython3
# %docker ...
```

```{code-cell} ipython3
lab.exercise("ID-two")
```

```{code-cell} ipython3
# %docker ...
```
"""

EXERCISES = '''\
"""Exercises of this lesson. docs/for-authors.md says what each part is for."""

from __future__ import annotations

from imagelab.course.checks import image_absent, image_exists, same_image, tag_kept
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong
from imagelab.course.bilingual import Words

ONE = Exercise(
    id="ID-one",
    title=Words("One more name", "多一个名字"),
    task=Words("Call `hello-world` by one more name: `greeting`.", "给 `hello-world` 再起一个名字：`greeting`。"),
    start=("pull -q hello-world", "pull -q busybox"),
    checks=(same_image("greeting", "hello-world"), tag_kept("hello-world")),
    hints=(
        Hint("other", WHERE, image_exists("greeting"), "`greeting` is another image: compare the IDs.", "`greeting` 是另一个镜像：比较一下 ID。"),
        Hint("none", WHERE, None, "`docker images` has no row `greeting`.", "`docker images` 里没有 `greeting` 这一行。"),
        Hint("which", WHICH, None, "Which command adds a name?", "哪个命令可以加一个名字？"),
        Hint("blanks", BLANKS, None, "`docker ___ hello-world ________`", "`docker ___ hello-world ________`"),
        Hint("twin", TWIN, None, "With busybox: `docker tag busybox tools`.", "换成 busybox：`docker tag busybox tools`。"),
    ),
    solution=("docker tag hello-world greeting",),
    alternates=(("docker tag $(docker images -q hello-world) greeting:latest",),),
    wrong=(
        Wrong(("docker tag busybox greeting",), "other"),
        Wrong(("docker tag hello-world greeting", "docker tag busybox hello-world"), "other"),
        Wrong(("docker pull hello-world",), "none"),
    ),
    why=Words("One image, two names: nothing was copied.", "一个镜像，两个名字：什么也没有复制。"),
    par=1,
)  # fmt: skip

TWO = Exercise(
    id="ID-two",
    title=Words("One name less", "少一个名字"),
    task=Words("Let the name `greeting` go; `hello-world` stays.", "去掉 `greeting` 这个名字，`hello-world` 留下。"),
    start=("pull -q hello-world", "tag hello-world greeting"),
    checks=(image_absent("greeting"), tag_kept("hello-world")),
    hints=(
        Hint("gone", WHERE, image_absent("hello-world"), "`hello-world` has gone, too. Undo.", "`hello-world` 也没了。撤销。"),
        Hint("there", WHERE, None, "`greeting` is still listed.", "`greeting` 还在列表里。"),
        Hint("which", WHICH, None, "While other names are left, `docker rmi` only removes one.", "只要还有别的名字，`docker rmi` 就只去掉一个。"),
        Hint("blanks", BLANKS, None, "`docker ___ ________`", "`docker ___ ________`"),
        Hint("twin", TWIN, None, "With another name: `docker rmi tools`.", "换个名字：`docker rmi tools`。"),
    ),
    solution=("docker rmi greeting",),
    alternates=(("docker image rm greeting:latest",),),
    wrong=(
        Wrong(("docker rmi -f $(docker images -q greeting)",), "gone"),
        Wrong(("docker images greeting",), "there"),
    ),
    why=Words("A name went, the image stayed.", "名字走了，镜像还在。"),
    par=1,
)  # fmt: skip

EXERCISES = (ONE, TWO)
'''


def new_lesson(root: Path, slug: str) -> Path:
    """Write the skeleton into `root/lessons/slug`; its folder. UsageError for a bad slug, ImageLabError when it is there."""
    if not SLUG.fullmatch(slug):
        raise UsageError(f"{slug!r} is no lesson's name", hint="two digits and small words: 15-volumes")
    folder = root / "lessons" / slug
    if not folder.parent.is_dir():
        raise ImageLabError(
            f"there are no lessons in {root}", hint="run this in a checkout of imagelab", origin="client"
        )
    if folder.exists():
        raise ImageLabError(
            f"lessons/{slug} is there already", hint="imagelab lint-lessons says how it is", origin="client"
        )
    folder.mkdir()
    identity = slug[3:]
    for name, text in (("lesson.md", LESSON), ("exercises.py", EXERCISES)):
        filled = (
            text.replace("SLUG", identity)
            .replace("ID-", f"{identity}-")
            .replace("TITLE", identity.replace("-", " ").capitalize())
        )
        (folder / name).write_text(filled, encoding="utf-8", newline="\n")
    return folder
