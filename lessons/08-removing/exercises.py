"""Exercises of "Removing images": one in use, one that is hidden, and all but one."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import (
    container_absent,
    container_running,
    container_stopped,
    dangling,
    image_absent,
    image_deleted,
    image_exists,
    intermediate,
    intermediate_gone,
    no_containers,
    only_images,
    tag_kept,
)
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

IN_USE = Exercise(
    id="in-use",
    title=Words("In use", "正在使用"),
    task=Words(
        "`nginx` is at work in the container `web`. Remove the image, really, and leave no container behind.",
        "`nginx` 正在容器 `web` 里工作。把这个镜像真正删掉，也不要留下容器。",
    ),
    start=("pull -q nginx", "run -d --name web nginx", "pull -q redis"),
    checks=(image_deleted("nginx"), no_containers()),
    hints=(
        Hint("nameless", WHERE, image_absent("nginx") & dangling(),
             "The name is gone, the image is still here: look at `docker images -a`. A dangling image has no name, but an ID.",
             "名字没了，镜像还在：看 `docker images -a`。虚悬镜像没有名字，但有 ID。"),
        Hint("running", WHERE, container_running("web"), "`web` is still running: `docker ps`.", "`web` 还在运行：看 `docker ps`。"),
        Hint("stopped", WHERE, container_stopped("web"),
             "`web` has stopped, but it is still here: `docker ps -a`. It could be started again.",
             "`web` 停了，但还在：看 `docker ps -a`。它随时可以再启动。"),
        Hint("image-left", WHERE, container_absent("web"), "The container is gone. Now nothing holds the image.", "容器没了，现在没有什么保着镜像了。"),
        Hint("which", WHICH, None, "First the container, then the image. One option does both steps of the first.",
             "先容器，后镜像。删容器时有一个选项能一步到位。"),
        Hint("blanks", BLANKS, None, "`docker __ -_ web`, then `docker ___ nginx`", "`docker __ -_ web`，然后 `docker ___ nginx`"),
        Hint("twin", TWIN, None, "For a database: `docker stop db`, `docker rm db`, `docker rmi mongo:3.2`.",
             "如果是数据库：`docker stop db`、`docker rm db`、`docker rmi mongo:3.2`。"),
    ),
    solution=("docker rm -f web", "docker rmi nginx"),
    alternates=(
        ("docker stop web", "docker rmi -f nginx", "docker rm web"),
        ("docker rmi -f nginx", "docker rm -f web", "docker image prune -f"),
        ("docker rm --force web", "docker image rm nginx:latest"),
        ("docker stop web", "docker system prune -f", "docker rmi nginx"),
        ("docker kill web", "docker container prune --force", "docker image prune --all --force"),
    ),
    wrong=(
        Wrong(("docker rmi nginx",), "running"),
        Wrong(("docker stop web", "docker rmi nginx"), "stopped"),
        Wrong(("docker rmi -f nginx", "docker rm -f web"), "nameless"),
        Wrong(("docker rm -f web",), "image-left"),
        wrong("the image has a new name", "rm -f web", "tag nginx server", "rmi nginx"),
        wrong("a child keeps the image", "commit web kept", "rm -f web", "rmi nginx"),
        wrong("another container is left", "rm -f web", "rmi nginx", "run --name cache -d redis"),
    ),
    why=Words(
        "The container stood on the image. With the container gone, the last name could take the image along.",
        "容器站在镜像上。容器没了，最后一个名字去掉时，镜像也就跟着走了。",
    ),
    par=2,
)  # fmt: skip

HIDDEN = Exercise(
    id="hidden",
    title=Words("The hidden one", "藏起来的那个"),
    task=Words(
        "`docker images -a` shows an image without a name: `centos` was made into `work:1`, and then its name was removed. "
        "Make the nameless one go; `busybox` stays.",
        "`docker images -a` 里有一个没有名字的镜像：有人用 `centos` 做出 `work:1`，然后去掉了 `centos` 这个名字。让这个无名的镜像消失，`busybox` 留下。",
    ),
    start=("pull -q centos", "pull -q busybox", "run --name job centos touch /done", "commit job work:1", "rm job", "rmi centos"),
    checks=(intermediate_gone(), tag_kept("busybox")),
    hints=(
        Hint("busybox-gone", WHERE, ~image_exists("busybox"), "`busybox` has gone, too. Undo.", "`busybox` 也没了。撤销这一步。"),
        Hint("named-again", WHERE, image_exists("centos"),
             "Now it is called `centos`, and no longer nameless, but it has not gone.", "它现在叫 `centos`，不再无名，但并没有消失。"),
        Hint("stood-on", WHERE, intermediate(),
             "It is not dangling: something stands on it. `docker history work:1` shows what on what.",
             "它不是虚悬的：有东西站在它上面。`docker history work:1` 能看出谁在谁上面。"),
        Hint("new-dangling", WHERE, dangling(), "A nameless image is still here; now nothing stands on it.", "还有一个无名镜像；现在没有谁站在它上面了。"),
        Hint("which", WHICH, None, "An image goes when nothing needs it. Who needs this one?", "没有谁需要的镜像才会走。谁还需要它？"),
        Hint("blanks", BLANKS, None, "`docker rmi ____:1`", "`docker rmi ____:1`"),
        Hint("twin", TWIN, None, "If `page:2` stood on a nameless nginx, then `docker rmi page:2` would delete both.",
             "假如 `page:2` 站在一个无名的 nginx 上，那么 `docker rmi page:2` 会把两个都删掉。"),
    ),
    solution=("docker rmi work:1",),
    alternates=(
        ("docker rmi -f $(docker images -q work:1)",), ("docker rmi --no-prune work:1", "docker image prune -f"),
        ("docker create --name ex work:1", "docker export -o w.tar ex", "docker rm ex", "docker rmi work:1", "docker import w.tar work:1"),
        ("docker run -d --name keep busybox sleep 100", "docker system prune -a -f"),
    ),
    wrong=(
        Wrong(("docker image prune -f",), "stood-on"),
        Wrong(("docker rmi -f 119a67f63b65",), "stood-on"),
        Wrong(("docker tag 119a67f63b65 centos", "docker rmi work:1"), "named-again"),
        Wrong(("docker rmi --no-prune work:1",), "new-dangling"),
        Wrong(("docker image prune -a -f",), "busybox-gone"),
        wrong("it has a name now", "tag 119a67f63b65 base:1", "rmi work:1"),
        wrong("another child keeps it", "run --name jj work:1 touch /more", "commit jj work:2", "rm jj", "rmi work:1"),
        wrong("busybox is a copy", "rmi work:1", "run --name bb busybox true", "commit bb busybox"),
    ),
    why=Words(
        "With its only child gone, nothing needed the nameless parent, and `docker rmi` went on down to it.",
        "唯一的子镜像没了，就没有谁还需要那个无名的父镜像，`docker rmi` 便一路删了下去。",
    ),
    par=1,
    free=("bring back the tag work:1", "bring back the image ea0ce046151b"),  # the nameless one is what has to go
)  # fmt: skip

ALL_BUT_ONE = Exercise(
    id="all-but-one",
    title=Words("All but one", "只留一个"),
    task=Words(
        "Make room: of all images, only `nginx` shall be left. A container may stay, if you need one.",
        "腾地方：所有镜像里只留 `nginx`。需要的话，可以留一个容器。",
    ),
    start=tuple(f"pull -q {name}" for name in ("redis", "nginx", "mongo:3.2", "node", "ubuntu:16.04", "ubuntu", "busybox")),
    checks=(only_images("nginx"),),
    hints=(
        Hint("nginx-gone", WHERE, ~image_exists("nginx"),
             "`nginx` has gone, too: nothing was using it. Undo, and think of what holds an image.",
             "`nginx` 也没了，因为没有东西在用它。撤销，想一想什么能保住镜像。"),
        Hint("left", WHERE, None, "`docker images` lists what is left.", "`docker images` 列出还剩什么。"),
        Hint("which", WHICH, None,
             "One command removes all images that no container uses. And making a container does not mean running it.",
             "有一个命令删除所有没有容器在用的镜像。而且，创建容器并不等于运行它。"),
        Hint("blanks", BLANKS, None, "`docker ______ --name keeper nginx`, then `docker image _____ -a -f`",
             "`docker ______ --name keeper nginx`，然后 `docker image _____ -a -f`"),
        Hint("twin", TWIN, None, "To keep mongo: `docker run --name mm mongo:3.2 true`, then prune all images.",
             "要留下 mongo：`docker run --name mm mongo:3.2 true`，然后修剪全部镜像。"),
    ),
    solution=("docker create --name keeper nginx", "docker image prune -a -f"),
    alternates=(
        ("docker rmi redis mongo:3.2 node ubuntu:16.04 ubuntu busybox",),
        ("docker rmi -f $(docker images -q -f before=nginx) redis node",),
        ("docker run -d nginx", "docker system prune -a -f"),
        ("docker container create nginx", "docker image prune --all --force"),
    ),
    wrong=(
        Wrong(("docker image prune -a -f",), "nginx-gone"),
        Wrong(("docker image prune -f",), "left"),
        Wrong(("docker rmi redis mongo:3.2 node ubuntu busybox",), "left"),
        wrong("nginx is another image now", "rmi redis nginx mongo:3.2 node ubuntu:16.04 ubuntu", "tag busybox nginx", "rmi busybox"),
        wrong("one is left, dangling", "run -d --name hold redis sleep 100", "rmi -f redis", "rmi mongo:3.2 node ubuntu:16.04 ubuntu busybox"),
    ),
    why=Words(
        "A container, even one that never ran, is a reason to keep its image; for the others there was none.",
        "容器是留住镜像的理由，哪怕它从没运行过；其他镜像没有这样的理由。",
    ),
    par=2,
    free=("drop the container keeper",),  # one way to do it, and not asked for
)  # fmt: skip

EXERCISES = (IN_USE, HIDDEN, ALL_BUT_ONE)
