"""Exercises of "Save, load, export, import": a key left behind, one layer that still runs, and there and back."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.check import Check
from imagelab.course.checks import (
    away_and_back,
    config_has,
    image_exists,
    image_kept,
    same_files,
    secret_gone,
    starts_as,
    tag_kept,
)
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong
from imagelab.course.lab_snapshot import LabSnapshot

_KEYLESS = secret_gone("clean:1", "imagelab/leaky:1.0", "/app/id_rsa")

LEAVE_THE_KEY = Exercise(
    id="leave-the-key",
    title=Words("Leave the key behind", "把钥匙留下"),
    task=Words(
        "A key is hidden in a layer of `imagelab/leaky:1.0`. Make `clean:1`: the same files as one can see, the key in no layer. It "
        "need not know what to run.",
        "`imagelab/leaky:1.0` 的某一层里藏着一把钥匙。请做出 `clean:1`：看得见的文件都一样，而任何一层里都没有钥匙。不要求它知道运行什么。",
    ),
    start=("pull -q imagelab/leaky:1.0",),
    checks=(same_files("clean:1", "imagelab/leaky:1.0"), _KEYLESS),
    hints=(
        Hint("still-inside", WHERE, image_exists("clean:1") & ~_KEYLESS,
             "The key is still in `clean:1`, in one of its layers. A commit adds layers and takes none away.",
             "钥匙还在 `clean:1` 的某一层里。提交只会添层，不会减层。"),
        Hint("other-files", WHERE, image_exists("clean:1"),
             "No key in it, but the files are not the same: `/app/VERSION` says 2 there.",
             "钥匙没有了，但文件不一样：那边的 `/app/VERSION` 写着 2。"),
        Hint("no-image", WHERE, ~image_exists("clean:1"),
             "No image is called `clean:1` yet. Which of the two ways in this lesson takes only what can be seen?",
             "还没有叫 `clean:1` 的镜像。这一课的两条路，哪一条只带走看得见的？"),
        Hint("which", WHICH, None, "A container, its files as a tar, an image made of the tar: three commands.", "一个容器，它的文件打成 tar，再用 tar 做成镜像：三条命令。"),
        Hint("blanks", BLANKS, None,
             "`docker create --name leak imagelab/leaky:1.0`, `docker ______ -o files.tar leak`, `docker ______ files.tar clean:1`",
             "`docker create --name leak imagelab/leaky:1.0`，`docker ______ -o files.tar leak`，`docker ______ files.tar clean:1`"),
        Hint("twin", TWIN, None,
             "For whoami: `docker create --name w1 imagelab/whoami:0.1`, `docker export -o w.tar w1`, `docker import w.tar who:1`.",
             "如果是 whoami：`docker create --name w1 imagelab/whoami:0.1`、`docker export -o w.tar w1`、`docker import w.tar who:1`。"),
    ),
    solution=("docker create --name leak imagelab/leaky:1.0", "docker export -o files.tar leak", "docker import files.tar clean:1"),
    alternates=(
        ("docker run --name leak imagelab/leaky:1.0", "docker export --output=f.tar leak", "docker import -m clean f.tar clean:1", "docker rm leak"),
        (
            "docker run -d --name leak imagelab/leaky:1.0 sleep 100", "docker export -o f.tar leak", "docker import f.tar one",
            "docker tag one clean:1", "docker rm -f leak",
        ),
        ("docker container create --name leak imagelab/leaky:1.0", "docker container export --output f.tar leak", "docker image import -c 'CMD [\"cat\", \"/app/VERSION\"]' f.tar clean:1"),
        ("docker build -t clean:1 -\nFROM imagelab/leaky:1.0 AS old\nFROM scratch\nCOPY --from=old / /\n",),
    ),
    wrong=(
        Wrong(("docker run --name leak imagelab/leaky:1.0 rm -f /app/id_rsa", "docker commit leak clean:1"), "still-inside"),
        Wrong(("docker save -o saved.tar imagelab/leaky:1.0", "docker rmi imagelab/leaky:1.0", "docker load -i saved.tar", "docker tag imagelab/leaky:1.0 clean:1"), "still-inside"),
        Wrong(("docker pull -q alpine", "docker tag alpine clean:1"), "other-files"),
        Wrong(("docker create --name leak imagelab/leaky:1.0", "docker export -o files.tar leak"), "no-image"),
        wrong("not the same files", "run --name leak imagelab/leaky:1.0 rm -rf /etc /lib", "export -o f.tar leak", "import f.tar clean:1"),
        wrong("a file more", "run --name leak imagelab/leaky:1.0 touch /more", "export -o f.tar leak", "import f.tar clean:1"),
        wrong("another version", 'run --name leak imagelab/leaky:1.0 sh -c "echo 12 > /app/VERSION"', "export -o f.tar leak", "import f.tar clean:1"),
        wrong("the key is in the message", "create --name leak imagelab/leaky:1.0", "export -o f.tar leak", "import -m 'this key opens nothing; it is here to be deleted, and found again' f.tar clean:1"),
    ),
    why=Words(
        "`export` asked the container for its files, and the key is not among them: the whiteout did its work one last time.",
        "`export` 向容器要的是文件，钥匙不在其中：白障最后一次尽了职。",
    ),
    par=3,
)  # fmt: skip


def _layers(now: LabSnapshot) -> int:
    image = now.image("flat:1")
    return len(image.layers) if image else 0


_ONE_LAYER = Check(
    Words("`flat:1` has a single layer", "`flat:1` 只有一层"),
    lambda before, now: Words(f"`flat:1` has {_layers(now)} layers", f"`flat:1` 有 {_layers(now)} 层"),
    lambda before, now: _layers(now) == 1,
)
_FILES = same_files("flat:1", "nginx", "/run/nginx.pid", "/var/cache/nginx").saying(
    "`flat:1` has the files of `nginx`; what nginx itself writes when it starts does not count",
    "`flat:1` 的文件与 `nginx` 的一样；nginx 启动时自己写的不算",
)
_COMMAND = starts_as("flat:1", "nginx")
_PORT = config_has("flat:1", ExposedPorts="80/tcp")

FLAT = Exercise(
    id="flat-and-alive",
    title=Words("Flat, and alive", "压平了，还能跑"),
    task=Words(
        "Make `flat:1`: the files of `nginx` in a single layer, with the command `nginx -g \"daemon off;\"` and port 80, as nginx has "
        "them.",
        "做出 `flat:1`：`nginx` 的文件合成一层，启动命令 `nginx -g \"daemon off;\"` 和 80 端口与 nginx 相同。",
    ),
    start=("pull -q nginx",),
    checks=(_FILES, _ONE_LAYER, _COMMAND, _PORT),
    hints=(
        Hint("still-layers", WHERE, image_exists("flat:1") & ~_ONE_LAYER,
             "`flat:1` is not flat: `docker history flat:1` has more than one step.", "`flat:1` 并不平：`docker history flat:1` 不止一步。"),
        Hint("no-command", WHERE, image_exists("flat:1") & ~_COMMAND,
             "The files are there, but it does not start what nginx starts: compare `docker inspect -f \"{{json .Config}}\" nginx flat:1`.",
             "文件都在，但它启动的不是 nginx 启动的那个：比一比 `docker inspect -f \"{{json .Config}}\" nginx flat:1`。"),
        Hint("no-port", WHERE, image_exists("flat:1") & ~_PORT,
             "It knows its command and not its port: `docker inspect -f \"{{json .Config.ExposedPorts}}\" flat:1`.",
             "它知道命令，却不知道端口：看 `docker inspect -f \"{{json .Config.ExposedPorts}}\" flat:1`。"),
        Hint("no-image", WHERE, ~image_exists("flat:1"), "No image is called `flat:1` yet.", "还没有叫 `flat:1` 的镜像。"),
        Hint("which", WHICH, None,
             "An import makes one layer of a tar. Its option `-c` takes a line of a Dockerfile, and may be given more than once.",
             "import 把一个 tar 变成一层。它的 `-c` 选项接受一行 Dockerfile，可以写多次。"),
        Hint("blanks", BLANKS, None,
             "`docker import -c 'CMD [\"nginx\", \"__\", \"daemon off;\"]' -c '______ 80' files.tar flat:1`",
             "`docker import -c 'CMD [\"nginx\", \"__\", \"daemon off;\"]' -c '______ 80' files.tar flat:1`"),
        Hint("twin", TWIN, None,
             "For redis: `docker import -c 'CMD [\"redis-server\"]' -c 'EXPOSE 6379' r.tar flatredis:1`, with `r.tar` exported before.",
             "如果是 redis：先导出 `r.tar`，再 `docker import -c 'CMD [\"redis-server\"]' -c 'EXPOSE 6379' r.tar flatredis:1`。"),
    ),
    solution=(
        "docker create --name web nginx", "docker export -o files.tar web",
        "docker import -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' -c 'EXPOSE 80' files.tar flat:1",
    ),
    alternates=(
        (
            "docker run -d --name web nginx", "docker export -o w.tar web", "docker rm -f web",
            "docker import -c 'EXPOSE 80/tcp' -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' -m flat w.tar flat:1",
        ),
        (
            "docker create --name web nginx", "docker export --output f.tar web",
            "docker import --change 'ENTRYPOINT [\"/usr/sbin/nginx\", \"-g\"]' --change 'CMD [\"daemon off;\"]' --change 'EXPOSE 80 443' f.tar flat:1",
        ),
        ('docker build -t flat:1 -\nFROM nginx AS all\nFROM scratch\nCOPY --from=all / /\nEXPOSE 80\nCMD ["nginx", "-g", "daemon off;"]\n',),
    ),
    wrong=(
        Wrong(("docker create --name web nginx", "docker commit web flat:1"), "still-layers"),
        Wrong(("docker create --name web nginx", "docker export -o f.tar web", "docker import f.tar flat:1"), "no-command"),
        Wrong(
            ("docker create --name web nginx", "docker export -o f.tar web",
             "docker import -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' f.tar flat:1"), "no-port",
        ),
        Wrong(("docker save -o f.tar nginx", "docker import f.tar flat:2"), "no-image"),
        wrong("it does not start nginx", "create --name web nginx", "export -o f.tar web", "import -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' -c 'EXPOSE 80' -c 'ENTRYPOINT [\"false\"]' f.tar flat:1"),
        wrong("it starts a shell first", "create --name web nginx", "export -o f.tar web", "import -c 'CMD nginx -g \"daemon off;\"' -c 'EXPOSE 80' f.tar flat:1"),
        wrong("a file is lost", "run --name web nginx rm -r /etc/nginx", "export -o f.tar web", "import -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' -c 'EXPOSE 80' f.tar flat:1"),
        wrong("they are not the files of nginx", "pull redis", "tag redis nginx", "run --name web nginx sh -c 'mkdir -p /usr/share/nginx/html; echo hi > /usr/share/nginx/html/index.html'", "export -o f.tar web", "import -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' -c 'EXPOSE 80' f.tar flat:1"),
    ),
    why=Words(
        "The files went through the tar; what the image knows besides files had to be told again.",
        "文件是跟着 tar 走的；镜像在文件之外知道的事，得再告诉它一遍。",
    ),
    par=3,
)  # fmt: skip


def _digestless(now: LabSnapshot) -> bool:
    image_id = now.id_of("redis:alpine")
    return image_id is not None and not now.state.digests(image_id)


_NO_DIGEST = Check(
    Words("`redis:alpine` has no digest any more", "`redis:alpine` 不再带有摘要"),
    Words("`redis:alpine` is not here, or has a digest: `docker images --digests`", "没有 `redis:alpine`，或者它还带着摘要：看 `docker images --digests`"),
    lambda before, now: _digestless(now),
)  # fmt: skip

THERE_AND_BACK = Exercise(
    id="there-and-back",
    title=Words("There and back", "一去一回"),
    task=Words(
        "Send `redis:alpine` into a file, remove it, and bring it back from the file: the same name, the same image, but without a "
        "digest, as on a machine that never met a registry.",
        "把 `redis:alpine` 存进文件，删掉它，再从文件里取回来：名字相同，镜像相同，只是没有了摘要，就像在一台从没连过仓库服务的机器上。",
    ),
    start=("pull -q redis:alpine",),
    checks=(tag_kept("redis:alpine"), _NO_DIGEST, away_and_back("redis:alpine")),
    hints=(
        Hint("gone", WHERE, ~image_kept("redis:alpine"), "The image is gone, and not yet back.", "镜像已经删了，还没有取回来。"),
        Hint("nameless", WHERE, image_kept("redis:alpine") & ~tag_kept("redis:alpine"),
             "It is back, and has lost its name: saved by its ID, a file knows no name.", "镜像回来了，名字却丢了：用 ID 保存，文件里就没有名字。"),
        Hint("still-digest", WHERE, tag_kept("redis:alpine") & ~_NO_DIGEST,
             "It still has its digest. Loading what is here already changes nothing.", "摘要还在。已经有的东西，再载入也不会变。"),
        Hint("which", WHICH, None, "Save, remove, load, in this order.", "依次是保存、删除、载入。"),
        Hint("blanks", BLANKS, None, "`docker ____ -o r.tar redis:alpine`, `docker rmi redis:alpine`, `docker ____ -i r.tar`",
             "`docker ____ -o r.tar redis:alpine`，`docker rmi redis:alpine`，`docker ____ -i r.tar`"),
        Hint("twin", TWIN, None, "With busybox: `docker save -o b.tar busybox`, `docker rmi busybox`, `docker load -i b.tar`.",
             "换成 busybox：`docker save -o b.tar busybox`、`docker rmi busybox`、`docker load -i b.tar`。"),
    ),
    solution=("docker save -o r.tar redis:alpine", "docker rmi redis:alpine", "docker load -i r.tar"),
    alternates=(
        ("docker image save --output r.tar 064", "docker image prune -a -f", "docker image load --input r.tar", "docker tag 064 redis:alpine"),
        ("docker save redis:alpine --output r.tar", "docker image rm redis:alpine", "docker image load --quiet --input r.tar"),
    ),
    wrong=(
        Wrong(("docker save -o r.tar redis:alpine", "docker rmi redis:alpine"), "gone"),
        Wrong(("docker save -o r.tar 064", "docker rmi redis:alpine", "docker load -i r.tar"), "nameless"),
        Wrong(("docker save -o r.tar redis:alpine", "docker load -i r.tar"), "still-digest"),
        wrong("it never went away", "rmi redis@sha256:b0101fc5464b3693fe04c171585ee89231ba76c2dd284805533c59830300baf3"),
        wrong("it came back from the registry", "rmi redis:alpine", "pull redis:alpine", "rmi redis@sha256:b0101fc5464b3693fe04c171585ee89231ba76c2dd284805533c59830300baf3"),
        wrong("another image", "create --name rr redis:alpine", "export -o r.tar rr", "rm rr", "rmi redis:alpine", "import r.tar redis:alpine"),
    ),
    why=Words(
        "Name and config were in the file, so the name and the ID came back. The digest is a registry's word, and none was asked.",
        "名字和配置都在文件里，所以名字和 ID 都回来了。摘要是仓库服务说的话，而这一路没有问过它。",
    ),
    par=3,
)  # fmt: skip

EXERCISES = (THERE_AND_BACK, LEAVE_THE_KEY, FLAT)
