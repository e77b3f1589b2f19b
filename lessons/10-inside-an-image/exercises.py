"""Exercises of "Inside an image": the blob that keeps a secret, and a layer that only hides."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import answered, hides, image_exists, in_no_layer, layers_on_top
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

WHICH_BLOB = Exercise(
    id="which-blob",
    title=Words("Where the key lies", "钥匙在哪儿"),
    task=Words(
        "In `imagelab/leaky:1.0` a key lies hidden. In which **blob**, that is, in which file of the store? Give the first twelve "
        "digits of the file's name as a tag, and only these: were it `0123456789ab`, then `docker tag imagelab/leaky:1.0 answer:0123456789ab`.",
        "`imagelab/leaky:1.0` 里藏着一把钥匙。它在哪个**数据块**里，也就是存储里的哪个文件？把文件名的前十二位写成标签，只写这一个：假如是 "
        "`0123456789ab`，就 `docker tag imagelab/leaky:1.0 answer:0123456789ab`。",
    ),
    start=("pull -q imagelab/leaky:1.0",),
    checks=(answered(Words("`answer:` with the blob that holds `app/id_rsa`", "`answer:` 后面是装着 `app/id_rsa` 的数据块"), "d367d842e5d5"),),
    hints=(
        Hint("unpacked", WHERE, image_exists("answer:cbd3bde5ede7"),
             "The right layer, by the wrong name: that is the hash of the unpacked tar. In the store it lies packed.",
             "层是对的，名字不对：那是解压之后的 tar 的哈希。存储里放的是压缩的。"),
        Hint("chain", WHERE, image_exists("answer:f1b50db8f7be"),
             "The right layer, by the wrong name: that is its chain ID, which no file has for a name.",
             "层是对的，名字不对：那是它的链 ID，没有哪个文件叫这个名字。"),
        Hint("whiteout", WHERE, image_exists("answer:46b576c267ba"),
             "This one holds the whiteout: it says that the key is to be hidden, and is not the key.",
             "这个里面是白障：它只说要把钥匙遮住，并不是钥匙。"),
        Hint("where", WHERE, None,
             "The manifest lists four layers by the names of their files. List what is in each of them.",
             "清单列出四个层，用的就是文件名。把每一层的内容列出来看看。"),
        Hint("which", WHICH, None,
             "The cells of this lesson work here as well: read the manifest, `gzip.decompress`, `tarfile`.",
             "本课的单元格在这里同样能用：读清单、`gzip.decompress`、`tarfile`。"),
        Hint("blanks", BLANKS, None,
             "`for layer in manifest[\"______\"]: print(layer[\"______\"][7:19], members(gzip.decompress(read(layer[\"______\"]))))`",
             "`for layer in manifest[\"______\"]: print(layer[\"______\"][7:19], members(gzip.decompress(read(layer[\"______\"]))))`"),
        Hint("twin", TWIN, None,
             "`app/VERSION` lies in the blob `d1f3a846d75f`, the last of the manifest's list.",
             "`app/VERSION` 在数据块 `d1f3a846d75f` 里，是清单所列的最后一个。"),
    ),
    solution=("docker tag imagelab/leaky:1.0 answer:d367d842e5d5",),
    alternates=(
        ("docker tag 628cf6f27e98 answer:d367d842e5d5", "docker rmi imagelab/leaky:1.0"),
        ("docker pull busybox", "docker image tag busybox answer:d367d842e5d5"),
    ),
    wrong=(
        Wrong(("docker tag imagelab/leaky:1.0 answer:cbd3bde5ede7",), "unpacked"),
        Wrong(("docker tag imagelab/leaky:1.0 answer:f1b50db8f7be",), "chain"),
        Wrong(("docker tag imagelab/leaky:1.0 answer:46b576c267ba",), "whiteout"),
        Wrong(("docker tag imagelab/leaky:1.0 answer:d7064aefc4da",), "where"),
        wrong("nothing was answered", *(f"tag imagelab/leaky:1.0 answer:{digits}" for digits in ("d367d842e5d5", "cbd3bde5ede7", "46b576c267ba", "d1f3a846d75f"))),
    ),
    why=Words(
        "One layer, three names: the digest of its packed bytes names the file, the diff ID its contents, the chain ID its place.",
        "一个层，三个名字：压缩数据的摘要是文件名，diff ID 说的是内容，链 ID 说的是位置。",
    ),
    par=1,
)  # fmt: skip

_HIDDEN = hides("hidden:1", "/etc/passwd", "busybox")

HIDE = Exercise(
    id="hide-a-file",
    title=Words("A layer that only hides", "只遮不添的一层"),
    task=Words(
        "Make an image `hidden:1`: `busybox` with one layer on top, in which `/etc/passwd` can no longer be seen.",
        "做一个镜像 `hidden:1`：在 `busybox` 上面加一层，使 `/etc/passwd` 再也看不到。",
    ),
    start=("pull -q busybox", "pull -q alpine"),
    checks=(
        image_exists("hidden:1"),
        layers_on_top("hidden:1", "busybox"),
        _HIDDEN,
        (image_exists("hidden:1") & ~in_no_layer("hidden:1", "/etc/passwd")).saying("a layer below still has it", "下面的层里仍然有它"),
    ),
    hints=(
        Hint("other-base", WHERE, image_exists("hidden:1") & _HIDDEN & ~layers_on_top("hidden:1", "busybox"),
             "`hidden:1` hides the file, but it is not `busybox` and one layer more: `docker history hidden:1`.",
             "`hidden:1` 里确实看不到这个文件，但它不是 `busybox` 加一层：看 `docker history hidden:1`。"),
        Hint("still-seen", WHERE, image_exists("hidden:1") & ~_HIDDEN,
             "The file can still be seen: `docker run --rm hidden:1 ls /etc`.", "文件还看得到：`docker run --rm hidden:1 ls /etc`。"),
        Hint("no-image", WHERE, ~image_exists("hidden:1"),
             "No image is called `hidden:1` yet. What a container deletes is gone for that container only.",
             "还没有叫 `hidden:1` 的镜像。容器里删掉的东西，只对那个容器而言没了。"),
        Hint("which", WHICH, None,
             "A container deletes the file; another command makes its layer into an image.",
             "先让一个容器删除文件，再用一个命令把它的那一层变成镜像。"),
        Hint("blanks", BLANKS, None,
             "`docker run --name work busybox __ /etc/passwd`, then `docker ______ work hidden:1`",
             "`docker run --name work busybox __ /etc/passwd`，然后 `docker ______ work hidden:1`"),
        Hint("twin", TWIN, None,
             "For `/etc/group` of alpine: `docker run --name w2 alpine rm /etc/group`, then `docker commit w2 other:1`.",
             "如果是 alpine 的 `/etc/group`：`docker run --name w2 alpine rm /etc/group`，再 `docker commit w2 other:1`。"),
    ),
    solution=("docker run --name work busybox rm /etc/passwd", "docker commit work hidden:1"),
    alternates=(
        ("docker run --name work busybox rm -r /etc", "docker commit work hidden:1", "docker rm work"),
        ("docker run -d --name work busybox sleep 100", "docker exec work rm /etc/passwd", "docker commit work hidden:1"),
        ("docker build -t hidden:1 -\nFROM busybox\nWORKDIR /etc\nRUN rm passwd\nCMD [\"sh\"]\n",),
        ("docker run -dit --name work busybox", "docker exec -i work sh\nrm -f /etc/passwd", "docker container commit work hidden:1"),
    ),
    wrong=(
        Wrong(("docker run --rm busybox rm /etc/passwd",), "no-image"),
        Wrong(("docker run --name work busybox rm /etc/passwd", "docker tag busybox hidden:1"), "still-seen"),
        Wrong(("docker run --name work alpine rm /etc/passwd", "docker commit work hidden:1"), "other-base"),
        wrong("it stands on alpine", "tag alpine busybox", "run --name work busybox rm /etc/passwd", "commit work hidden:1"),
        wrong("the file has moved, and can be seen", "run --name work busybox mv /etc/passwd /etc/users", "commit work hidden:1"),
        wrong("no layer below has it", "run --name work busybox rm /etc/passwd", "export -o f.tar work", "import f.tar hidden:1"),
        wrong("two layers", "run --name work busybox rm /etc/passwd", "commit work half", "run --name more half touch /xx", "commit more hidden:1"),
    ),
    why=Words(
        "The new layer holds one whiteout, `etc/.wh.passwd`, and not a byte of the file. The file is where it was, one layer below.",
        "新的一层里只有一个白障 `etc/.wh.passwd`，没有文件的一个字节。文件还在原处，就在下面一层。",
    ),
    par=2,
)  # fmt: skip

EXERCISES = (WHICH_BLOB, HIDE)
