"""Exercises of "Running an image": how a container ends, and whose file it is."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import (
    container_exists,
    container_file,
    container_running,
    container_stopped,
    no_container_file,
    no_containers,
)
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

EXIT_CODE = Exercise(
    id="exit-code",
    title=Words("Forty-two", "四十二"),
    task=Words(
        "Make a container called `answer` from `ubuntu:14.04` that has ended with exit code 42. It must still be listed by "
        "`docker ps -a`.",
        "用 `ubuntu:14.04` 创建一个名叫 `answer` 的容器，让它以退出码 42 结束，并且 `docker ps -a` 里还能看到它。",
    ),
    start=("pull -q ubuntu:14.04",),
    checks=(container_exists("answer", "ubuntu:14.04"), container_stopped("answer", 42)),
    hints=(
        Hint("other-code", WHERE, container_stopped("answer") & ~container_stopped("answer", 42),
             "`answer` has ended, with another code: the STATUS column of `docker ps -a` says which.",
             "`answer` 已经结束，但退出码不对：看 `docker ps -a` 的 STATUS 一列。"),
        Hint("not-run", WHERE, container_exists("answer"),
             "`answer` is there and has not ended. Did its program run?", "`answer` 在，但没有结束。它的程序运行了吗？"),
        Hint("gone", WHERE, no_containers(),
             "No container is left. `--rm` would take it away as soon as it ends, exit code and all.",
             "一个容器也没有。加了 `--rm`，容器一结束就会连同退出码一起被删掉。"),
        Hint("name", WHERE, None, "A container has ended, but it is not called `answer`.", "有容器结束了，但它不叫 `answer`。"),
        Hint("program", WHICH, None,
             "A container's exit code is its program's. Which program ends with a number that you choose?",
             "容器的退出码就是程序的退出码。什么程序能以你指定的数字结束？"),
        Hint("blanks", BLANKS, None, '`docker run --____ answer ubuntu:14.04 sh -c "____ 42"`', '`docker run --____ answer ubuntu:14.04 sh -c "____ 42"`'),
        Hint("twin", TWIN, None, '`docker run --name seven busybox sh -c "exit 7"` ends with 7.', '`docker run --name seven busybox sh -c "exit 7"` 以 7 结束。'),
    ),
    solution=('docker run --name answer ubuntu:14.04 sh -c "exit 42"',),
    alternates=(
        ('docker create --name answer ubuntu:14.04 bash -c "exit 42"', "docker start -a answer"),
        ("docker run -i --name answer ubuntu:14.04 bash\nexit 42",),
        ('docker run --name fin ubuntu:14.04 sh -c "exit 42"', "docker rename fin answer"),
        ('docker container run --name=answer --entrypoint sh ubuntu:14.04 -c "exit 42"',),
        ("docker run -dit --name answer ubuntu:14.04", "docker exec answer sh -c 'kill -9 1'", "docker rm -f answer", "docker run -t --name answer ubuntu:14.04 bash -c 'exit 42'"),
        ("docker run -d --name answer ubuntu:14.04 sh -c 'sleep 1; exit 42'",),
    ),
    wrong=(
        Wrong(("docker run --name answer ubuntu:14.04 echo 42",), "other-code"),
        Wrong(('docker run --rm --name answer ubuntu:14.04 sh -c "exit 42"',), "gone"),
        Wrong(('docker create --name answer ubuntu:14.04 sh -c "exit 42"',), "not-run"),
        Wrong(('docker run ubuntu:14.04 sh -c "exit 42"',), "name"),
        wrong("it is not from 14.04", "pull ubuntu:16.04", "tag ubuntu:16.04 ubuntu:14.04", 'run --name answer ubuntu:14.04 sh -c "exit 42"'),
        wrong("from a copy", "run --name cc ubuntu:14.04 touch /xx", "commit cc ubuntu:14.04", 'run --name answer ubuntu:14.04 sh -c "exit 42"'),
        wrong("it still runs", 'run -d --name answer ubuntu:14.04 sh -c "sleep 1000; exit 42"'),
    ),
    why=Words(
        "A container ends when its program ends, and keeps the program's exit code until it is removed.",
        "程序结束，容器就结束；直到被删除为止，它都留着程序的退出码。",
    ),
    par=1,
)  # fmt: skip

OWN_LAYER = Exercise(
    id="own-layer",
    title=Words("Each its own", "各管各的"),
    task=Words(
        "Two containers, `one` and `two`, both from `ubuntu:14.04`, both running. In `one` there is a file `/srv/note` with "
        "the word `mine` in it; in `two` there is no such file.",
        "两个容器 `one` 和 `two`，都来自 `ubuntu:14.04`，都在运行。`one` 里有文件 `/srv/note`，内容里有 `mine`；`two` 里没有这个文件。",
    ),
    start=("pull -q ubuntu:14.04",),
    checks=(
        container_exists("one", "ubuntu:14.04"), container_running("one"), container_exists("two", "ubuntu:14.04"),
        container_running("two"), container_file("one", "/srv/note", "mine"), no_container_file("two", "/srv/note"),
    ),
    hints=(
        Hint("both", WHERE, container_file("two", "/srv/note"),
             "`two` has the note, too. Was it made from an image that has it, or did you write it twice?",
             "`two` 里也有这个文件。是镜像里就有，还是你写了两次？"),
        Hint("ended", WHERE, container_stopped("one") | container_stopped("two"),
             "One of them has ended: its program had nothing more to do. `docker ps -a` shows which.",
             "其中一个已经结束了：它的程序没有事情可做。`docker ps -a` 会显示是哪一个。"),
        Hint("no-note", WHERE, container_running("one") & container_running("two"),
             "Both run. `docker diff one` shows what `one` has written so far.", "两个都在运行。`docker diff one` 显示 `one` 写过什么。"),
        Hint("first", WHERE, None, "`docker ps` should have two rows.", "`docker ps` 应该有两行。"),
        Hint("exec", WHICH, container_running("one") & container_running("two"),
             "`docker exec` starts one more program in a container that runs.", "`docker exec` 在运行的容器里再启动一个程序。"),
        Hint("detach", WHICH, None,
             "A container stays while its program does; `sleep` has patience. `-d` gives you the prompt back.",
             "程序不结束，容器就不结束；`sleep` 很有耐心。`-d` 让你立刻拿回提示符。"),
        Hint("exec-blanks", BLANKS, container_running("one") & container_running("two"),
             '`docker ____ one sh -c "echo ____ > /srv/note"`', '`docker ____ one sh -c "echo ____ > /srv/note"`'),
        Hint("run-blanks", BLANKS, None, "`docker run -_ --name one ubuntu:14.04 _____ 1000`", "`docker run -_ --name one ubuntu:14.04 _____ 1000`"),
        Hint("twin", TWIN, None,
             '`docker run -d --name web busybox sleep 500`, then `docker exec web sh -c "echo hi > /tmp/x"`.',
             '先 `docker run -d --name web busybox sleep 500`，再 `docker exec web sh -c "echo hi > /tmp/x"`。'),
    ),
    solution=(
        "docker run -d --name one ubuntu:14.04 sleep 1000", "docker run -d --name two ubuntu:14.04 sleep 1000",
        'docker exec one sh -c "echo mine > /srv/note"',
    ),
    alternates=(
        ('docker run -d --name one ubuntu:14.04 sh -c "echo mine > /srv/note; sleep 1000"', "docker run -d --name two ubuntu:14.04 sleep 1000"),
        ("docker run -d --name two ubuntu:14.04 sleep 900", "docker run -d --name one ubuntu:14.04 sleep 900", "docker exec -i one bash\necho all mine > /srv/note"),
        ("docker run -dit --name one ubuntu:14.04", "docker run -dt --name two ubuntu:14.04 bash", 'docker exec one sh -c "echo mine > /srv/note"'),
        ("docker create -it --name one ubuntu:14.04", "docker create -i --name two ubuntu:14.04", "docker start one two", "docker exec -i one tee /srv/note\nthis is mine, not yours"),
    ),
    wrong=(
        Wrong(("docker run -d --name one ubuntu:14.04 sleep 1000", "docker run -d --name two ubuntu:14.04 sleep 1000"), "no-note"),
        Wrong(('docker run --name one ubuntu:14.04 sh -c "echo mine > /srv/note"',), "ended"),
        Wrong(
            ("docker run -d --name one ubuntu:14.04 sleep 1000", "docker run -d --name two ubuntu:14.04 sleep 1000",
             'docker exec one sh -c "echo mine > /srv/note"', 'docker exec two sh -c "echo mine > /srv/note"'),
            "both",
        ),
        wrong("neither is from 14.04", "pull ubuntu:16.04", "tag ubuntu:16.04 ubuntu:14.04", "run -d --name one ubuntu:14.04 sleep 99", "run -d --name two ubuntu:14.04 sleep 99", 'exec one sh -c "echo mine > /srv/note"'),
        wrong("the word is another", "run -d --name one ubuntu:14.04 sleep 99", "run -d --name two ubuntu:14.04 sleep 99", 'exec one sh -c "echo undermined > /srv/note"'),
        wrong("a directory of that name", "run -d --name one ubuntu:14.04 sleep 99", "run -d --name two ubuntu:14.04 sleep 99", "exec one mkdir /srv/note"),
        wrong("`one` is from another image", "run -d --name src ubuntu:14.04 sleep 99", 'exec src sh -c "echo mine > /srv/note"', "commit src noted", "run -d --name one noted sleep 99", "run -d --name two ubuntu:14.04 sleep 99"),
        wrong("`two` is paused", "run -d --name one ubuntu:14.04 sleep 99", "run -d --name two ubuntu:14.04 sleep 99", 'exec one sh -c "echo mine > /srv/note"', "pause two"),
    ),
    why=Words(
        "A container is the image and one layer of its own. The note is in the layer of `one`; the image never noticed.",
        "容器就是镜像加上自己的一层。那个文件在 `one` 的一层里，镜像毫不知情。",
    ),
    par=3,
)  # fmt: skip

EXERCISES = (EXIT_CODE, OWN_LAYER)
