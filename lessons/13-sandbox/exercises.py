"""Exercises of "A free sandbox": two names change places, three generations, and the book's listing."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import (
    dangling,
    file_in_image,
    image_dangles,
    image_exists,
    layers_on_top,
    listing_is,
    new_file,
    no_containers,
    published,
    same_image,
    tag_kept,
    tag_points_to,
)
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

_ALPINE_IS_BUSYBOX = tag_points_to("alpine", "busybox")
_BUSYBOX_IS_ALPINE = tag_points_to("busybox", "alpine")

SWAP = Exercise(
    id="swap",
    title=Words("Change places", "交换位置"),
    task=Words(
        "Let the two names change places: what was `alpine` shall be called `busybox`, and what was `busybox`, `alpine`.",
        "让两个名字互换：原来的 `alpine` 改叫 `busybox`，原来的 `busybox` 改叫 `alpine`。",
    ),
    start=("pull -q alpine", "pull -q busybox"),
    checks=(_BUSYBOX_IS_ALPINE, _ALPINE_IS_BUSYBOX),
    hints=(
        Hint("both-the-same", WHERE, (_BUSYBOX_IS_ALPINE | _ALPINE_IS_BUSYBOX) & same_image("alpine", "busybox"),
             "Both names stand for one image now. The other image is still here, without a tag: `docker images`.",
             "现在两个名字指着同一个镜像。另一个镜像还在，只是没了标签：看 `docker images`。"),
        Hint("not-yet", WHERE, tag_kept("alpine") & tag_kept("busybox"), "Both names are where they were.", "两个名字都还在原处。"),
        Hint("half", WHERE, None, "One of the names is right. Look at the IMAGE IDs.", "有一个名字对了。看看 IMAGE ID。"),
        Hint("which", WHICH, None,
             "To exchange two cups of water you need a third cup. Here a third name, or an ID.",
             "要交换两杯水，得有第三个杯子。在这里就是第三个名字，或者 ID。"),
        Hint("blanks", BLANKS, None,
             "`docker tag alpine third`, `docker tag busybox ______`, `docker tag third _______`",
             "`docker tag alpine third`，`docker tag busybox ______`，`docker tag third _______`"),
        Hint("twin", TWIN, None,
             "Redis and nginx: `docker tag redis spare`, `docker tag nginx redis`, `docker tag spare nginx`, `docker rmi spare`.",
             "redis 和 nginx 互换：`docker tag redis spare`、`docker tag nginx redis`、`docker tag spare nginx`、`docker rmi spare`。"),
    ),
    solution=("docker tag alpine third", "docker tag busybox alpine", "docker tag third busybox", "docker rmi third"),
    alternates=(
        ("docker tag 517b313a06e3 busybox", "docker tag 3b287cac4baf alpine"),
        ("docker tag busybox alpine", "docker tag $(docker images -q -f dangling=true) busybox"),
        ("docker image tag alpine spare:1", "docker image tag busybox alpine:latest", "docker image tag spare:1 busybox:latest"),
        ("docker create --name keep alpine", "docker tag busybox alpine", "docker tag $(docker inspect -f '{{.Image}}' keep) busybox"),
    ),
    wrong=(
        Wrong(("docker tag alpine busybox", "docker tag busybox alpine"), "both-the-same"),
        Wrong(("docker tag alpine third", "docker tag busybox other"), "not-yet"),
        Wrong(("docker tag busybox alpine",), "both-the-same"),
        Wrong(("docker tag busybox alpine", "docker rmi busybox"), "half"),
        wrong("copies", "run --name aa alpine true", "commit aa busybox", "run --name bb busybox true", "commit bb alpine"),
        wrong("both are here, under other names", "tag alpine busybox:old", "tag busybox alpine:old"),
    ),
    why=Words(
        "A tag is moved at once and remembers nothing. While a name travels, something else must hold the image.",
        "标签一挪就挪，什么也不记得。名字搬家的时候，得有别的东西替你记住那个镜像。",
    ),
    par=4,
)  # fmt: skip

_SECOND = layers_on_top("page:2", "nginx", None) & new_file("page:2", "/two", "nginx")
_THIRD = layers_on_top("page:3", "page:2", None)
_MORE = new_file("page:3", "/three", "page:2")

GENERATIONS = Exercise(
    id="three-generations",
    title=Words("Three generations", "三代同堂"),
    task=Words(
        "From `nginx` make `page:2`, with a file `/two` more; from `page:2` make `page:3`, with a file `/three` more. Leave no container "
        "behind.",
        "由 `nginx` 做出 `page:2`，多一个文件 `/two`；再由 `page:2` 做出 `page:3`，多一个文件 `/three`。不要留下容器。",
    ),
    start=("pull -q nginx",),
    checks=(
        _SECOND.saying("`page:2` was made from `nginx` and has `/two`", "`page:2` 由 `nginx` 生成，里面有 `/two`"),
        _THIRD.saying("`page:3` was made from `page:2`", "`page:3` 由 `page:2` 生成"), _MORE, file_in_image("page:3", "/two"),
        no_containers(), tag_kept("nginx"),
    ),
    hints=(
        Hint("no-second", WHERE, ~_SECOND, "`page:2` is not there yet, or has no `/two`, or does not come from `nginx`.",
             "还没有 `page:2`，或者里面没有 `/two`，或者不是由 `nginx` 生成的。"),
        Hint("siblings", WHERE, image_exists("page:3") & ~_THIRD,
             "`page:3` was made from something other than `page:2`: `docker history page:3`. From which image did you start the container?",
             "`page:3` 不是由 `page:2` 生成的：看 `docker history page:3`。那个容器是从哪个镜像启动的？"),
        Hint("not-more", WHERE, image_exists("page:3") & ~_MORE,
             "`/three` is not what `page:3` has more than `page:2`: which of the two has it, and in which layer?",
             "`page:3` 比 `page:2` 多的不是 `/three`：两者之中哪个有它？在哪一层？"),
        Hint("no-third", WHERE, ~image_exists("page:3"), "Two generations are there. The third is missing.", "已经有两代，还缺第三代。"),
        Hint("containers", WHERE, ~no_containers(), "The images are right. Containers are left: `docker ps -a`.", "镜像都对。还有容器：看 `docker ps -a`。"),
        Hint("which", WHICH, None, "Run, commit, remove the container; and once more, from what you have made.",
             "运行、提交、删容器；然后用刚做好的镜像再来一遍。"),
        Hint("blanks", BLANKS, None,
             "`docker run --name aa nginx touch /two`, `docker ______ aa page:2`, `docker run --name bb ____:_ touch /three`, …",
             "`docker run --name aa nginx touch /two`，`docker ______ aa page:2`，`docker run --name bb ____:_ touch /three`，……"),
        Hint("twin", TWIN, None,
             "The first step for redis: `docker run --name r1 redis touch /x`, `docker commit r1 cache:2`, `docker rm r1`.",
             "如果是 redis，第一步：`docker run --name r1 redis touch /x`、`docker commit r1 cache:2`、`docker rm r1`。"),
    ),
    solution=(
        "docker run --name aa nginx touch /two", "docker commit aa page:2",
        "docker run --name bb page:2 touch /three", "docker commit bb page:3", "docker rm aa bb",
    ),
    alternates=(
        (
            "docker run -d --name aa nginx", "docker exec aa sh -c 'echo 2 > /two'", "docker commit aa page:2", "docker rm -f aa",
            "docker run -d --name aa page:2", "docker exec aa sh -c 'echo 3 > /three'", "docker commit aa page:3", "docker rm -f aa",
        ),
        ("docker build -t page:2 -\nFROM nginx\nENV A=b\nWORKDIR /\nRUN touch two\n", "docker build -t page:3 -\nFROM page:2\nRUN touch /three\nRUN true\n"),
        ("docker run --name aa nginx touch /two", "docker commit aa page:2", "docker run --name bb page:2 touch /three", "docker commit bb page:3", "docker system prune -f"),
    ),
    wrong=(
        Wrong(("docker run --name aa nginx touch /two /three", "docker commit aa page:2", "docker commit aa page:3", "docker rm aa"), "siblings"),
        Wrong(("docker run --name aa nginx touch /two", "docker commit aa page:2", "docker rm aa"), "no-third"),
        Wrong(("docker run --name aa nginx touch /two", "docker commit aa nginx", "docker rm aa"), "no-second"),
        Wrong(("docker run --name aa nginx touch /2", "docker commit aa page:2", "docker rm aa"), "no-second"),
        Wrong(
            ("docker run --name aa nginx touch /two", "docker commit aa page:2", "docker run --name bb page:2 touch /three",
             "docker commit bb page:3"), "containers",
        ),
        Wrong(("docker run --name aa nginx touch /two /three", "docker commit aa page:2", "docker run --name bb page:2 touch /four", "docker commit bb page:3", "docker rm aa bb"), "not-more"),
        wrong("page:2 is not from nginx", "pull busybox", "tag busybox nginx", "run --name aa nginx touch /two", "commit aa page:2", "run --name bb page:2 touch /three", "commit bb page:3", "rm aa bb"),
        wrong("a directory is no file", "run --name aa nginx mkdir /two", "commit aa page:2", "run --name bb page:2 touch /three", "commit bb page:3", "rm aa bb"),
        wrong("/two is lost", "run --name aa nginx touch /two", "commit aa page:2", "run --name bb page:2 sh -c 'rm /two; touch /three'", "commit bb page:3", "rm aa bb"),
    ),
    why=Words(
        "Each commit stands on the one before. `page:3` is five layers, of which you made two and downloaded three.",
        "每次提交都站在前一次之上。`page:3` 有五层，两层是你做的，三层是下载来的。",
    ),
    par=5,
)  # fmt: skip

_ROWS = ("redis", "nginx", "mongo:3.2", "ubuntu:16.04", "ubuntu", "ubuntu:14.04")
_UBUNTUS = image_exists("ubuntu:14.04") & same_image("ubuntu:16.04", "ubuntu")

THE_LISTING = Exercise(
    id="the-books-listing",
    title=Words("The book's listing", "书上的那份列表"),
    task=Words(
        "This lab has `mongo:3.2`, and its publishers have something new. Bring about the listing of the book: `redis`, `nginx`, "
        "`mongo:3.2`, the old mongo dangling, `ubuntu:16.04` and `ubuntu` (one image), and `ubuntu:14.04`; and no other row.",
        "这个实验室里有 `mongo:3.2`，而发布者又有了新的。请弄出书上的那份列表：`redis`、`nginx`、`mongo:3.2`、一个虚悬的旧 mongo、"
        "`ubuntu:16.04` 和 `ubuntu`（同一个镜像），以及 `ubuntu:14.04`；别的行一个也没有。",
    ),
    start=("pull -q mongo:3.2", "upstream release mongo:3.2"),
    checks=(
        published("redis"), published("nginx"), published("mongo:3.2"), image_dangles("mongo:3.2"),
        published("ubuntu:16.04"), published("ubuntu"), published("ubuntu:14.04"),
        listing_is(*_ROWS, dangling=("mongo:3.2",)),
    ),
    hints=(
        Hint("nothing-dangles", WHERE, ~dangling(), "Nothing dangles yet. What makes an old image lose its tag?", "还没有虚悬镜像。什么会让旧镜像失去标签？"),
        Hint("no-mongo", WHERE, ~image_exists("mongo:3.2"),
             "The old mongo dangles, but none is called `mongo:3.2`.", "旧 mongo 成了虚悬镜像，却没有叫 `mongo:3.2` 的了。"),
        Hint("ubuntus", WHERE, ~_UBUNTUS, "One of the three ubuntu names is missing.", "三个 ubuntu 的名字里少了一个。"),
        Hint("rest", WHERE, None, "Compare your `docker images` with the task, row by row.", "把你的 `docker images` 和题目逐行对照。"),
        Hint("which", WHICH, None, "All of it can be done with one verb.", "全部只用一个动词就能完成。"),
        Hint("blanks", BLANKS, None, "`docker ____ mongo:3.2`, and the same for five more names", "`docker ____ mongo:3.2`，另外五个名字也一样"),
        Hint("twin", TWIN, None, "With nginx: after `docker upstream release nginx`, `docker pull nginx` leaves the old one dangling.",
             "换成 nginx：`docker upstream release nginx` 之后，`docker pull nginx` 会让旧的成为虚悬镜像。"),
    ),
    solution=tuple(f"docker pull {name}" for name in ("mongo:3.2", "redis", "nginx", "ubuntu:16.04", "ubuntu", "ubuntu:14.04")),
    alternates=(
        (
            "docker pull -q redis", "docker pull -q nginx", "docker pull -a ubuntu", "docker run -d --name mm --pull always mongo:3.2 true",
        ),
        (*(f"docker image pull --quiet {name}" for name in reversed(_ROWS)), "docker pull busybox", "docker rmi busybox"),
    ),
    wrong=(
        Wrong(tuple(f"docker pull {name}" for name in ("redis", "nginx", "ubuntu:16.04", "ubuntu", "ubuntu:14.04")), "nothing-dangles"),
        Wrong(("docker pull mongo:3.2", "docker pull redis", "docker pull nginx", "docker pull ubuntu:14.04", "docker pull ubuntu"), "ubuntus"),
        Wrong(("docker pull mongo:3.2", "docker rmi mongo:3.2", "docker run --name aa mongo:3.2 true", "docker rmi -f mongo:3.2"), "no-mongo"),
        Wrong(("docker pull mongo:3.2", "docker pull -a ubuntu"), "rest"),
        wrong("two names stand for the wrong image", *(f"pull {name}" for name in ("mongo:3.2", "redis", "nginx", "ubuntu:14.04")), "tag ubuntu:14.04 ubuntu:16.04", "tag ubuntu:14.04 ubuntu"),
        wrong("a row too many", *(f"pull {name}" for name in ("mongo:3.2", *_ROWS, "busybox"))),
        wrong("another name for one of them", *(f"pull {name}" for name in ("mongo:3.2", *_ROWS)), "tag redis cache"),
        wrong("nginx is another", *(f"pull {name}" for name in ("mongo:3.2", *_ROWS, "nginx:1.11")), "tag nginx:1.11 nginx", "rmi nginx:1.11"),
    ),
    why=Words(
        "Six pulls, seven rows, and you could tell the story of every one of them.",
        "六次拉取，七行列表，而每一行的来历你都讲得出来。",
    ),
    par=6,
)  # fmt: skip

EXERCISES = (SWAP, GENERATIONS, THE_LISTING)
