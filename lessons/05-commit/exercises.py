"""Exercises of "Understanding an image through commit": a page of one's own, a clean layer, a secret that stays."""

from __future__ import annotations

from imagelab.course.bilingual import Words
from imagelab.course.checks import (
    file_in_image,
    history_has,
    image_exists,
    in_no_layer,
    layers_on_top,
    no_file_in_image,
    only_changed,
    page_says,
    same_file,
    same_files,
    secret_gone,
    starts_as,
)
from imagelab.course.exercise import BLANKS, TWIN, WHERE, WHICH, Exercise, Hint, Wrong, wrong

PAGE = "/usr/share/nginx/html/index.html"

OWN_PAGE = Exercise(
    id="own-page",
    title=Words("A page of your own", "自己的网页"),
    task=Words(
        f"Make an image `nginx:v2`: `nginx` with one more layer, in which `{PAGE}` has the line `Hello, Docker!`, in tags or not. "
        "Its history must say `my page`.",
        f"做一个镜像 `nginx:v2`：在 `nginx` 上加一层，让 `{PAGE}` 里有一行 `Hello, Docker!`，有没有标签都行，历史里要有说明 `my page`。",
    ),
    start=("pull -q nginx",),
    checks=(
        image_exists("nginx:v2"), layers_on_top("nginx:v2", "nginx"), page_says("nginx:v2", PAGE, "Hello, Docker!"),
        history_has("nginx:v2", "my page"),
    ),
    hints=(
        Hint("no-image", WHERE, ~image_exists("nginx:v2"),
             "`docker images nginx` has no row `v2`. What you changed is in a container until it is committed.",
             "`docker images nginx` 里还没有 `v2`。提交之前，改动只在容器里。"),
        Hint("old-page", WHERE, ~page_says("nginx:v2", PAGE, "Hello, Docker!"),
             "`nginx:v2` does not have that page. Was the page changed before the commit, and in the container that was committed?",
             "`nginx:v2` 里不是那个网页。是在提交之前改的吗？改的是提交的那个容器吗？"),
        Hint("two-layers", WHERE, ~layers_on_top("nginx:v2", "nginx"),
             "`nginx:v2` does not stand on nginx with one layer more. Compare `docker history` of the two.",
             "`nginx:v2` 不是在 nginx 上只加一层。比较两者的 `docker history`。"),
        Hint("no-message", WHERE, ~history_has("nginx:v2", "my page"),
             "The COMMENT in the top row of `docker history nginx:v2` should say `my page`.",
             "`docker history nginx:v2` 最上面一行的 COMMENT 应该是 `my page`。"),
        Hint("steps", WHICH, ~image_exists("nginx:v2"), "Three steps: run it, change the page in it, commit it.", "三步：运行，改里面的网页，提交。"),
        Hint("message", WHICH, ~history_has("nginx:v2", "my page"), "A commit takes `--message`.", "提交时可以带 `--message`。"),
        Hint("blanks", BLANKS, None,
             f'`docker ____ web sh -c "echo ____ > {PAGE}"`, then `docker ______ -_ "my page" web nginx:v2`',
             f'`docker ____ web sh -c "echo ____ > {PAGE}"`，然后 `docker ______ -_ "my page" web nginx:v2`'),
        Hint("twin", TWIN, None,
             'With ubuntu: `docker run --name note ubuntu:14.04 sh -c "echo hi > /note"`, then `docker commit -m "a note" note ubuntu:note`.',
             '换成 ubuntu：先 `docker run --name note ubuntu:14.04 sh -c "echo hi > /note"`，再 `docker commit -m "a note" note ubuntu:note`。'),
    ),
    solution=(
        "docker run -d --name web nginx", f"docker exec web sh -c \"echo '<h1>Hello, Docker!</h1>' > {PAGE}\"",
        'docker commit -m "my page" web nginx:v2',
    ),
    alternates=(
        (f"docker run --name page nginx sh -c \"echo 'Hello, Docker!' > {PAGE}\"", 'docker commit --message "this is my page" page nginx:v2'),
        ("docker run -d --name web nginx", f"docker exec -i web bash\necho '<h1>Hello, Docker!</h1>' > {PAGE}\nexit", 'docker commit -a me -m "my page" web nginx:v2'),
        (f"docker build -t nginx:v2 -\nFROM nginx\nRUN echo 'Hello, Docker!' > {PAGE} # my page\n",),
        ("docker run --name page nginx sed -i 's/Welcome to nginx!/Hello, Docker!/' /usr/share/nginx/html/index.html", "docker commit -m 'my page' page nginx:v2"),
    ),
    wrong=(
        Wrong(("docker run -d --name web nginx", f"docker exec web sh -c \"echo 'Hello, Docker!' > {PAGE}\""), "no-image"),
        Wrong(("docker run -d --name web nginx", 'docker commit -m "my page" web nginx:v2'), "old-page"),
        Wrong((f"docker run --name page nginx sh -c \"echo 'Hello, Docker!' > {PAGE}\"", "docker commit page nginx:v2"), "no-message"),
        Wrong(("docker tag nginx nginx:v2",), "old-page"),
        wrong("it is not nginx and one more layer", "pull busybox", "tag busybox nginx", f"run --name page nginx sh -c \"mkdir -p /usr/share/nginx/html; echo 'Hello, Docker!' > {PAGE}\"", 'commit -m "my page" page nginx:v2'),
        wrong("the page says something else", f"run --name page nginx sh -c \"echo 'Never say Hello, Docker! here' > {PAGE}\"", 'commit -m "my page" page nginx:v2'),
        wrong("the page is a directory", f"run --name page nginx sh -c \"rm {PAGE}; mkdir {PAGE}\"", 'commit -m "my page: Hello, Docker!" page nginx:v2'),
        wrong("flat: not one layer more", "create --name page nginx", "export -o p.tar page", "import -m 'my page' p.tar nginx:v2"),
    ),
    why=Words(
        "The commit wrote the container's layer down and put it on nginx's; the page is in it, and whatever else had changed.",
        "commit 把容器的那一层写下来，叠在 nginx 的层上面；网页在里面，碰巧变过的其他东西也在里面。",
    ),
    par=3,
)  # fmt: skip

