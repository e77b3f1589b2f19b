"""Exercises of "The registry protocol": an image ID without a pull, and one machine's manifest by its digest."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.check import Check
from imagelab.course.checks import answered, image_exists, never_here, published
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

FROM_AFAR = Exercise(
    id="from-afar",
    title=Words("From afar", "隔空取号"),
    task=Words(
        "Which IMAGE ID would `redis:alpine` have, if you pulled it? Ask the registry, and do not pull. Give the twelve digits, and only these, as "
        "a tag: were it `0123456789ab`, then `docker tag busybox answer:0123456789ab`.",
        "如果把 `redis:alpine` 拉下来，它的 IMAGE ID 会是什么？去问仓库服务，不要拉取。把十二位写成标签，只写这一个：假如是 `0123456789ab`，就 "
        "`docker tag busybox answer:0123456789ab`。",
    ),
    start=("pull -q busybox",),
    checks=(
        answered(Words("`answer:` with the IMAGE ID that `redis:alpine` would have", "`answer:` 后面是 `redis:alpine` 将会有的 IMAGE ID"), "064102045336"),
        never_here("redis:alpine"),
    ),
    hints=(
        Hint("pulled", WHERE, ~never_here("redis:alpine"),
             "`redis:alpine` was pulled. That gives the answer away. Undo back to before that, and ask for less.",
             "`redis:alpine` 拉取过了，答案也就露底了。撤销到那之前，只问必要的。"),
        Hint("manifest-digest", WHERE, image_exists("answer:b0101fc5464b"),
             "That is the digest of the manifest. An image ID is the digest of something that the manifest names.",
             "那是清单的摘要。镜像 ID 是清单里点到的某样东西的摘要。"),
        Hint("other-tag", WHERE, image_exists("answer:0b852725c171"),
             "That is the ID of `redis:latest`. Ask for the tag `alpine`.", "那是 `redis:latest` 的 ID。要问的标签是 `alpine`。"),
        Hint("where", WHERE, None,
             "The manifest of the tag is enough: one request. Which of its entries is the config?",
             "有这个标签的清单就够了，一个请求。其中哪一项是配置？"),
        Hint("which", WHICH, None,
             "`web.get(…)` as in the lesson: repository `library/redis`, tag `alpine`.", "像课文里那样用 `web.get(…)`：仓库 `library/redis`，标签 `alpine`。"),
        Hint("blanks", BLANKS, None,
             "`web.get(\"…/v2/library/_____/manifests/______\").json()[\"______\"][\"digest\"]`",
             "`web.get(\"…/v2/library/_____/manifests/______\").json()[\"______\"][\"digest\"]`"),
        Hint("twin", TWIN, None,
             "For `ubuntu:14.04` the manifest says `config … sha256:2e12a2a438aa…`, and `2e12a2a438aa` is what a listing shows.",
             "对 `ubuntu:14.04`，清单里写的是 `config … sha256:2e12a2a438aa…`，列表里显示的正是 `2e12a2a438aa`。"),
    ),
    solution=("docker tag busybox answer:064102045336",),
    alternates=(("docker image tag busybox:latest answer:064102045336",), ("docker pull -q alpine", "docker tag alpine answer:064102045336")),
    wrong=(
        Wrong(("docker tag busybox answer:b0101fc5464b",), "manifest-digest"),
        Wrong(("docker pull -q redis", "docker tag busybox answer:$(docker images -q redis)"), "other-tag"),
        Wrong(("docker pull -q redis:alpine", "docker tag redis:alpine answer:064102045336"), "pulled"),
        Wrong(("docker tag busybox answer:60a8a2e99f48",), "where"),
        Wrong(("docker pull -q redis:alpine", "docker tag busybox answer:$(docker images -q redis:alpine)", "docker rmi redis:alpine"), "pulled"),
        wrong("it was created, and so pulled", "create --name rr redis:alpine", "tag busybox answer:$(docker images -q redis:alpine)", "rm rr", "rmi redis:alpine"),
        wrong("two answers", "tag busybox answer:064102045336", "tag busybox answer:b0101fc5464b"),
    ),
    why=Words(
        "An image ID is the digest of the config, and the manifest names the config by its digest. One small answer tells it.",
        "镜像 ID 是配置的摘要，而清单正是用摘要来指明配置的。一个小小的回答里就有。",
    ),
    par=1,
)  # fmt: skip

ARM = "sha256:cdfef3e52dcdf5cedb866caa061989e99065fe3dac0f99e11b61453b083891b4"
"""The manifest of hello-world for linux/arm/v7."""

_BY_ITS_DIGEST = Check(
    Words("it was pulled by the digest of its own manifest", "它是按自己那份清单的摘要拉取的"),
    Words(
        "nothing here was pulled by the digest of the manifest for linux/arm/v7",
        "还没有按 linux/arm/v7 那份清单的摘要拉取过",
    ),
    lambda before, now: now.id_of(f"hello-world@{ARM}") is not None,
)
_ARM = published("hello:arm", "hello-world", "linux/arm/v7")

BY_DIGEST = Exercise(
    id="its-own-manifest",
    title=Words("Straight to the manifest", "直取清单"),
    task=Words(
        "`hello-world` is an index with several manifests. Pull the one for `linux/arm/v7`, by the digest of that manifest, which makes "
        "`--platform` needless, and call it `hello:arm`.",
        "`hello-world` 是一个索引，里面有几份清单。请拉取 `linux/arm/v7` 的那一份：用那份清单自己的摘要，这样就用不着 `--platform`，并给它起名 `hello:arm`。",
    ),
    start=(),
    checks=(image_exists("hello:arm"), _ARM, _BY_ITS_DIGEST),
    hints=(
        Hint("by-platform", WHERE, _ARM & ~_BY_ITS_DIGEST,
             "The right image, but by way of the index: `docker images --digests` shows the index's digest.",
             "镜像是对的，但绕了索引：`docker images --digests` 显示的是索引的摘要。"),
        Hint("other-machine", WHERE, image_exists("hello:arm") & ~_ARM,
             "`hello:arm` is not the image for that machine: `docker inspect -f \"{{.Id}} {{.Architecture}}\" hello:arm`.",
             "`hello:arm` 不是给那种机器的那个镜像：看 `docker inspect -f \"{{.Id}} {{.Architecture}}\" hello:arm`。"),
        Hint("no-name", WHERE, _BY_ITS_DIGEST & ~image_exists("hello:arm"),
             "It is here, and has no tag: a digest is all it was asked by.", "镜像已经在了，但没有标签：因为只是按摘要要来的。"),
        Hint("where", WHERE, None,
             "The index lists a digest for each machine. The cell under *One tag, many machines* prints them shortened; print them whole.",
             "索引给每种机器列了一个摘要。“一个标签，多种机器”下面那一格打印的是缩短的，改成打印完整的。"),
        Hint("which", WHICH, None, "A name with `@` and a digest can be pulled as any other, and tagged.", "带 `@` 和摘要的名字同样可以拉取，也可以再打标签。"),
        Hint("blanks", BLANKS, None,
             "`docker pull hello-world@sha256:____…`, then `docker tag hello-world@sha256:____… hello:___`",
             "`docker pull hello-world@sha256:____…`，然后 `docker tag hello-world@sha256:____… hello:___`"),
        Hint("twin", TWIN, None,
             "For arm64, put its digest into a variable: `digest = answer.json()[\"manifests\"][1][\"digest\"]`, then "
             "`%docker pull hello-world@$digest` and `%docker tag hello-world@$digest hello:arm64`.",
             "如果是 arm64，把摘要放进变量：`digest = answer.json()[\"manifests\"][1][\"digest\"]`，再 `%docker pull hello-world@$digest` 和 "
             "`%docker tag hello-world@$digest hello:arm64`。"),
    ),
    solution=(f"docker pull hello-world@{ARM}", f"docker tag hello-world@{ARM} hello:arm"),
    alternates=(
        (f"docker pull -q docker.io/library/hello-world@{ARM}", "docker tag $(docker images -q hello-world) hello:arm"),
        ("docker pull hello-world", f"docker pull hello-world@{ARM}", "docker tag 6c5d6820b39e hello:arm"),
        (f"docker create --name aa hello-world@{ARM}", f"docker image tag hello-world@{ARM} hello:arm"),
    ),
    wrong=(
        Wrong(("docker pull --platform linux/arm/v7 hello-world", "docker tag hello-world hello:arm"), "by-platform"),
        Wrong(("docker pull hello-world", "docker tag hello-world hello:arm"), "other-machine"),
        Wrong((f"docker pull hello-world@{ARM}",), "no-name"),
        Wrong(("docker pull hello-world",), "where"),
        wrong("two different images", f"pull hello-world@{ARM}", "build --platform linux/arm/v7 -t hello:arm -\nFROM scratch\nLABEL a=b\n"),
        wrong("a copy", f"pull hello-world@{ARM}", f"create --name aa hello-world@{ARM}", "commit aa hello:arm"),
    ),
    why=Words(
        "A digest may be that of an index or that of one manifest in it. The second leaves nothing to be chosen.",
        "摘要可以是索引的，也可以是其中某一份清单的。用后者，就没有什么可选的了。",
    ),
    par=2,
)  # fmt: skip

EXERCISES = (FROM_AFAR, BY_DIGEST)
