"""The cast, as data: which layers each image has, what is in them, how large they look.

One thousandth of the book's sizes: its `127 MB` are our `127 kB`. A layer names the files that matter and the size it
should have; the rest is filled with plausible files of stable pseudo-bytes, about as compressible as the real ones.

Programs are markers: `/bin/ls` is the line `#!imagelab ls`, which imagelab's own runtime knows how to run. Take the file
away and the command is gone. `awk` is a marker only, in images whose digests people know.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SHELL = "/bin/sh -c "
NOP = SHELL + "#(nop) "

COREUTILS = [
    "sh",
    "bash",
    "ls",
    "cat",
    "cp",
    "mv",
    "rm",
    "mkdir",
    "rmdir",
    "touch",
    "ln",
    "chmod",
    "chown",
    "echo",
    "printf",
    "pwd",
    "env",
    "grep",
    "sed",
    "awk",
    "head",
    "tail",
    "wc",
    "sort",
    "uniq",
    "cut",
    "tr",
    "find",
    "xargs",
    "id",
    "whoami",
    "hostname",
    "uname",
    "date",
    "sleep",
    "true",
    "false",
    "test",
    "ps",
    "kill",
    "du",
    "df",
    "which",
    "tee",
    "basename",
    "dirname",
    "seq",
    "mktemp",
    "readlink",
    "stat",
    "sha256sum",
    "expr",
]
IN_USR = set(
    [
        "env",
        "head",
        "tail",
        "wc",
        "sort",
        "uniq",
        "cut",
        "tr",
        "find",
        "xargs",
        "id",
        "whoami",
        "du",
        "which",
        "tee",
        "basename",
        "dirname",
        "seq",
        "stat",
        "sha256sum",
        "awk",
        "expr",
    ]
)


@dataclass(frozen=True)
class LayerRecipe:
    """One step of an image. `size` is the sum of its files in bytes (None: just the files); a step with nothing in it is empty."""

    created_by: str
    size: int | None = None
    source: str = ""
    """A folder of `sources/` copied to the root."""
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    filler: tuple[str, ...] = ()
    modes: dict[str, int] = field(default_factory=dict)
    compression: str = "gzip"
    comment: str = ""

    @property
    def empty(self) -> bool:
        return not (self.source or self.files or self.links or self.folders or self.gone or self.programs or self.size)


@dataclass(frozen=True)
class ImageRecipe:
    """One image for one platform."""

    created: str
    layers: tuple[LayerRecipe, ...]
    config: dict[str, object]
    author: str = ""
    platform: str = "linux/amd64"
    docker_types: bool = False
    """Docker's media types instead of OCI's; nothing else tells them apart (R7.11)."""


@dataclass(frozen=True)
class TagRecipe:
    """A name in the registry, and its builds in the order of their release. A build of several images is an index."""

    repository: str
    tags: tuple[str, ...]
    builds: tuple[tuple[ImageRecipe, ...], ...]
    attested: bool = False


PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSWD = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
GROUP = "root:x:0:\ndaemon:x:1:\nbin:x:2:\nwww-data:x:33:\nnogroup:x:65534:\n"
FOLDERS = (
    "dev",
    "etc",
    "home",
    "proc",
    "root",
    "run",
    "srv",
    "sys",
    "tmp",
    "usr/bin",
    "usr/sbin",
    "var/cache",
    "var/lib",
    "var/log",
    "var/tmp",
)
MODES = {"tmp": 0o1777, "var/tmp": 0o1777, "root": 0o700}
BASICS = {
    "etc/passwd": PASSWD,
    "etc/group": GROUP,
    "etc/shells": "/bin/sh\n/bin/bash\n",
    "etc/hostname": "",
    "root/.bashrc": "export PS1='\\u@\\h:\\w\\$ '\n",
    "root/.profile": "[ -f ~/.bashrc ] && . ~/.bashrc\n",
}
LIBRARIES = (
    "lib/x86_64-linux-gnu/libc-2.19.so",
    "lib/x86_64-linux-gnu/libm-2.19.so",
    "lib/x86_64-linux-gnu/ld-2.19.so",
    "usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.20",
    "usr/lib/x86_64-linux-gnu/libcrypto.so.1.0.0",
    "usr/lib/locale/C.UTF-8/LC_CTYPE",
    "usr/share/zoneinfo/tzdata",
    "var/lib/dpkg/status",
    "usr/share/doc/libc6/copyright",
    "usr/share/perl5/base.pm",
    "usr/share/i18n/charmaps/UTF-8",
    "sbin/ldconfig.real",
)


def _add(name: str) -> str:
    from hashlib import sha256

    return f"{NOP}ADD file:{sha256(name.encode()).hexdigest()} in / "


def _config(
    command: list[str], *, env: tuple[str, ...] = (), labels: dict[str, str] | None = None, **more: object
) -> dict[str, object]:
    return {"Env": [PATH, *env], "Cmd": command, "Labels": labels, **more}


def _base(name: str, source: str, size: int) -> LayerRecipe:
    return LayerRecipe(
        _add(name),
        size,
        source,
        files=BASICS,
        links={"var/run": "/run"},
        folders=FOLDERS,
        programs=tuple(COREUTILS),
        filler=LIBRARIES,
        modes=MODES,
    )


# -- ubuntu -------------------------------------------------------------------------------------------------

_POLICY = SHELL + "set -xe && echo '#!/bin/sh' > /usr/sbin/policy-rc.d && echo 'exit 101' >> /usr/sbin/policy-rc.d"


def _ubuntu(version: str, source: str, total: int, created: str, *, packages: int = 0) -> ImageRecipe:
    steps = [
        LayerRecipe(
            _POLICY,
            745,
            files={"usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n"},
            filler=("etc/apt/apt.conf.d/docker-clean",),
        ),
        LayerRecipe(SHELL + "rm -rf /var/lib/apt/lists/*", folders=("var/lib/apt/lists",)),
        LayerRecipe(
            SHELL + "sed -i 's/^#\\s*\\(deb.*universe\\)$/\\1/g' /etc/apt/sources.list",
            1895,
            filler=("etc/apt/sources.list",),
        ),
        LayerRecipe(
            SHELL + "mkdir -p /run/systemd && echo 'docker' > /run/systemd/container",
            files={"run/systemd/container": "docker\n"},
        ),
    ]
    if packages:
        steps[1] = LayerRecipe(
            SHELL + "apt-get update && apt-get dist-upgrade -y",
            packages,
            filler=("usr/lib/apt/methods/http", "var/lib/dpkg/info/base-files.list"),
        )
    rest = total - sum(step.size or sum(len(text) for text in step.files.values()) for step in steps)
    base = _base(f"ubuntu {version}", source, rest)
    return ImageRecipe(created, (base, *steps, LayerRecipe(NOP + ' CMD ["/bin/bash"]')), _config(["/bin/bash"]))


UBUNTU_14 = _ubuntu("14.04", "ubuntu14", 188_000, "2016-10-27T17:02:41.301452873Z", packages=1_240)
UBUNTU_16 = _ubuntu("16.04", "ubuntu16", 127_000, "2016-10-29T21:10:55.814202164Z")
UBUNTU_16_NEXT = _ubuntu("16.04 of November", "ubuntu16", 127_300, "2016-11-27T18:30:12.094811374Z")

# -- everything on Debian -----------------------------------------------------------------------------------

DEBIAN = _base("debian jessie", "debian", 123_000)
DEBIAN_CMD = LayerRecipe(NOP + ' CMD ["/bin/bash"]')


def _nginx(version: str, size: int, created: str) -> ImageRecipe:
    package = LayerRecipe(
        SHELL + "apt-key adv --keyserver hkp://pgp.mit.edu:80 --recv-keys 573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62 && "
        'echo "deb http://nginx.org/packages/mainline/debian/ jessie nginx" >> /etc/apt/sources.list && apt-get update && '
        "apt-get install --no-install-recommends --no-install-suggests -y ca-certificates nginx=${NGINX_VERSION} "
        "&& rm -rf /var/lib/apt/lists/*",
        size,
        "nginx",
        files={
            "usr/sbin/nginx": "#!imagelab nginx\n",
            "etc/nginx/version": version + "\n",
            "etc/passwd": PASSWD + "nginx:x:104:107:nginx user:/var/cache/nginx:/bin/false\n",
            "etc/group": GROUP + "nginx:x:107:\n",
        },
        folders=("var/cache/nginx", "var/log/nginx"),
        modes={"usr/sbin/nginx": 0o755},
        filler=(
            "usr/lib/x86_64-linux-gnu/libssl.so.1.0.0",
            "etc/ssl/certs/ca-certificates.crt",
            "usr/share/doc/nginx/CHANGES",
        ),
    )
    logs = LayerRecipe(
        SHELL + "ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log",
        22,
        files={"var/log/nginx/README": "logs go to the engine\n"},
        links={"var/log/nginx/access.log": "/dev/stdout", "var/log/nginx/error.log": "/dev/stderr"},
    )
    maintainer = LayerRecipe(NOP + ' MAINTAINER NGINX Docker Maintainers "docker-maint@nginx.com"')
    rest = (LayerRecipe(NOP + " EXPOSE 443/tcp 80/tcp"), LayerRecipe(NOP + ' CMD ["nginx" "-g" "daemon off;"]'))
    steps = (DEBIAN, DEBIAN_CMD, maintainer, LayerRecipe(f"{NOP} ENV NGINX_VERSION={version}"), package, logs, *rest)
    config = _config(
        ["nginx", "-g", "daemon off;"], env=(f"NGINX_VERSION={version}",), ExposedPorts={"443/tcp": {}, "80/tcp": {}}
    )
    return ImageRecipe(created, steps, config, 'NGINX Docker Maintainers "docker-maint@nginx.com"')


NGINX_11 = _nginx("1.11.5-1~jessie", 58_460, "2016-11-16T06:41:25.612377241Z")
NGINX = _nginx("1.11.6-1~jessie", 58_478, "2016-11-23T08:40:13.552931184Z")
NGINX_NEXT = _nginx("1.11.7-1~jessie", 58_502, "2016-11-27T20:06:44.109923301Z")


def _server(
    base: tuple[LayerRecipe, ...], name: str, version: str, sizes: tuple[int, ...], port: int, created: str
) -> ImageRecipe:
    """redis, mongo and node: a user, a package, a program, a port."""
    key = f"{name.upper()}_VERSION={version}"
    steps = (
        *base,
        LayerRecipe(
            f"{SHELL}groupadd -r {name} && useradd -r -g {name} {name}",
            sizes[0],
            files={f"etc/{name}.user": name + "\n"},
            filler=("var/log/faillog",),
        ),
        LayerRecipe(
            f"{SHELL}apt-get update && apt-get install -y --no-install-recommends ca-certificates wget && rm -rf /var/lib/apt/lists/*",
            sizes[1],
            filler=("etc/ssl/certs/ca-certificates.crt", "usr/bin/wget", "usr/lib/x86_64-linux-gnu/libgnutls.so.28"),
        ),
        LayerRecipe(f"{NOP} ENV {key}"),
        LayerRecipe(
            f'{SHELL}set -x && wget -O {name}.tar.gz "${name.upper()}_DOWNLOAD_URL" && make -C /usr/src/{name} && make install',
            sizes[2],
            files={f"usr/local/bin/{name}": f"#!imagelab {name}\n", f"usr/local/share/{name}/version": version + "\n"},
            modes={f"usr/local/bin/{name}": 0o755},
            filler=(
                f"usr/local/lib/{name}/core.so",
                f"usr/local/lib/{name}/modules.so",
                f"usr/local/share/{name}/LICENSE",
            ),
        ),
        LayerRecipe(f"{SHELL}mkdir /data && chown {name}:{name} /data", folders=("data",)),
        LayerRecipe(f"{NOP} EXPOSE {port}/tcp"),
        LayerRecipe(f'{NOP} CMD ["{name}"]'),
    )
    return ImageRecipe(
        created,
        steps,
        _config([name], env=(key,), ExposedPorts={f"{port}/tcp": {}}, WorkingDir="/data"),
        docker_types=True,
    )


_ON_DEBIAN = (DEBIAN, DEBIAN_CMD)
REDIS = _server(_ON_DEBIAN, "redis", "3.2.5", (340, 11_820, 47_840), 6379, "2016-11-23T09:30:47.271905664Z")
REDIS_NEXT = _server(_ON_DEBIAN, "redis", "3.2.6", (340, 11_820, 47_910), 6379, "2016-11-27T19:12:31.900154821Z")
MONGO_1 = _server(_ON_DEBIAN, "mongo", "3.2.10", (340, 13_160, 205_500), 27017, "2016-11-22T12:10:02.462817335Z")
MONGO_2 = _server(_ON_DEBIAN, "mongo", "3.2.11", (340, 13_160, 205_620), 27017, "2016-11-23T07:20:36.008471932Z")
MONGO_3 = _server(_ON_DEBIAN, "mongo", "3.2.12", (340, 13_160, 205_810), 27017, "2016-11-27T21:45:18.730062219Z")
NODE = _server(_ON_DEBIAN, "node", "7.2.0", (340, 44_200, 483_460), 8080, "2016-11-23T04:55:09.145280447Z")

# -- small ones ---------------------------------------------------------------------------------------------

_APPLETS = {f"bin/{name}": "/bin/busybox" for name in COREUTILS if name not in ("bash", *IN_USR)} | {
    f"usr/bin/{name}": "/bin/busybox" for name in COREUTILS if name in IN_USR
}


def _busybox(platform: str) -> ImageRecipe:
    layer = LayerRecipe(
        _add(f"busybox {platform}"),
        1_090,
        files={"bin/busybox": "#!imagelab busybox\n", "etc/passwd": PASSWD, "etc/group": GROUP},
        links=_APPLETS,
        folders=("dev", "home", "root", "tmp", "var"),
        modes={"bin/busybox": 0o755, **MODES},
        filler=("lib/libc.so.0",),
    )
    return ImageRecipe(
        "2016-10-07T21:03:58.469866982Z", (layer, LayerRecipe(NOP + ' CMD ["sh"]')), _config(["sh"]), platform=platform
    )


ALPINE_BASE = LayerRecipe(
    _add("alpine 3.4"),
    4_800,
    "alpine",
    files={"bin/busybox": "#!imagelab busybox\n", "etc/passwd": PASSWD, "etc/group": GROUP},
    links=_APPLETS,
    folders=FOLDERS,
    modes={"bin/busybox": 0o755, **MODES},
    filler=("lib/ld-musl-x86_64.so.1", "lib/apk/db/installed"),
)
ALPINE = ImageRecipe("2016-10-18T20:31:22.321427771Z", (ALPINE_BASE,), _config(["/bin/sh"]))
REDIS_ALPINE = _server(
    (ALPINE_BASE,), "redis", "3.2.5-alpine", (280, 1_100, 14_820), 6379, "2016-11-23T09:31:50.702615188Z"
)
DOCKER = _server((ALPINE_BASE,), "docker", "1.12.3", (280, 2_420, 94_500), 2375, "2016-11-22T19:44:20.918116630Z")
CENTOS = ImageRecipe(
    "2016-11-02T19:52:19.463959047Z",
    (
        _base("centos 7", "centos", 196_500),
        LayerRecipe(NOP + " LABEL name=CentOS Base Image vendor=CentOS license=GPLv2"),
        LayerRecipe(NOP + ' CMD ["/bin/bash"]'),
    ),
    _config(["/bin/bash"], labels={"name": "CentOS Base Image", "vendor": "CentOS", "license": "GPLv2"}),
)


def _hello(platform: str) -> ImageRecipe:
    note = {"linux/amd64": "", "linux/arm64/v8": "arm64v8", "linux/arm/v7": "arm32v7"}[platform]
    layer = LayerRecipe(
        f"{NOP}COPY file:hello in / ",
        1_848,
        "hello",
        files={"built-for": note + "\n"} if note else {},
        modes={"hello": 0o755},
        filler=("lib/start",),
    )
    return ImageRecipe(
        "2016-10-06T23:11:02.481823390Z",
        (layer, LayerRecipe(NOP + ' CMD ["/hello"]')),
        _config(["/hello"]),
        platform=platform,
    )


WHOAMI = ImageRecipe(
    "2016-11-20T14:22:10.640211985Z",
    (
        ALPINE_BASE,
        LayerRecipe(NOP + " LABEL com.example.version=0.1"),
        LayerRecipe(
            f"{NOP}COPY file:whoami.sh in /srv/ ", None, "whoami", modes={"srv/whoami.sh": 0o755}, compression="zstd"
        ),
        LayerRecipe(NOP + ' CMD ["/srv/whoami.sh"]'),
    ),
    _config(["/srv/whoami.sh"], labels={"com.example.version": "0.1"}),
)
LEAKY = ImageRecipe(
    "2016-11-21T09:15:33.018204477Z",
    (
        ALPINE_BASE,
        LayerRecipe(
            f"{NOP}COPY dir:app in /app/ ",
            2_400,
            "leaky",
            modes={"app/id_rsa": 0o600},
            filler=("app/data/first.bin", "app/data/second.bin"),
            comment="the key is needed to fetch the sources",
        ),
        LayerRecipe(SHELL + "rm /app/id_rsa", gone=("app/id_rsa",), comment="deleted, so nobody can see it?"),
        LayerRecipe(
            SHELL + "rm -rf /app && mkdir /app && echo 2 > /app/VERSION",
            files={"app/VERSION": "2\n"},
            opaque=("app",),
            comment="the second version, all in one layer",
        ),
        LayerRecipe(NOP + ' CMD ["cat" "/app/VERSION"]'),
    ),
    _config(["cat", "/app/VERSION"]),
)

CAST = (
    TagRecipe("library/ubuntu", ("14.04",), ((UBUNTU_14,),)),
    TagRecipe("library/ubuntu", ("16.04", "latest"), ((UBUNTU_16,), (UBUNTU_16_NEXT,))),
    TagRecipe("library/nginx", ("1.11",), ((NGINX_11,),)),
    TagRecipe("library/nginx", ("latest",), ((NGINX,), (NGINX_NEXT,))),
    TagRecipe("library/redis", ("latest",), ((REDIS,), (REDIS_NEXT,))),
    TagRecipe("library/redis", ("alpine",), ((REDIS_ALPINE,),)),
    TagRecipe("library/mongo", ("3.2", "latest"), ((MONGO_1,), (MONGO_2,), (MONGO_3,))),
    TagRecipe("library/node", ("latest",), ((NODE,),)),
    TagRecipe("library/busybox", ("latest",), ((_busybox("linux/amd64"),),)),
    TagRecipe("library/alpine", ("3.4", "latest"), ((ALPINE,),)),
    TagRecipe("library/docker", ("latest",), ((DOCKER,),)),
    TagRecipe("library/centos", ("latest",), ((CENTOS,),)),
    TagRecipe(
        "library/hello-world",
        ("latest",),
        (tuple(_hello(p) for p in ("linux/amd64", "linux/arm64/v8", "linux/arm/v7")),),
        attested=True,
    ),
    TagRecipe("imagelab/whoami", ("0.1", "latest"), ((WHOAMI,),)),
    TagRecipe("imagelab/leaky", ("1.0", "latest"), ((LEAKY,),)),
)