CLEAN = Exercise(
    id="clean-layer",
    title=Words("Nothing else in it", "别的什么也没有"),
    task=Words(
        f"Make `nginx:clean` from `nginx`, whose top layer holds `{PAGE}` with `Hello, Docker!` in it and *nothing else*: no process ID, no "
        "shell history. It must still start nginx, with the same words as `nginx` does.",
        f"由 `nginx` 做一个 `nginx:clean`：最上面一层里只有写着 `Hello, Docker!` 的 `{PAGE}`，**别的什么也没有**：没有进程号文件，没有命令历史。"
        "它还要能启动 nginx，用的词与 `nginx` 一样。",
    ),
    start=("pull -q nginx",),
    checks=(
        file_in_image("nginx:clean", PAGE, "Hello, Docker!"), only_changed("nginx:clean", PAGE),
        same_files("nginx:clean", "nginx", PAGE), starts_as("nginx:clean", "nginx"),
    ),
    hints=(
        Hint("no-image", WHERE, ~image_exists("nginx:clean"), "There is no `nginx:clean` yet.", "还没有 `nginx:clean`。"),
        Hint("old-page", WHERE, ~file_in_image("nginx:clean", PAGE, "Hello, Docker!"),
             "`nginx:clean` does not have the new page.", "`nginx:clean` 里没有新网页。"),
        Hint("noise", WHERE, ~only_changed("nginx:clean", PAGE),
             "There is more in the layer: `docker diff` of your container shows what. Who wrote it?",
             "这一层里还有别的东西：对容器执行 `docker diff` 就能看到。是谁写的？"),
        Hint("other-command", WHERE, None,
             "The layer is clean, but the image would start what your container started. See `Entrypoint` and `Cmd` in `docker image inspect`.",
             "层是干净的，但镜像会启动你的容器启动过的那个程序。看 `docker image inspect` 里的 `Entrypoint` 和 `Cmd`。"),
        Hint("without-nginx", WHICH, ~only_changed("nginx:clean", PAGE),
             "nginx writes its files when it starts. A container that has never run nginx has none of them; `docker cp`, or a run "
             "of something else, can bring the page.",
             "nginx 启动时会写下自己的文件。从没运行过 nginx 的容器就没有这些；网页可以用 `docker cp` 放进去，也可以运行别的程序来写。"),
        Hint("change", WHICH, None, "A commit can change the config as well: `--change`.", "提交时还可以改配置：`--change`。"),
        Hint("blanks", BLANKS, None,
             "`docker commit --______ 'CMD [\"_____\", \"-g\", \"daemon off;\"]' page nginx:clean`",
             "`docker commit --______ 'CMD [\"_____\", \"-g\", \"daemon off;\"]' page nginx:clean`"),
        Hint("twin", TWIN, None,
             "With redis: `docker run --name cache redis sh -c \"echo x > /note\"`, then `docker commit --change 'CMD [\"redis-server\"]' cache redis:note`.",
             "换成 redis：先 `docker run --name cache redis sh -c \"echo x > /note\"`，再 `docker commit --change 'CMD [\"redis-server\"]' cache redis:note`。"),
    ),
    solution=(
        f"docker run --name page nginx sh -c \"echo 'Hello, Docker!' > {PAGE}\"",
        "docker commit --change 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' page nginx:clean",
    ),
    alternates=(
        (f"docker run --name p2 nginx sh -c \"echo '<h1>Hello, Docker!</h1>' > {PAGE}\"",
         "docker commit -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' p2 nginx:clean"),
        (f"docker run --name page nginx sh -c \"echo 'Hello, Docker!' > {PAGE}\"", "docker commit -c 'ENTRYPOINT [\"/usr/sbin/nginx\"]' -c 'CMD [\"-g\", \"daemon off;\"]' page nginx:clean"),
        (f"docker build -t nginx:clean -\nFROM nginx\nRUN echo 'Hello, Docker!' > {PAGE}\n",),
        ("docker build -t nginx:clean -\nFROM nginx\nWORKDIR /usr/share/nginx/html\nRUN printf 'Hello, Docker!' > index.html\nLABEL a=b\n",),
    ),
    wrong=(
        Wrong(("docker run -d --name web nginx", f"docker exec web sh -c \"echo 'Hello, Docker!' > {PAGE}\"", "docker commit web nginx:clean"), "noise"),
        Wrong((f"docker run --name page nginx sh -c \"echo 'Hello, Docker!' > {PAGE}\"", "docker commit page nginx:clean"), "other-command"),
        Wrong(("docker create --name page nginx", "docker commit page nginx:clean"), "old-page"),
        wrong("it starts sh", f"run --name page --entrypoint sh nginx -c \"echo 'Hello, Docker!' > {PAGE}\"", "commit -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' page nginx:clean"),
        wrong("nginx is not there", "pull busybox", "tag busybox nginx", f"run --name page nginx sh -c \"mkdir -p /usr/share/nginx/html; echo 'Hello, Docker!' > {PAGE}\"", "commit -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' page nginx:clean"),
        wrong("what is left over lies one layer below", "run -d --name web nginx", "commit web dirty", f"run --name page dirty sh -c \"echo 'Hello, Docker!' > {PAGE}\"", "commit -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' page nginx:clean"),
        wrong("a file of nginx is gone", f"run --name page nginx sh -c \"rm /etc/nginx/version; echo 'Hello, Docker!' > {PAGE}\"", "commit -c 'CMD [\"nginx\", \"-g\", \"daemon off;\"]' page nginx:clean"),
    ),
    why=Words(
        "The layer holds what you meant and nothing else. That took care, and nobody can see from the image how it was made: "
        "this is what a Dockerfile is for.",
        "这一层里只有你想要的东西。为此费了一番心思，而从镜像上看不出它是怎么做出来的：Dockerfile 就是为此而生的。",
    ),
    par=2,
)  # fmt: skip

