"""Exercises of "Filters": everything older than an image, the one with a label, and a window in time."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import config_has, image_exists, only_images, same_image, was_here
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

_OLD = image_exists("centos") | image_exists("ubuntu:14.04") | image_exists("alpine")
_NEW = image_exists("nginx") & image_exists("mongo:3.2")

OLDER_THAN = Exercise(
    id="older-than",
    title=Words("Out with the old", "旧的不去"),
    task=Words(
        "Remove every image that was built before `nginx:1.11`, and no other: `nginx:1.11` itself stays.",
        "删除比 `nginx:1.11` 更早构建的所有镜像，别的一个也不要动：`nginx:1.11` 本身要留下。",
    ),
    start=tuple(f"pull -q {name}" for name in ("centos", "nginx", "ubuntu:14.04", "mongo:3.2", "alpine", "nginx:1.11")),
    checks=(only_images("nginx:1.11", "nginx", "mongo:3.2"),),
    hints=(
        Hint("newer-gone", WHERE, ~_NEW,
             "A newer image has gone. Undo, and look at the CREATED column: which ones are *older* than `nginx:1.11`?",
             "有较新的镜像被删了。撤销，再看 CREATED 一列：哪些比 `nginx:1.11` **更旧**？"),
        Hint("itself-gone", WHERE, ~image_exists("nginx:1.11"),
             "`nginx:1.11` has gone as well. Undo: the line between before and not before is the image itself.",
             "`nginx:1.11` 自己也没了。撤销：它正是那条分界线，不算在“之前”里。"),
        Hint("some-left", WHERE, _OLD,
             "`docker images` puts the newest first. Something is still below `nginx:1.11`.",
             "`docker images` 把新的排在上面。`nginx:1.11` 下面还有别的。"),
        Hint("which", WHICH, None,
             "A filter lists exactly these; `-q` leaves their IDs; `$(…)` hands them to `docker rmi`.",
             "有一个过滤器正好列出它们；`-q` 只留 ID；`$(…)` 把它们交给 `docker rmi`。"),
        Hint("blanks", BLANKS, None,
             "`docker rmi $(docker images -_ -f ______=nginx:1.11)`", "`docker rmi $(docker images -_ -f ______=nginx:1.11)`"),
        Hint("twin", TWIN, None,
             "What is newer than redis: `docker rmi $(docker images -q -f since=redis)`.",
             "比 redis 更新的：`docker rmi $(docker images -q -f since=redis)`。"),
    ),
    solution=("docker rmi $(docker images -q -f before=nginx:1.11)",),
    alternates=(
        ("docker rmi centos alpine ubuntu:14.04",),
        ("docker image prune -a -f --filter until=300h",),
        ("docker rmi $(docker images -q -f until=2016-11-10)",),
        ("docker create --name a1 nginx:1.11", "docker create --name a2 nginx", "docker create --name a3 mongo:3.2", "docker system prune -f", "docker create --name a1 nginx:1.11", "docker create --name a2 nginx", "docker create --name a3 mongo:3.2", "docker image prune --all --force"),
        ("docker image rm $(docker image ls --quiet --filter before=nginx:1.11)",),
    ),
    wrong=(
        Wrong(("docker rmi $(docker images -q -f since=nginx:1.11)",), "newer-gone"),
        Wrong(("docker image prune -a -f",), "newer-gone"),
        Wrong(("docker rmi $(docker images -q -f until=240h)",), "itself-gone"),
        Wrong(("docker rmi centos",), "some-left"),
        wrong("mongo is gone", "rmi centos alpine ubuntu:14.04 mongo:3.2", "tag nginx mongo:3.2"),
        wrong("an old one has lost its name only", "run -d --name hold centos sleep 100", "rmi -f centos", "rmi alpine ubuntu:14.04"),
        wrong("an old one carries a child", "run --name aa alpine touch /xx", "commit aa child", "rm aa", "rmi alpine centos ubuntu:14.04"),
    ),
    why=Words(
        "`before` went by the time of the build, so it did not matter that `nginx:1.11` was pulled last of all.",
        "`before` 看的是构建时间，所以 `nginx:1.11` 最后才拉取也没有关系。",
    ),
    par=1,
)  # fmt: skip

LABELLED = Exercise(
    id="labelled",
    title=Words("The one with the label", "贴了标记的那一个"),
    task=Words(
        "One image here has the label `com.example.version`. Find out which, and give it the name `found:1`.",
        "这里有一个镜像带有标记 `com.example.version`。找出是哪一个，并给它起名 `found:1`。",
    ),
    start=tuple(f"pull -q {name}" for name in ("centos", "busybox", "imagelab/leaky:1.0", "imagelab/whoami:0.1", "alpine")),
    checks=(
        image_exists("found:1"),
        config_has("found:1", Labels="com.example.version").saying(
            "`found:1` has the label `com.example.version`", "`found:1` 带有标记 `com.example.version`"
        ),
        was_here("found:1"),
    ),
    hints=(
        Hint("other-label", WHERE, image_exists("found:1") & same_image("found:1", "centos"),
             "This one has labels, but not that one: `docker inspect -f \"{{json .Config.Labels}}\" found:1`.",
             "这个确实有标记，但不是那一个：看 `docker inspect -f \"{{json .Config.Labels}}\" found:1`。"),
        Hint("no-label", WHERE, image_exists("found:1") & ~config_has("found:1", Labels="com.example.version"),
             "`found:1` has no such label.", "`found:1` 没有这个标记。"),
        Hint("not-named", WHERE, ~image_exists("found:1"),
             "A label is inside of the image, so no listing shows it. But a listing can be filtered by it.",
             "标记在镜像里面，列表里看不到。但是列表可以按它来过滤。"),
        Hint("which", WHICH, None, "A filter finds the image, another command names it.", "用过滤器找出镜像，再用另一个命令起名。"),
        Hint("blanks", BLANKS, None,
             "`docker images -f _____=com.example.version`, then `docker ___ … found:1`",
             "`docker images -f _____=com.example.version`，然后 `docker ___ … found:1`"),
        Hint("twin", TWIN, None,
             "For the label `vendor`: `docker images -f label=vendor`, then `docker tag centos seen:1`.",
             "如果是标记 `vendor`：先 `docker images -f label=vendor`，再 `docker tag centos seen:1`。"),
    ),
    solution=("docker tag $(docker images -q -f label=com.example.version) found:1",),
    alternates=(
        ("docker images -f label=com.example.version=0.1", "docker tag imagelab/whoami:0.1 found:1"),
        ("docker tag bd108481029a found:1", "docker rmi imagelab/whoami:0.1"),
        ("docker image tag $(docker image ls --no-trunc --quiet --filter label=com.example.version=0.1) found:1",),
        ("docker pull imagelab/whoami", "docker tag imagelab/whoami found:1"),
    ),
    wrong=(
        Wrong(("docker tag centos found:1",), "other-label"),
        Wrong(("docker tag busybox found:1",), "no-label"),
        Wrong(("docker images -f label=com.example.version",), "not-named"),
        wrong("another image, with the same label", "create --name cc imagelab/whoami:0.1", "commit cc found:1"),
        wrong("a label of one's own", "build -t found:1 -\nFROM busybox\nLABEL com.example.version=0.1\n"),
    ),
    why=Words(
        "The filter looked into the config of every image; the one line it printed was all that `docker tag` needed.",
        "过滤器查看了每个镜像的配置；它打印的那一行，正是 `docker tag` 所需要的。",
    ),
    par=1,
)  # fmt: skip

_INSIDE = image_exists("imagelab/whoami:0.1") & image_exists("imagelab/leaky:1.0")

WINDOW = Exercise(
    id="window",
    title=Words("A window in time", "一段时间"),
    task=Words(
        "Keep only the images that were built after `nginx:1.11` and before `mongo:3.2`; these two go as well.",
        "只留下在 `nginx:1.11` 之后、`mongo:3.2` 之前构建的镜像；这两个本身也要删掉。",
    ),
    start=tuple(
        f"pull -q {name}"
        for name in ("mongo:3.2", "imagelab/leaky:1.0", "redis", "centos", "nginx:1.11", "imagelab/whoami:0.1", "ubuntu:16.04")
    ),
    checks=(only_images("imagelab/whoami:0.1", "imagelab/leaky:1.0"),),
    hints=(
        Hint("window-gone", WHERE, ~_INSIDE,
             "That removed an image that was to stay. Undo, and list first what you are going to remove.",
             "该留下的被删掉了。撤销，先列出来看看要删的是哪些。"),
        Hint("ends-left", WHERE, image_exists("nginx:1.11") | image_exists("mongo:3.2"),
             "One of the two that mark the ends is still here. A filter never lists the image that it names.",
             "作为两端的镜像还在。过滤器从来不会列出它点名的那个镜像。"),
        Hint("outside-left", WHERE, None,
             "Something older or newer is left. CREATED tells.", "还留着更旧或更新的。看 CREATED 一列。"),
        Hint("which", WHICH, None,
             "Two filters in one command narrow the listing, so you need two listings: one on each side of the window.",
             "一条命令里的两个过滤器只会让范围变小，所以你需要两份列表：窗口的两边各一份。"),
        Hint("blanks", BLANKS, None,
             "`docker rmi $(docker images -q -f ______=nginx:1.11)`, the same with `_____=mongo:3.2`, then the two by name",
             "`docker rmi $(docker images -q -f ______=nginx:1.11)`，对 `_____=mongo:3.2` 同样做一次，最后按名字删这两个"),
        Hint("twin", TWIN, None,
             "Around redis it would be: `docker rmi $(docker images -q -f before=redis) $(docker images -q -f since=redis)`.",
             "如果是 redis 的前后：`docker rmi $(docker images -q -f before=redis) $(docker images -q -f since=redis)`。"),
    ),
    solution=(
        "docker rmi $(docker images -q -f before=nginx:1.11) $(docker images -q -f since=mongo:3.2)",
        "docker rmi nginx:1.11 mongo:3.2",
    ),
    alternates=(
        ("docker rmi redis mongo:3.2 nginx:1.11 centos ubuntu:16.04",),
        ("docker create --name one imagelab/whoami:0.1", "docker create --name two imagelab/leaky:1.0", "docker image prune -a -f"),
        ("docker create --name one imagelab/whoami:0.1", "docker run --name two -d imagelab/leaky:1.0 sleep 100", "docker run --name three -d imagelab/whoami:0.1 sleep 100", "docker system prune -a -f"),
    ),
    wrong=(
        Wrong(("docker rmi $(docker images -q -f since=nginx:1.11 -f before=mongo:3.2)",), "window-gone"),
        Wrong(("docker rmi $(docker images -q -f before=nginx:1.11) $(docker images -q -f since=mongo:3.2)",), "ends-left"),
        Wrong(("docker rmi nginx:1.11 mongo:3.2",), "outside-left"),
        wrong("leaky is another image now", "rmi redis mongo:3.2 nginx:1.11 centos ubuntu:16.04 imagelab/leaky:1.0", "tag imagelab/whoami:0.1 imagelab/leaky:1.0"),
        wrong("one that was to go dangles", "run -d --name hold redis sleep 100", "rmi -f redis", "rmi mongo:3.2 nginx:1.11 centos ubuntu:16.04"),
    ),
    why=Words(
        "Inside of the window was one listing with two filters; what had to go was everything else, and that takes two.",
        "窗口里面是两个过滤器合成的一份列表；要删的是其余的一切，那就需要两份。",
    ),
    par=2,
)  # fmt: skip

EXERCISES = (OLDER_THAN, LABELLED, WINDOW)
