"""Exercises of "Getting images": names that stay while a tag moves on, and an image for another machine."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import image_exists, image_kept, is_platform, published, tag_moved, tag_points_to
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

YESTERDAY = Exercise(
    id="yesterday",
    title=Words("Yesterday's nginx", "昨天的 nginx"),
    task=Words(
        "A new nginx has been published. Get it under the name `nginx:latest`; the one you have must stay, under the name "
        "`nginx:yesterday`.",
        "nginx 发布了新版本。请取得新镜像，名字是 `nginx:latest`；手上这个要留下，名字是 `nginx:yesterday`。",
    ),
    start=("pull -q nginx", "upstream release nginx"),
    checks=(published("nginx"), tag_points_to("nginx:yesterday", "nginx")),
    hints=(
        Hint("new-one-named", WHERE, image_exists("nginx:yesterday") & ~tag_points_to("nginx:yesterday", "nginx"),
             "`nginx:yesterday` stands for the *new* image. Compare its IMAGE ID with the one without a tag.",
             "`nginx:yesterday` 指向的是**新**镜像。把它的 IMAGE ID 和没有标签的那个比一比。"),
        Hint("nameless", WHERE, tag_moved("nginx") & image_kept("nginx"),
             "The new one is here. The old one is, too, but has lost its name: find it with `docker images -a`.",
             "新镜像来了，旧镜像也还在，只是没有了名字：用 `docker images -a` 找一找。"),
        Hint("not-pulled", WHERE, ~tag_moved("nginx"),
             "`nginx:latest` is still yesterday's. What does the Digest line of a pull say today?",
             "`nginx:latest` 还是昨天的。今天再拉取，Digest 那一行会是什么？"),
        Hint("name-it", WHICH, ~tag_points_to("nginx:yesterday", "nginx"),
             "An image takes a second name with `docker tag`; the first word may be a name or an ID.",
             "用 `docker tag` 给镜像再起一个名字；第一个词可以是名字，也可以是 ID。"),
        Hint("pull-it", WHICH, ~tag_moved("nginx"), "A name moves here when you pull it again.", "再拉取一次，本地的名字才会移动。"),
        Hint("tag-blanks", BLANKS, ~tag_points_to("nginx:yesterday", "nginx"), "`docker tag _____ nginx:_________`", "`docker tag _____ nginx:_________`"),
        Hint("pull-blanks", BLANKS, ~tag_moved("nginx"), "`docker ____ nginx`", "`docker ____ nginx`"),
        Hint("twin", TWIN, None,
             "With redis: `docker tag redis redis:before`, then `docker pull redis`.",
             "换成 redis：先 `docker tag redis redis:before`，再 `docker pull redis`。"),
    ),
    solution=("docker tag nginx nginx:yesterday", "docker pull nginx"),
    alternates=(
        ("docker pull nginx", "docker tag $(docker images -q -f dangling=true) nginx:yesterday"),
        ("docker tag nginx:latest nginx:yesterday", "docker pull -a nginx"),
        ("docker create --name keeper nginx", "docker pull --quiet nginx:latest", "docker image tag $(docker inspect -f '{{.Image}}' keeper) nginx:yesterday"),
    ),
    wrong=(
        Wrong(("docker pull nginx",), "nameless"),
        Wrong(("docker pull nginx", "docker tag nginx nginx:yesterday"), "new-one-named"),
        Wrong(("docker tag nginx nginx:yesterday",), "not-pulled"),
        wrong("1.11 is not what was published", "tag nginx nginx:yesterday", "pull nginx:1.11", "tag nginx:1.11 nginx:latest"),
        wrong("yesterday's is a copy", "run --name old nginx true", "commit old nginx:yesterday", "pull nginx"),
        wrong("the new one is built", "tag nginx nginx:yesterday", "build -t nginx -\nFROM nginx:yesterday\nRUN touch /new\n"),
    ),
    why=Words(
        "A tag is a pointer, so it can move; a second pointer on the same image keeps it within reach.",
        "标签只是指针，所以会移动；在同一个镜像上再放一个指针，就不会找不到它。",
    ),
    par=2,
)  # fmt: skip

OTHER_MACHINE = Exercise(
    id="other-machine",
    title=Words("For another machine", "给另一种机器"),
    task=Words(
        "A small board with an arm64 processor will run `hello-world`, and it has no network. Get the image for *it*, under "
        "the name `hello-world:board`.",
        "有一块 arm64 处理器的小板子要运行 `hello-world`，但它不能上网。请取得适合**它**的镜像，名字是 `hello-world:board`。",
    ),
    start=("pull -q hello-world",),
    checks=(image_exists("hello-world:board"), published("hello-world:board", "hello-world", "linux/arm64/v8")),
    hints=(
        Hint("same-machine", WHERE, image_exists("hello-world:board"),
             "`hello-world:board` is here, but for this kind of machine. `docker image inspect` says `Architecture`.",
             "`hello-world:board` 有了，不过是给这种机器的。`docker image inspect` 里有 `Architecture`。"),
        Hint("tag-left", WHERE, is_platform("hello-world", "linux/arm64"),
             "The right image is here, as `hello-world:latest`. One name is missing.",
             "要的镜像已经有了，现在叫 `hello-world:latest`。只差一个名字。"),
        Hint("index", WHERE, None,
             "The tag points to an index with an image for each platform; a pull takes yours unless it is told another.",
             "标签指向一个索引，里面为每种平台各有一个镜像；不特别说明，拉取的就是本机平台的那个。"),
        Hint("option", WHICH, ~is_platform("hello-world", "linux/arm64"), "`docker pull --help` lists an option for it.", "`docker pull --help` 里有这个选项。"),
        Hint("name", WHICH, is_platform("hello-world", "linux/arm64"), "`docker tag` adds a name.", "`docker tag` 可以加一个名字。"),
        Hint("blanks", BLANKS, None, "`docker pull --________ linux/_____ hello-world`, and then a tag.", "`docker pull --________ linux/_____ hello-world`，然后再起名字。"),
        Hint("twin", TWIN, None,
             "For a 32-bit board: `docker pull --platform linux/arm/v7 hello-world`, then `docker tag hello-world hello-world:v7`.",
             "32 位的板子则是：`docker pull --platform linux/arm/v7 hello-world`，再 `docker tag hello-world hello-world:v7`。"),
    ),
    solution=("docker pull --platform linux/arm64 hello-world", "docker tag hello-world hello-world:board"),
    alternates=(
        ("docker pull -q --platform=linux/arm64/v8 hello-world", "docker image tag hello-world:latest hello-world:board", "docker pull hello-world"),
        ("docker rmi hello-world", "docker create --name aa --platform linux/arm64 hello-world", "docker tag hello-world hello-world:board"),
    ),
    wrong=(
        Wrong(("docker tag hello-world hello-world:board",), "same-machine"),
        Wrong(("docker pull --platform linux/arm64 hello-world",), "tag-left"),
        Wrong(("docker pull --platform linux/arm/v7 hello-world", "docker tag hello-world hello-world:board"), "same-machine"),
        wrong("it is not hello-world", "build --platform linux/arm64 -t hello-world:board -\nFROM scratch\nLABEL a=b\n"),
        wrong("a copy of it", "pull --platform linux/arm64 hello-world", "create --name aa --platform linux/arm64 hello-world", "commit aa hello-world:board"),
    ),
    why=Words(
        "One tag, several images: the index names one for each platform, and every one of them has an ID of its own.",
        "一个标签，多个镜像：索引为每种平台各列出一个，每一个都有自己的 ID。",
    ),
    par=2,
    free=("*hello-world:latest*", "delete the nameless image *"),  # where `latest` ends up is not asked for
)  # fmt: skip

EXERCISES = (YESTERDAY, OTHER_MACHINE)
