"""Exercises of "Listing images": a tag that moves, one image with two names, and what may be swept away."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import (
    dangling,
    dangling_gone,
    image_absent,
    image_dangles,
    image_exists,
    image_kept,
    no_dangling,
    others_kept,
    published,
    same_image,
    tag_kept,
    tag_moved,
    tag_points_to,
)
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

MOVED_TAG = Exercise(
    id="moved-tag",
    title=Words("The tag that moved", "挪走的标签"),
    task=Words(
        "Since you pulled `mongo:3.2`, its publishers have released it again. Get the new image, and keep the old one: it "
        "will be dangling.",
        "你拉取 `mongo:3.2` 之后，官方又发布了一次。请取得新镜像，同时留着旧的：它会成为虚悬镜像。",
    ),
    start=("pull -q mongo:3.2", "upstream release mongo:3.2"),
    checks=(published("mongo:3.2"), image_dangles("mongo:3.2")),
    hints=(
        Hint("gone", WHERE, ~image_kept("mongo:3.2"),
             "The old image is no longer listed, not even with `-a`. Undo, and let the tag leave it by itself.",
             "旧镜像已经不在了，加 `-a` 也看不到。撤销这一步，让标签自己离开它。"),
        Hint("still-named", WHERE, tag_moved("mongo:3.2") & image_kept("mongo:3.2"),
             "The old image is here, but it has a name, so it does not dangle. Which name is it?",
             "旧镜像还在，不过它有名字，所以不是虚悬的。它叫什么？"),
        Hint("not-yet", WHERE, ~tag_moved("mongo:3.2"),
             "Look at the IMAGE ID of `mongo:3.2`: it has not changed. A name here moves when you ask for it again.",
             "看看 `mongo:3.2` 的 IMAGE ID：没有变。只有再要一次，本地的名字才会移动。"),
        Hint("ask-again", WHICH, ~tag_moved("mongo:3.2"),
             "What asks the registry what a name stands for now?", "哪个命令会去问仓库，一个名字现在指向什么？"),
        Hint("blanks", BLANKS, ~tag_moved("mongo:3.2"), "`docker ____ mongo:___`", "`docker ____ mongo:___`"),
        Hint("twin", TWIN, ~tag_moved("mongo:3.2"),
             "With redis it would be: `docker pull redis`. The old one loses its tag, and stays.",
             "换成 redis 就是：`docker pull redis`。旧镜像失去标签，但会留下。"),
    ),
    solution=("docker pull mongo:3.2",),
    alternates=(("docker pull -q docker.io/library/mongo:3.2",), ("docker run -d --name db --pull always mongo:3.2 true",)),
    wrong=(
        Wrong(("docker rmi mongo:3.2", "docker pull mongo:3.2"), "gone"),
        Wrong(("docker tag mongo:3.2 mongo:old", "docker pull mongo:3.2"), "still-named"),
        Wrong(("docker images -a mongo",), "not-yet"),
        wrong("nothing new was got", "pull busybox", "tag busybox mongo:3.2"),
        wrong("the new one is made here", "run --name mm mongo:3.2 true", "commit mm mongo:3.2", "rm mm"),
        wrong("the old one carries a child", "run --name mm mongo:3.2 touch /xx", "commit mm kept", "pull mongo:3.2"),
    ),
    why=Words(
        "A tag is a name for one image at a time. The pull moved it; nobody asked for the old image to be deleted, so it is "
        "still here, without a tag.",
        "标签在同一时刻只是一个镜像的名字。拉取把它挪走了；没有人要求删除旧镜像，所以它还在，只是没有了标签。",
    ),
    par=1,
)  # fmt: skip

TWO_NAMES = Exercise(
    id="two-names",
    title=Words("One image, another name", "同一个镜像，换个名字"),
    task=Words(
        "`ubuntu:16.04` and `ubuntu:latest` are one image. Call it `base:1` as well, and let the name `ubuntu:latest` go. "
        "`ubuntu:16.04` stays.",
        "`ubuntu:16.04` 和 `ubuntu:latest` 是同一个镜像。再给它一个名字 `base:1`，并去掉 `ubuntu:latest` 这个名字；`ubuntu:16.04` 要保留。",
    ),
    start=("pull -q ubuntu:16.04", "pull -q ubuntu", "pull -q ubuntu:14.04"),
    checks=(tag_points_to("base:1", "ubuntu:16.04"), tag_kept("ubuntu:16.04"), image_absent("ubuntu:latest")),
    hints=(
        Hint("lost", WHERE, ~image_exists("ubuntu:16.04"),
             "`ubuntu:16.04` has gone, too: an ID stands for the image with all its names. Undo, and remove one *name*.",
             "`ubuntu:16.04` 也没了：用 ID 删除的是镜像和它的全部名字。撤销，然后只去掉**一个名字**。"),
        Hint("other-image", WHERE, image_exists("base:1") & ~same_image("base:1", "ubuntu:16.04"),
             "`base:1` stands for another image. Compare the IMAGE IDs.", "`base:1` 指向的是另一个镜像。比较一下 IMAGE ID。"),
        Hint("no-base", WHERE, ~image_exists("base:1"),
             "In `docker images`, a row is a name. There is no row for `base:1`.", "`docker images` 里一行是一个名字。还没有 `base:1` 这一行。"),
        Hint("still-latest", WHERE, image_exists("ubuntu:latest"),
             "The row `ubuntu latest` is still there.", "`ubuntu latest` 那一行还在。"),
        Hint("tag", WHICH, ~image_exists("base:1"), "Which command gives an image one more name?", "哪个命令给镜像再起一个名字？"),
        Hint("untag", WHICH, image_exists("ubuntu:latest"),
             "The command that deletes images only takes a name away while others are left.",
             "删除镜像的那个命令，在还有别的名字时，只会去掉一个名字。"),
        Hint("tag-blanks", BLANKS, ~image_exists("base:1"), "`docker tag ubuntu:_____ ____:_`", "`docker tag ubuntu:_____ ____:_`"),
        Hint("untag-blanks", BLANKS, image_exists("ubuntu:latest"), "`docker rmi ubuntu:______`", "`docker rmi ubuntu:______`"),
        Hint("twin", TWIN, None,
             "With nginx: `docker tag nginx:latest web:1`, then `docker rmi nginx:latest` prints one line, `Untagged:`.",
             "换成 nginx：先 `docker tag nginx:latest web:1`，再 `docker rmi nginx:latest`，只会打印一行 `Untagged:`。"),
    ),
    solution=("docker tag ubuntu:16.04 base:1", "docker rmi ubuntu:latest"),
    alternates=(
        ("docker tag ubuntu base:1", "docker rmi ubuntu"),
        ("docker rmi ubuntu:latest", "docker image tag ubuntu:16.04 base:1"),
        ("docker tag $(docker images -q ubuntu:16.04) base:1", "docker image rm ubuntu"),
    ),
    wrong=(
        Wrong(("docker tag ubuntu:14.04 base:1", "docker rmi ubuntu:latest"), "other-image"),
        Wrong(("docker rmi -f $(docker images -q ubuntu:latest)",), "lost"),
        Wrong(("docker rmi ubuntu:latest",), "no-base"),
        Wrong(("docker tag ubuntu base:1",), "still-latest"),
        wrong("a copy, another image", "run --name uu ubuntu true", "commit uu base:1", "rmi ubuntu:latest"),
        wrong("base:1 and 16.04 are another image now", "tag ubuntu:14.04 ubuntu:16.04", "tag ubuntu:14.04 base:1", "rmi ubuntu:latest"),
    ),
    why=Words(
        "Three rows came and went, and nothing was copied or deleted: names are pointers, the image is the ID.",
        "名字来来去去，没有复制也没有删除任何东西：名字只是指针，ID 才是镜像。",
    ),
    par=2,
)  # fmt: skip

SWEEP = Exercise(
    id="sweep",
    title=Words("Sweep up", "打扫一下"),
    task=Words(
        "Two images here are dangling. Remove them, and keep every image that has a name.",
        "这里有两个虚悬镜像。删掉它们，有名字的镜像一个都不能少。",
    ),
    start=(
        "pull -q mongo:3.2", "upstream release mongo:3.2", "pull -q mongo:3.2",
        "pull -q nginx", "upstream release nginx", "pull -q nginx", "pull -q busybox",
    ),
    checks=(dangling_gone(), no_dangling(), others_kept()),
    hints=(
        Hint("too-much", WHERE, ~(tag_kept("mongo:3.2") & tag_kept("nginx") & tag_kept("busybox")),
             "An image that had a name is missing. Undo, and look which ones `-f dangling=true` lists.",
             "有名字的镜像少了。撤销，然后看看 `-f dangling=true` 列出的是哪几个。"),
        Hint("one-left", WHERE, dangling(1), "One dangling image is left.", "还剩一个虚悬镜像。"),
        Hint("look", WHERE, dangling(2),
             "`docker images -f dangling=true` lists them; `-q` leaves only the IDs.",
             "`docker images -f dangling=true` 会列出它们；加上 `-q` 只剩 ID。"),
        Hint("which", WHICH, dangling(), "`docker rmi` takes IDs; there is also a command that prunes images.",
             "`docker rmi` 接受 ID；另外还有一个专门修剪镜像的命令。"),
        Hint("blanks", BLANKS, dangling(), "`docker rmi $(docker images -_ -f ________=true)`", "`docker rmi $(docker images -_ -f ________=true)`"),
        Hint("twin", TWIN, dangling(), "All images of redis would go like this: `docker rmi $(docker images -q redis)`.",
             "要删除 redis 的全部镜像，可以写 `docker rmi $(docker images -q redis)`。"),
    ),
    solution=("docker rmi $(docker images -q -f dangling=true)",),
    alternates=(
        ("docker image prune -f",), ("docker rmi $(docker images -aq -f dangling=true)", "docker pull -q redis"),
        ("docker system prune --force",),
        ("docker image rm $(docker image ls --quiet --filter dangling=true)",),
    ),
    wrong=(
        Wrong(("docker image prune -a -f",), "too-much"),
        Wrong(("docker rmi mongo:3.2 nginx",), "too-much"),
        Wrong(("docker rmi c54ff281ebab",), "one-left"),
        Wrong(("docker images -f dangling=true",), "look"),
        wrong("they have names now", "tag c54ff281ebab aa:1", "tag $(docker images -q -f dangling=true) bb:1"),
        wrong("they carry a child now", "run --name kk c54ff281ebab touch /xx", "commit kk kept:1", "rm kk", "image prune -f"),
        wrong("a name is on another image", "image prune -f", "tag busybox nginx"),
    ),
    why=Words(
        "The filter found exactly the images that no name leads to. Layers they shared with others are still here.",
        "过滤器找出的正是没有名字能到达的镜像。它们与别的镜像共享的层还在。",
    ),
    par=1,
)  # fmt: skip

EXERCISES = (MOVED_TAG, TWO_NAMES, SWEEP)