SECRET = Exercise(
    id="secret",
    title=Words("The secret stays", "藏不住的密钥"),
    task=Words(
        "`app:1` has a program `/app`, and by mistake a key in `/key`. Make `app:safe` with the same `/app`, from which nobody can "
        "get the key: not from any of its layers, nor from its config.",
        "`app:1` 里有程序 `/app`，还误放了一把密钥 `/key`。请做一个 `app:safe`，有同样的 `/app`，但谁也拿不到密钥：任何一层里都不能有，配置里也不能有。",
    ),
    start=(
        "pull -q busybox", 'run --name made busybox sh -c "echo the-program > /app; echo s3cret > /key"', "commit made app:1",
        "rm made",
    ),
    checks=(same_file("app:safe", "/app", "app:1"), secret_gone("app:safe", "app:1", "/key")),
    hints=(
        Hint("hidden", WHERE, no_file_in_image("app:safe", "/key") & ~in_no_layer("app:safe", "/key"),
             "In `app:safe` the key cannot be seen, and it is still there: one layer below. `lab.image(\"app:safe\").layers` has them all.",
             "在 `app:safe` 里看不到密钥，可它还在：就在下面一层。`lab.image(\"app:safe\").layers` 列出了所有的层。"),
        Hint("no-app", WHERE, no_file_in_image("app:safe", "/app"),
             "`app:safe` has no `/app`.", "`app:safe` 里没有 `/app`。"),
        Hint("visible", WHERE, image_exists("app:safe"), "The key is still in `app:safe`, for everybody to find, or `/app` is another program.", "密钥还在 `app:safe` 里，谁都找得到；或者 `/app` 不是原来的程序。"),
        Hint("none", WHERE, None, "There is no `app:safe` yet.", "还没有 `app:safe`。"),
        Hint("base", WHICH, None,
             "Layers are never taken back. Start from an image that never had the key, and bring only `/app`.",
             "层是收不回来的。从一个从没有过密钥的镜像开始，只带上 `/app`。"),
        Hint("blanks", BLANKS, None, '`docker run --name new _______ sh -c "echo the-program > ____"`, then commit.', '`docker run --name new _______ sh -c "echo the-program > ____"`，然后提交。'),
        Hint("twin", TWIN, None,
             'With another name: `docker run --name new alpine sh -c "echo x > /tool"`, then `docker commit new tool:safe`.',
             '换个名字：先 `docker run --name new alpine sh -c "echo x > /tool"`，再 `docker commit new tool:safe`。'),
    ),
    solution=('docker run --name new busybox sh -c "echo the-program > /app"', "docker commit new app:safe"),
    alternates=(
        ('docker run --name new alpine sh -c "echo the-program > /app"', "docker commit -m clean new app:safe"),
        ("docker create --name old app:1", "docker run --name new app:1 rm /key", "docker export -o f.tar new", "docker import f.tar app:safe"),
        ("docker build -t app:safe -\nFROM app:1 AS old\nFROM busybox\nCOPY --from=old /app /\n",),
        ("docker build -t app:safe -\nFROM app:1 AS old\nFROM scratch\nWORKDIR /\nCOPY --from=old /app app\n",),
    ),
    wrong=(
        Wrong(("docker run --name copy app:1 rm /key", "docker commit copy app:safe"), "hidden"),
        Wrong(("docker tag app:1 app:safe",), "visible"),
        Wrong(("docker tag busybox app:safe",), "no-app"),
        Wrong(("docker rmi app:1",), "none"),
        wrong("the key is in the environment", 'run --name new busybox sh -c "echo the-program > /app"', "commit -c 'ENV KEY=s3cret' new app:safe"),
        wrong("the key is in a label", 'run --name new busybox sh -c "echo the-program > /app"', "commit -c 'LABEL key=s3cret' new app:safe"),
        wrong("the key has moved", 'run --name new app:1 sh -c "mv /key /root/.cache"', "export -o f.tar new", "import f.tar app:safe"),
        wrong("the key is in the history", 'run --name new app:1 sh -c "rm /key # it was s3cret"', "export -o f.tar new", "import -m s3cret f.tar app:safe"),
        wrong("the key is inside of another file", 'run --name new busybox sh -c "echo the-program > /app; echo x-s3cret-y | base64 > /notes; echo s3cret | gzip > /k.gz || echo s3cret > /k"', "commit new app:safe"),
        wrong("another program", 'run --name new busybox sh -c "echo not the-program > /app"', "commit new app:safe"),
    ),
    why=Words(
        "A commit only adds. What is in a layer once can be read by everyone who has the image, whatever stands on top.",
        "commit 只会往上加。一旦进了某一层，不管上面叠了什么，拿到镜像的人都读得到。",
    ),
    par=2,
)  # fmt: skip

EXERCISES = (OWN_PAGE, CLEAN, SECRET)
