"""Exercises of "Building, layer by layer": a page written down, a layer without leftovers, an image without a layer."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import (
    built,
    bytes_gone,
    config_has,
    image_exists,
    in_no_layer,
    layers_on_top,
    no_file_in_image,
    starts,
    step_writes,
    text_is,
)
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

PAGE = "/usr/share/nginx/html/index.html"
_PAGE = text_is("page:1", PAGE, "<h1>Built</h1>")
_ONE = layers_on_top("page:1", "nginx")
_BUILT = built("page:1", "nginx")

WRITTEN_DOWN = Exercise(
    id="written-down",
    title=Words("Written down", "白纸黑字"),
    task=Words(
        f"Build `page:1` from `nginx`: `{PAGE}` says `<h1>Built</h1>`, in one new layer, and `docker history` tells how that was done.",
        f"由 `nginx` 构建 `page:1`：`{PAGE}` 的内容是 `<h1>Built</h1>`，只多一层，而且 `docker history` 说得出是怎么做的。",
    ),
    start=("pull -q nginx",),
    checks=(
        _PAGE, _ONE,
        _BUILT.saying("`page:1` was built, so that its history tells how", "`page:1` 是构建出来的，历史说得出是怎么做的"),
    ),
    hints=(
        Hint("not-told", WHERE, _PAGE & ~_BUILT,
             "The page is right, but `docker history page:1` does not say where it comes from: so it looks after a commit.",
             "网页是对的，但 `docker history page:1` 说不出它从何而来：提交出来的镜像就是这样。"),
        Hint("two-layers", WHERE, _PAGE & ~_ONE,
             "The page is right, in more layers than one: each `RUN` that changes a file makes its own.",
             "网页是对的，但多了不止一层：每个改动文件的 `RUN` 都有自己的一层。"),
        Hint("other-page", WHERE, image_exists("page:1"), "`page:1` is there, with another page.", "`page:1` 有了，网页却不对。"),
        Hint("no-image", WHERE, ~image_exists("page:1"),
             "No image is called `page:1` yet. The cell at the top of the lesson made one very much like it.",
             "还没有叫 `page:1` 的镜像。本课开头就做过一个很像的。"),
        Hint("which", WHICH, None, "A Dockerfile of two lines: where to start, and what to run.", "两行的 Dockerfile：从哪里开始，执行什么。"),
        Hint("blanks", BLANKS, None,
             f"`%%dockerfile page:1`, below it `____ nginx` and `___ echo '<h1>Built</h1>' > {PAGE}`",
             f"`%%dockerfile page:1`，下面写 `____ nginx` 和 `___ echo '<h1>Built</h1>' > {PAGE}`"),
        Hint("twin", TWIN, None,
             "For busybox: `%%dockerfile note:1`, `FROM busybox`, `RUN echo hello > /note`.",
             "如果是 busybox：`%%dockerfile note:1`、`FROM busybox`、`RUN echo hello > /note`。"),
    ),
    solution=(f"docker build -t page:1 -\nFROM nginx\nRUN echo '<h1>Built</h1>' > {PAGE}\n",),
    alternates=(
        (f'docker build -t page:1 -\nFROM nginx:latest\nWORKDIR /usr/share/nginx/html\nENV A=b\nRUN ["sh", "-c", "echo \'<h1>Built</h1>\' > {PAGE}"]\n',),
        (f"docker build -t first -\nFROM nginx\nRUN printf '<h1>Built</h1>' > {PAGE}\n", "docker tag first page:1"),
        ("docker build -t page:1 -\nFROM nginx\nWORKDIR /usr/share/nginx/html\nRUN echo '<h1>Built</h1>' > index.html\n",),
        ("docker build -t page:1 -\nFROM nginx\nRUN cd /usr/share/nginx/html && printf '<h1>%s</h1>' Built > index.html\n",),
        ("docker image build --tag page:1 -\nFROM busybox AS one\nRUN echo '<h1>Built</h1>' > /index.html\nFROM nginx\nCOPY --from=one /index.html /usr/share/nginx/html/\n",),
        ("docker build --buildkit -t page:1 -\nFROM nginx\nRUN echo '<h1>Built</h1>' > /usr/share/nginx/html/index.html\n",),
    ),
    wrong=(
        Wrong(("docker run -d --name web nginx", f"docker exec web sh -c \"echo '<h1>Built</h1>' > {PAGE}\"", "docker commit web page:1"), "not-told"),
        Wrong((f"docker build -t page:1 -\nFROM nginx\nRUN rm {PAGE}\nRUN echo '<h1>Built</h1>' > {PAGE}\n",), "two-layers"),
        Wrong(("docker build -t page:1 -\nFROM nginx\nRUN echo '<h1>Built</h1>' > /index.html\n",), "other-page"),
        Wrong((f"docker build -\nFROM nginx\nRUN echo '<h1>Built</h1>' > {PAGE}\n",), "no-image"),
        wrong("the history only says that", "run -d --name web nginx", f"exec web sh -c \"echo '<h1>Built</h1>' > {PAGE}\"", f'commit -m "changed {PAGE}" web page:1'),
        wrong("a label on what was committed", "run -d --name web nginx", f"exec web sh -c \"echo '<h1>Built</h1>' > {PAGE}\"", "commit web page:0", f'build -t page:1 -\nFROM page:0\nLABEL how="echo > {PAGE}"\n'),
        wrong("it is not from nginx", "pull busybox", "tag busybox nginx", f"build -t page:1 -\nFROM nginx\nRUN mkdir -p /usr/share/nginx/html && echo '<h1>Built</h1>' > {PAGE}\n"),
        wrong("the page says more", f"build -t page:1 -\nFROM nginx\nRUN echo '<h1>Built</h1> of lies' > {PAGE}\n"),
    ),
    why=Words(
        "The same layer as after a commit, without its noise; and whoever has the image can read how to make it again.",
        "和提交得到的是同一层，却没有杂物；而且拿到镜像的人都能读到，怎样再做一遍。",
    ),
    par=1,
)  # fmt: skip

_RESULT = text_is("slim:1", "/result", "done")
_FROM = layers_on_top("slim:1", "busybox", None).saying(
    "`slim:1` is built on `busybox`", "`slim:1` 是在 `busybox` 上构建的"
)
_BIG = bytes(50000)

SLIM = Exercise(
    id="slim",
    title=Words("Nothing left lying about", "不留一点杂物"),
    task=Words(
        "Build `slim:1` from `busybox`. One step writes `/big` (`head -c 50000 /dev/zero > /big`), one writes `done` into `/result`, and `/big` "
        "is to be in no layer of the image.",
        "由 `busybox` 构建 `slim:1`。过程中要写出 `/big`（`head -c 50000 /dev/zero > /big`），再把 `done` 写进 `/result`；镜像的任何一层里都不许有 `/big`。",
    ),
    start=("pull -q busybox",),
    checks=(
        _FROM, _RESULT, bytes_gone("slim:1", "/big", _BIG), step_writes("slim:1", "/big", ("50000", "/dev/zero")),
    ),
    hints=(
        Hint("hidden", WHERE, _RESULT & no_file_in_image("slim:1", "/big") & ~in_no_layer("slim:1", "/big"),
             "`/big` cannot be seen, and is still there: `docker history slim:1` has a step of 50kB. Where was it deleted, and when was that layer written?",
             "`/big` 看不到了，但它还在：`docker history slim:1` 里有一步是 50kB。它是在哪一步删的？那一层又是什么时候写下的？"),
        Hint("in-sight", WHERE, _RESULT & ~no_file_in_image("slim:1", "/big"), "`/big` is in the image, in plain sight.", "`/big` 就明摆在镜像里。"),
        Hint("other-base", WHERE, image_exists("slim:1") & _RESULT & ~_FROM,
             "`slim:1` does not begin with the layers of `busybox`: compare `docker history` of the two.", "`slim:1` 不是以 `busybox` 的层开头的：比较两者的 `docker history`。"),
        Hint("no-result", WHERE, image_exists("slim:1"), "`slim:1` lacks something: `/result` with `done` in it, or the step that writes `/big`.",
             "`slim:1` 还缺点什么：写着 `done` 的 `/result`，或者写出 `/big` 的那一步。"),
        Hint("no-image", WHERE, ~image_exists("slim:1"), "No image is called `slim:1` yet.", "还没有叫 `slim:1` 的镜像。"),
        Hint("which", WHICH, None, "What is made and deleted within one `RUN` is in no layer.", "在同一个 `RUN` 里产生又删除的东西，不会进入任何一层。"),
        Hint("blanks", BLANKS, None,
             "`RUN head -c 50000 /dev/zero > /big __ echo done > /result && __ /big`",
             "`RUN head -c 50000 /dev/zero > /big __ echo done > /result && __ /big`"),
        Hint("twin", TWIN, None,
             "With a download: `RUN wget -O x.tar.gz … && tar -xzf x.tar.gz && rm x.tar.gz`.",
             "换成下载：`RUN wget -O x.tar.gz … && tar -xzf x.tar.gz && rm x.tar.gz`。"),
    ),
    solution=("docker build -t slim:1 -\nFROM busybox\nRUN head -c 50000 /dev/zero > /big && echo done > /result && rm /big\n",),
    alternates=(
        ("docker build -t slim:1 -\nFROM busybox\nRUN echo done > /result\nRUN head -c 50000 /dev/zero > /big && rm /big\n",),
        ("docker build -t slim:1 -\nFROM busybox AS work\nRUN head -c 50000 /dev/zero > /big\nRUN echo done > /result\nFROM busybox\nCOPY --from=work /result /result\n",),
        ("docker build --buildkit -t slim:1 -\nFROM busybox AS work\nRUN head -c 50000 /dev/zero > /big && echo done > /result\nFROM busybox\nCOPY --from=work /result /\n",),
        ("docker build -t slim:1 -\nFROM busybox\nWORKDIR /\nRUN head -c 50000 /dev/zero > big; echo done > result; rm big\n", "docker image prune -f"),
        ('docker build -t slim:1 -\nFROM busybox\nRUN ["sh", "-c", "head -c 50000 /dev/zero > /big && printf done > /result && rm /big"]\n',),
        ("docker run --name made busybox sh -c 'dd if=/dev/zero of=/big bs=1000 count=50; echo done > /result; rm /big'", "docker commit made slim:1"),
    ),
    wrong=(
        Wrong(("docker build -t slim:1 -\nFROM busybox\nRUN head -c 50000 /dev/zero > /big\nRUN echo done > /result\nRUN rm /big\n",), "hidden"),
        Wrong(("docker build -t slim:1 -\nFROM busybox\nRUN head -c 50000 /dev/zero > /big && echo done > /result\n",), "in-sight"),
        Wrong(("docker build -t slim:1 -\nFROM busybox\nRUN head -c 50000 /dev/zero > /big && rm /big\n",), "no-result"),
        Wrong(("pull alpine", "build -t slim:1 -\nFROM alpine\nRUN head -c 50000 /dev/zero > /big && echo done > /result && rm /big\n"), "other-base"),
        wrong("another image is called busybox", "pull alpine", "tag alpine busybox", "build -t slim:1 -\nFROM busybox\nRUN head -c 50000 /dev/zero > /big && echo done > /result && rm /big\n"),
        wrong("/big was never written", "build -t slim:1 -\nFROM busybox\nRUN echo done > /result # head -c 50000 /dev/zero > /big\n"),
        wrong("a label only says so", 'build -t slim:1 -\nFROM busybox\nRUN echo done > /result\nLABEL how="head -c 50000 /dev/zero > /big"\n'),
        wrong("what /big held lies elsewhere", "build -t slim:1 -\nFROM busybox\nRUN head -c 50000 /dev/zero > /big && echo done > /result && mv /big /small\n"),
        wrong("the result is another", "build -t slim:1 -\nFROM busybox\nRUN head -c 50000 /dev/zero > /big && echo not done > /result && rm /big\n"),
        wrong("a directory", "build -t slim:1 -\nFROM busybox\nRUN head -c 50000 /dev/zero > /big && mkdir -p /result/done && rm /big\n"),
    ),
    why=Words(
        "A layer is written when its step ends. What was gone by then was never in it.",
        "一步结束的时候，才写下它的那一层。那时已经不在的东西，从来就没有进去过。",
    ),
    par=1,
)  # fmt: skip

_ENV, _CMD = config_has("words:1", Env="MOOD=good"), starts("words:1", "echo", "hi")
_NO_LAYER = layers_on_top("words:1", "busybox", 0).saying(
    "`words:1` has the layers of `busybox` and no more", "`words:1` 的层和 `busybox` 一样，没有更多"
)

ONLY_WORDS = Exercise(
    id="only-words",
    title=Words("Only words", "只动笔墨"),
    task=Words(
        "Build `words:1` from `busybox` without one more layer: the variable `MOOD` is `good` in it, and it starts the program `echo` with the "
        "argument `hi`, without a shell.",
        "由 `busybox` 构建 `words:1`，一层也不加：其中变量 `MOOD` 的值是 `good`，启动的程序是 `echo`，参数是 `hi`，不经过 shell。",
    ),
    start=("pull -q busybox",),
    checks=(_ENV, _CMD, _NO_LAYER),
    hints=(
        Hint("a-layer", WHERE, image_exists("words:1") & ~_NO_LAYER,
             "There is a layer too many: `docker history words:1`. Some step has changed a file.", "多了一层：看 `docker history words:1`。有一步改动了文件。"),
        Hint("through-a-shell", WHERE, config_has("words:1", Cmd=["/bin/sh", "-c", "echo hi"]),
             "It says hi, by way of a shell: `docker inspect -f \"{{json .Config.Cmd}}\" words:1` has three words.",
             "它会说 hi，但绕了 shell：`docker inspect -f \"{{json .Config.Cmd}}\" words:1` 有三个词。"),
        Hint("no-variable", WHERE, _CMD & ~_ENV,
             "The variable is not in the config. What a `RUN` sets is gone when its shell ends.", "配置里没有这个变量。`RUN` 里设置的，shell 一结束就没了。"),
        Hint("no-command", WHERE, _ENV & ~_CMD, "The variable is there. The command is not yet.", "变量有了，启动命令还不对。"),
        Hint("no-image", WHERE, None, "No image is called `words:1` yet, or it is as busybox is.", "还没有叫 `words:1` 的镜像，或者它和 busybox 一模一样。"),
        Hint("which", WHICH, None, "Two instructions that only write into the config. One takes a list in brackets.", "两条只写配置的指令。其中一条用方括号里的列表。"),
        Hint("blanks", BLANKS, None, "`FROM busybox`, `___ MOOD=good`, `___ [\"echo\", \"__\"]`", "`FROM busybox`、`___ MOOD=good`、`___ [\"echo\", \"__\"]`"),
        Hint("twin", TWIN, None, "A sleeper: `FROM busybox`, `ENV HOURS=8`, `CMD [\"sleep\", \"100\"]`.", "换成睡觉的：`FROM busybox`、`ENV HOURS=8`、`CMD [\"sleep\", \"100\"]`。"),
    ),
    solution=('docker build -t words:1 -\nFROM busybox\nENV MOOD=good\nCMD ["echo", "hi"]\n',),
    alternates=(
        ('docker build -t words:1 -\nFROM busybox\nRUN true\nCMD ["echo", "hi"]\nENV MOOD good\nLABEL a=b\n',),
        ("docker create --name ww busybox", "docker commit -c 'ENV MOOD=good' -c 'CMD [\"echo\", \"hi\"]' ww words:1"),
        ('docker build -t words:1 -\nFROM busybox\nENV MOOD=good\nENTRYPOINT ["echo"]\nCMD ["hi"]\n',),
        ('docker build -t words:1 -\nFROM busybox\nENV MOOD good\nENTRYPOINT ["/bin/echo", "hi"]\nCMD []\n',),
        ("docker create --name ww --entrypoint echo -e MOOD=good busybox hi", "docker commit ww words:1"),
    ),
    wrong=(
        Wrong(("docker build -t words:1 -\nFROM busybox\nENV MOOD=good\nCMD echo hi\n",), "through-a-shell"),
        Wrong(('docker build -t words:1 -\nFROM busybox\nRUN export MOOD=good\nCMD ["echo", "hi"]\n',), "no-variable"),
        Wrong(('docker build -t words:1 -\nFROM busybox\nRUN echo MOOD=good > /etc/mood\nCMD ["echo", "hi"]\n',), "a-layer"),
        Wrong(("docker tag busybox words:1",), "no-image"),
        wrong("it starts a shell", 'build -t words:1 -\nFROM busybox\nENV MOOD=good\nENTRYPOINT ["sh", "-c"]\nCMD ["echo", "hi"]\n'),
        wrong("the layers are those of alpine", "pull alpine", "tag alpine busybox", 'build -t words:1 -\nFROM busybox\nENV MOOD=good\nCMD ["echo", "hi"]\n'),
        wrong("the value is another", 'build -t words:1 -\nFROM busybox\nENV MOOD=goodish\nCMD ["echo", "hi"]\n'),
        wrong("echo is said twice", 'build -t words:1 -\nFROM busybox\nENV MOOD=good\nENTRYPOINT ["echo"]\nCMD ["echo", "hi"]\n'),
    ),
    why=Words(
        "Another config, so another image ID; the files are those of busybox, down to the last layer.",
        "配置不同，所以镜像 ID 不同；文件还是 busybox 的那些，一层不多。",
    ),
    par=1,
)  # fmt: skip

EXERCISES = (WRITTEN_DOWN, SLIM, ONLY_WORDS)
