"""Exercises of "Welcome": a first command of one's own, and leaving a place as it was found."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import container_exists, image_exists, no_containers, only_images, published, same_image
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

FIRST_STEPS = Exercise(
    id="first-steps",
    title=Words("First steps", "第一步"),
    task=Words(
        "This lab is empty. Fetch the image `busybox`, and give it a second name: `mine:1`.",
        "这个实验室是空的。取来镜像 `busybox`，再给它起第二个名字：`mine:1`。",
    ),
    start=(),
    checks=(published("busybox"), published("mine:1", "busybox")),
    hints=(
        Hint("not-busybox", WHERE, image_exists("busybox") & ~published("busybox"),
             "An image is called `busybox`, but it did not come from the registry under this name: another one was given it.",
             "有一个镜像叫 `busybox`，但它不是以这个名字取来的：是给别的镜像起的名。"),
        Hint("other-image", WHERE, image_exists("mine:1") & ~same_image("mine:1", "busybox"),
             "`mine:1` is there, but is it busybox? Compare the IMAGE IDs in `docker images`.",
             "`mine:1` 有了，可它是 busybox 吗？在 `docker images` 里比一比 IMAGE ID。"),
        Hint("nothing", WHERE, ~image_exists("busybox"),
             "`docker images` shows what is here. No `busybox` is among it.", "`docker images` 显示这里有什么。里面还没有 `busybox`。"),
        Hint("one-name", WHERE, image_exists("busybox") & ~image_exists("mine:1"),
             "The image is here, with one name. The second is missing.", "镜像有了，但只有一个名字，还缺第二个。"),
        Hint("fetch", WHICH, ~image_exists("busybox"),
             "The cell with `hello-world` at the top of this lesson fetched an image.", "本课开头 `hello-world` 那一格就取来了一个镜像。"),
        Hint("name", WHICH, image_exists("busybox"),
             "The cell with the misspelt command gave an image a second name, in its first line.",
             "拼错命令的那一格里，第一行给镜像起了第二个名字。"),
        Hint("fetch-blanks", BLANKS, ~image_exists("busybox"), "`%docker ____ busybox`", "`%docker ____ busybox`"),
        Hint("name-blanks", BLANKS, image_exists("busybox"), "`%docker ___ busybox ____:_`", "`%docker ___ busybox ____:_`"),
        Hint("twin", TWIN, None,
             "With alpine: `%docker pull alpine`, then `%docker tag alpine yours:2`.",
             "换成 alpine：先 `%docker pull alpine`，再 `%docker tag alpine yours:2`。"),
    ),
    solution=("docker pull busybox", "docker tag busybox mine:1"),
    alternates=(
        ("docker image pull busybox:latest", "docker image tag busybox mine:1"),
        ("docker run --rm busybox true", "docker tag busybox mine:1"),
        ("docker create --name later docker.io/library/busybox:latest", "docker image tag $(docker images -q busybox) mine:1"),
    ),
    wrong=(
        Wrong(("docker pull busybox",), "one-name"),
        Wrong(("docker pull alpine", "docker tag alpine mine:1", "docker pull busybox"), "other-image"),
        Wrong(("docker pull busyboxx",), "nothing"),
        Wrong(("docker pull alpine", "docker tag alpine busybox", "docker tag alpine mine:1"), "not-busybox", "busybox was never fetched"),
        wrong("mine:1 is a copy, another image", "pull busybox", "run --name box busybox true", "commit box mine:1"),
        wrong("built, not fetched", "build -t busybox -\nFROM scratch\nLABEL a=b\n", "tag busybox mine:1"),
    ),
    why=Words(
        "Two rows, one IMAGE ID: a name costs nothing, and an image may have many.",
        "两行，一个 IMAGE ID：名字不占地方，一个镜像可以有许多个。",
    ),
    par=2,
)  # fmt: skip

AS_FOUND = Exercise(
    id="as-found",
    title=Words("Leave it as you found it", "恢复原样"),
    task=Words(
        "Somebody has run `hello-world` here and gone. Remove the container and the image, so that the lab is empty again.",
        "有人在这里运行过 `hello-world`，然后走了。把容器和镜像都删掉，让实验室重新变空。",
    ),
    start=("pull -q hello-world", "run --name hello hello-world"),
    checks=(no_containers(), only_images()),
    hints=(
        Hint("container-left", WHERE, container_exists("hello"),
             "The container has ended, but it is still here: `docker ps -a`.", "容器已经结束，但还在：看 `docker ps -a`。"),
        Hint("image-left", WHERE, image_exists("hello-world"),
             "The container is gone. The image is not: `docker images`.", "容器没了，镜像还在：看 `docker images`。"),
        Hint("which-container", WHICH, container_exists("hello"),
             "Containers and images are removed by two commands, which differ by one letter. Containers first.",
             "删除容器和删除镜像是两个命令，只差一个字母。先删容器。"),
        Hint("which-image", WHICH, None, "The command with the `i` is for images.", "带 `i` 的那个命令管的是镜像。"),
        Hint("blanks-container", BLANKS, container_exists("hello"), "`%docker __ hello`", "`%docker __ hello`"),
        Hint("blanks-image", BLANKS, None, "`%docker r__ hello-_____`", "`%docker r__ hello-_____`"),
        Hint("twin", TWIN, None,
             "For a container `web` made from nginx: `%docker rm web`, then `%docker rmi nginx`.",
             "如果是由 nginx 创建的容器 `web`：先 `%docker rm web`，再 `%docker rmi nginx`。"),
    ),
    solution=("docker rm hello", "docker rmi hello-world"),
    alternates=(
        ("docker container prune -f", "docker image prune -a -f"),
        ("docker rm $(docker ps -aq)", "docker rmi $(docker images -q)"),
        ("docker system prune -a -f",),
        ("docker system prune --all", "docker system prune --all --force"),
        ("docker container rm --force hello", "docker image rm $(docker images -q --no-trunc)"),
    ),
    wrong=(
        Wrong(("docker rmi hello-world",), "container-left"),
        Wrong(("docker rm hello",), "image-left"),
        Wrong(("docker rmi -f hello-world",), "container-left"),
        wrong("the lab is not empty", "rm hello", "rmi hello-world", "pull busybox"),
        wrong("the image has a new name", "rm hello", "tag hello-world greeting", "rmi hello-world"),
        wrong("a child keeps the image", "commit hello kept", "rm hello", "rmi -f hello-world"),
    ),
    why=Words(
        "A container keeps its image as long as it is there, running or not. Take away the container, and the image may go.",
        "容器只要还在，不管是否运行，都会保住它的镜像。先拿走容器，镜像就可以删了。",
    ),
    par=2,
)  # fmt: skip

EXERCISES = (FIRST_STEPS, AS_FOUND)
