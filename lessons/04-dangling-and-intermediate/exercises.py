"""Exercises of "Dangling and intermediate": making each of the two, and removing only what may go."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import (
    committed_from,
    dangling,
    dangling_gone,
    file_in_image,
    image_absent,
    image_dangles,
    image_exists,
    image_intermediate,
    image_kept,
    no_dangling,
    others_kept,
    tag_kept,
    tag_moved,
)
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

SECOND_NOTE = Exercise(
    id="second-note",
    title=Words("The name is taken", "名字已经有主"),
    task=Words(
        "The container `work` has changed since `note` was committed from it: it has a file `/second`. Commit it again as `note`: the earlier image must "
        "stay, and be dangling.",
        "`note` 提交之后，容器 `work` 又有了改动：多了文件 `/second`。请再次提交为 `note`：先前那个镜像要留下，并成为虚悬镜像。",
    ),
    start=(
        "pull -q busybox", 'run --name work busybox sh -c "if [ -e /first ]; then touch /second; else touch /first; fi"',
        "commit -m first work note", "start -a work",
    ),
    checks=(tag_moved("note"), committed_from("note", "work"), file_in_image("note", "/second"), image_dangles("note")),
    hints=(
        Hint("gone", WHERE, ~image_kept("note"),
             "The earlier image has been deleted. It would have lost its name all by itself.",
             "先前的镜像被删掉了。其实它自己就会失去名字。"),
        Hint("other-name", WHERE, tag_moved("note") & image_kept("note"),
             "The earlier image is here, but has another name. A dangling one has none.", "先前的镜像还在，但有别的名字。虚悬镜像是没有名字的。"),
        Hint("not-committed", WHERE, ~tag_moved("note"),
             "`note` still stands for the first commit. The change is in the container: `docker diff work`.",
             "`note` 还是第一次提交的那个。改动在容器里：`docker diff work`。"),
        Hint("which", WHICH, ~tag_moved("note"), "Which command makes an image of a container, and gives it a name?", "哪个命令把容器变成镜像并起名字？"),
        Hint("blanks", BLANKS, ~tag_moved("note"), "`docker ______ -m second ____ note`", "`docker ______ -m second ____ note`"),
        Hint("twin", TWIN, None, "For a container `web` and an image `page`: `docker commit web page`.", "容器 `web`、镜像 `page` 的话：`docker commit web page`。"),
    ),
    solution=("docker commit -m second work note",),
    alternates=(
        ("docker commit work note:latest",), ("docker commit work other", "docker tag other note", "docker rmi other"),
        ("docker container commit --author me --message second work note:latest",),
        ("docker commit $(docker ps -aqf name=work) fresh:1", "docker tag fresh:1 note"),
    ),
    wrong=(
        Wrong(("docker rmi note", "docker commit work note"), "gone"),
        Wrong(("docker tag note note:1", "docker commit work note"), "other-name"),
        Wrong(("docker commit work note:2",), "not-committed"),
        wrong("another container was committed", "run --name ff busybox touch /second", "commit ff note"),
        wrong("it was built", "build -t note -\nFROM busybox\nRUN touch /first /second\n"),
        wrong("what was `work` is gone", "rm work", "run --name work busybox touch /first /second", "commit work note"),
        wrong("a directory, in another container", "run --name dd busybox mkdir /second", "commit dd note"),
    ),
    why=Words(
        "A commit takes the name it is given, from whoever has it. That is the second way in which images come to dangle.",
        "commit 会拿走你给它的名字，不管原来是谁的。这是产生虚悬镜像的第二种方式。",
    ),
    par=1,
)  # fmt: skip

MIDDLE = Exercise(
    id="in-the-middle",
    title=Words("In the middle", "夹在中间"),
    task=Words(
        "`top` was made from `base`. Make `base`'s image an intermediate one: without a name, and still needed. `top` must stay.",
        "`top` 是由 `base` 生成的。请让 `base` 那个镜像成为中间层镜像：没有名字，但仍被需要。`top` 必须留着。",
    ),
    start=(
        "pull -q busybox", "run --name bottom busybox touch /base", "commit bottom base", "run --name upper base touch /top", "commit upper top",
        "rm bottom upper",
    ),
    checks=(image_absent("base"), image_intermediate("base"), tag_kept("top")),
    hints=(
        Hint("both-gone", WHERE, ~image_exists("top"),
             "`top` has gone, and what it stood on went with it. Undo.", "`top` 没了，它脚下的镜像也跟着没了。撤销。"),
        Hint("renamed", WHERE, image_absent("base") & image_kept("base") & ~image_intermediate("base"),
             "The image is no longer called `base`, but it has another name.", "这个镜像不叫 `base` 了，但还有别的名字。"),
        Hint("named", WHERE, image_exists("base"), "`base` still has its name. An intermediate image has none.", "`base` 还有名字。中间层镜像是没有名字的。"),
        Hint("which", WHICH, image_exists("base"),
             "`docker rmi` takes a name away; the image goes, too, only if nothing stands on it.",
             "`docker rmi` 去掉名字；只有没有别的镜像站在它上面，镜像本身才会被删。"),
        Hint("blanks", BLANKS, image_exists("base"), "`docker ___ base`", "`docker ___ base`"),
        Hint("twin", TWIN, None, "With other names: `docker rmi app:build` while `app:final` stands on it.", "换个名字：`app:final` 站在上面的时候，`docker rmi app:build`。"),
    ),
    solution=("docker rmi base",),
    alternates=(
        ("docker rmi -f base",), ("docker tag busybox base", "docker rmi base", "docker pull -q nginx"),
        ("docker image rm base:latest",),
        ("docker rmi --no-prune base",),
    ),
    wrong=(
        Wrong(("docker rmi top", "docker rmi base"), "both-gone"),
        Wrong(("docker tag base old", "docker rmi base"), "renamed"),
        Wrong(("docker rmi $(docker images -q base)", "docker tag top base"), "named"),
        wrong("another image is in the middle", "tag base old", "run --name xx busybox touch /x", "commit xx mid", "run --name yy mid touch /y", "commit yy up", "rmi mid", "rmi base"),
        wrong("top is a copy", "run --name tt top true", "commit tt other", "tag other top", "rmi base"),
    ),
    why=Words(
        "It has no name, and `top` stands on it: `docker images` hides it, and Docker will not delete it while `top` is here.",
        "它没有名字，而 `top` 站在它上面：`docker images` 不显示它，只要 `top` 还在，Docker 就不会删它。",
    ),
    par=1,
)  # fmt: skip

MAY_GO = Exercise(
    id="what-may-go",
    title=Words("What may go", "哪些可以删"),
    task=Words(
        "Three images here have no tag. Remove those that may go, and no others: `top` and what it stands on must stay.",
        "这里有三个镜像没有标签。把可以删的删掉，别的都不动：`top` 和它脚下的镜像必须留着。",
    ),
    start=(
        "pull -q mongo:3.2", "upstream release mongo:3.2", "pull -q mongo:3.2", "pull -q busybox",
        "run --name bottom busybox touch /base", "commit bottom base", "run --name upper base touch /top", "commit upper top", "rm upper",
        "rmi base", "commit bottom draft", "commit -m again bottom draft", "rm bottom",
    ),
    checks=(dangling_gone(), no_dangling(), others_kept()),
    hints=(
        Hint("too-much", WHERE, ~(tag_kept("top") & tag_kept("mongo:3.2") & tag_kept("draft") & tag_kept("busybox")),
             "An image with a name has gone. Undo, and look at `-f dangling=true`.", "有名字的镜像少了。撤销，看看 `-f dangling=true`。"),
        Hint("one-left", WHERE, dangling(1), "One that may go is still here.", "还有一个可以删的没删。"),
        Hint("look", WHERE, dangling(2),
             "Compare `docker images -a` with `docker images -f dangling=true`: one `<none>` is in the first only.",
             "比较 `docker images -a` 和 `docker images -f dangling=true`：有一个 `<none>` 只在前者里出现。"),
        Hint("which", WHICH, dangling(), "One command prunes what dangles, and leaves intermediate images alone.", "有一个命令专门修剪虚悬镜像，而不碰中间层镜像。"),
        Hint("blanks", BLANKS, dangling(), "`docker image _____`", "`docker image _____`"),
        Hint("twin", TWIN, dangling(), "For containers that have ended it would be `docker container prune`.", "对已结束的容器，相应的命令是 `docker container prune`。"),
    ),
    solution=("docker image prune -f",),
    alternates=(
        ("docker rmi $(docker images -q -f dangling=true)",), ("docker image prune --force --filter dangling=true",),
        ("docker system prune -f",),
        ("docker image prune", "docker image prune --force"),
    ),
    wrong=(
        Wrong(("docker image prune -a -f",), "too-much"),
        Wrong(("docker rmi top",), "too-much"),
        Wrong(("docker rmi mongo:3.2",), "too-much"),
        Wrong(("docker rmi c54ff281ebab",), "one-left"),
        Wrong(("docker images -a",), "look"),
        wrong("they have names now", "tag c54ff281ebab aa:1", "tag $(docker images -q -f dangling=true) bb:1"),
        wrong("a name is on another image", "image prune -f", "tag busybox draft"),
        wrong("top is a copy now, without what it stood on", "run --name tt top true", "export -o t.tar tt", "rm tt", "rmi top", "import t.tar top", "image prune -f"),
    ),
    why=Words(
        "Two were dangling: nothing leads to them and nothing stands on them. The third carries `top`, so it stayed.",
        "两个是虚悬镜像：没有名字能到达，也没有东西站在上面。第三个托着 `top`，所以留了下来。",
    ),
    par=1,
)  # fmt: skip

EXERCISES = (SECOND_NOTE, MIDDLE, MAY_GO)
