"""Exercises of "Formats and scripting": every name of a repository, and a number out of `inspect`."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import answered, image_exists, tag_kept, tags_of
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

EVERY_NAME = Exercise(
    id="every-name",
    title=Words("Every name of it", "一个名字也不剩"),
    task=Words(
        "Three tags of `ubuntu` are here. Remove all of them; `nginx` stays.",
        "这里有 `ubuntu` 的三个标签。全部删掉，`nginx` 留下。",
    ),
    start=("pull -q ubuntu:14.04", "pull -q ubuntu:16.04", "pull -q ubuntu", "pull -q nginx"),
    checks=(tags_of("ubuntu", 0), tag_kept("nginx")),
    hints=(
        Hint("nginx-gone", WHERE, ~image_exists("nginx"), "`nginx` has gone, too. Undo, and list only what is called ubuntu.",
             "`nginx` 也没了。撤销，只列出叫 ubuntu 的。"),
        Hint("two-names", WHERE, ~image_exists("ubuntu:14.04") & image_exists("ubuntu:16.04") & image_exists("ubuntu:latest"),
             "What is left is one image with two names. By its ID, Docker does not remove it just like that. Read the message.",
             "剩下的是同一个镜像的两个名字。用 ID 删，Docker 不会轻易答应。读一读那句报错。"),
        Hint("some-left", WHERE, ~tags_of("ubuntu", 0),
             "`docker images ubuntu` still lists something. Without a tag, a name means `latest` and only that.",
             "`docker images ubuntu` 还列得出东西。名字不写标签，就只是指 `latest`。"),
        Hint("which", WHICH, None,
             "An ID stands for the image, a name only for itself. A template can print the names.",
             "ID 代表镜像，名字只代表名字自己。模板可以把名字都打印出来。"),
        Hint("blanks", BLANKS, None,
             "`docker rmi $(docker images --format \"{{.__________}}:{{.___}}\" ubuntu)`",
             "`docker rmi $(docker images --format \"{{.__________}}:{{.___}}\" ubuntu)`"),
        Hint("twin", TWIN, None,
             "All images of redis, by ID and whatever they are called: `docker rmi -f $(docker images -q redis)`.",
             "按 ID 删除 redis 的全部镜像，不管有几个名字：`docker rmi -f $(docker images -q redis)`。"),
    ),
    solution=('docker rmi $(docker images --format "{{.Repository}}:{{.Tag}}" ubuntu)',),
    alternates=(
        ("docker rmi -f $(docker images -q ubuntu)",),
        ("docker rmi ubuntu:14.04 ubuntu:16.04 ubuntu",),
        ("docker create --name keep nginx", "docker image prune -a -f"),
        ("docker run -d --name keep nginx", "docker system prune --all --force"),
        ("docker image rm --force $(docker images --quiet ubuntu:14.04) $(docker images -q ubuntu:16.04)",),
    ),
    wrong=(
        Wrong(("docker rmi $(docker images -q ubuntu)",), "two-names"),
        Wrong(("docker rmi ubuntu",), "some-left"),
        Wrong(("docker image prune -a -f",), "nginx-gone"),
        wrong("one name is left", "rmi ubuntu:14.04 ubuntu:16.04"),
        wrong("nginx is another image now", "tag ubuntu:14.04 nginx", "rmi ubuntu:14.04 ubuntu:16.04 ubuntu"),
    ),
    why=Words(
        "Three names, two images. Names can be removed one by one; the last one of an image takes it along.",
        "三个名字，两个镜像。名字可以逐个去掉，某个镜像的最后一个名字会把它一起带走。",
    ),
    par=1,
    free=("bring back the image *",),  # only the names are asked for
)  # fmt: skip

HOW_MANY = Exercise(
    id="how-many-layers",
    title=Words("Ask the image", "问问镜像自己"),
    task=Words(
        "How many layers has `nginx:1.11`? Let Docker count. Give the answer, and only one, as a tag: were it 7, then `docker tag nginx:1.11 answer:7`.",
        "`nginx:1.11` 有几层？让 Docker 来数。答案用标签给出，只给一个：如果是 7，就 `docker tag nginx:1.11 answer:7`。",
    ),
    start=("pull -q nginx:1.11", "pull -q redis"),
    checks=(answered(Words("`answer:` with the number of layers of `nginx:1.11`", "`answer:` 后面是 `nginx:1.11` 的层数"), "3"),),
    hints=(
        Hint("steps", WHERE, image_exists("answer:8"),
             "That is the number of steps in its history. Most steps add no layer: their SIZE is 0B.",
             "那是历史里的步数。多数步骤不增加层：它们的 SIZE 是 0B。"),
        Hint("of-redis", WHERE, image_exists("answer:5"), "Five has redis.", "五层的是 redis。"),
        Hint("where", WHERE, None,
             "`docker images` does not say. `docker inspect nginx:1.11` says everything; look for RootFS.",
             "`docker images` 里没有。`docker inspect nginx:1.11` 里什么都有，找 RootFS。"),
        Hint("which", WHICH, None, "A template with `len` counts the entries of a list.", "模板里的 `len` 可以数一个列表有几项。"),
        Hint("blanks", BLANKS, None,
             "`docker inspect -f \"{{len .______.______}}\" nginx:1.11`", "`docker inspect -f \"{{len .______.______}}\" nginx:1.11`"),
        Hint("twin", TWIN, None,
             "The number of names of redis: `docker inspect -f \"{{len .RepoTags}}\" redis`.",
             "redis 有几个名字：`docker inspect -f \"{{len .RepoTags}}\" redis`。"),
    ),
    solution=('docker inspect -f "{{len .RootFS.Layers}}" nginx:1.11', "docker tag nginx:1.11 answer:3"),
    alternates=(
        ("docker tag redis answer:3",),
        ('docker tag nginx:1.11 answer:$(docker inspect -f "{{len .RootFS.Layers}}" nginx:1.11)',),
        ("docker tag nginx:1.11 answer:8", "docker rmi answer:8", "docker image tag nginx:1.11 answer:3"),
    ),
    wrong=(
        Wrong(("docker history nginx:1.11", "docker tag nginx:1.11 answer:8"), "steps"),
        Wrong(("docker tag nginx:1.11 answer:5",), "of-redis"),
        Wrong(("docker tag nginx:1.11 answer:2",), "where"),
        wrong("nothing was answered", *(f"tag redis answer:{number}" for number in range(1, 13))),
        wrong("two answers", "tag redis answer:3", "tag redis answer:4"),
    ),
    why=Words(
        "Three layers under eight steps: a step that only sets something, such as ENV or CMD, needs no layer.",
        "八个步骤，三个层：只做设置的步骤，例如 ENV 或 CMD，不需要层。",
    ),
    par=2,
    free=("put the tag answer:3 on another image",),  # the number is the answer
)  # fmt: skip

EXERCISES = (EVERY_NAME, HOW_MANY)
