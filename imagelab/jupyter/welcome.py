"""The first page, in the language of the browser that asks for it.

Whoever starts `imagelab lab` need not be who reads it: a teacher starts forty of them, a server has no language at all. So
the address that is opened is `/lab-welcome`, and the server answers with the way to the lesson in the language that the
browser says it prefers (`Accept-Language: zh-CN,zh;q=0.9,en;q=0.8`). `--lang` decides instead, when it is given.

Jupyter loads this module as a server extension, for the servers that `imagelab lab` starts and for no other.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from imagelab.jupyter.launch import LANGUAGES, WELCOME, first_lesson
from imagelab.lab.opening import cache_folder


def preferred(accepted: str, otherwise: str = LANGUAGES[0]) -> str:
    """The language of the lessons that an Accept-Language header likes best; `otherwise` when it likes none of them.

    >>> preferred("fr;q=0.9, zh-TW;q=0.8, en;q=0.5")
    'zh'
    """
    weighed = []
    for order, part in enumerate(accepted.split(",")):
        name, _, weight = part.strip().partition(";q=")
        language = name.split("-")[0].lower()
        try:
            weighed.append((-float(weight or 1), order, language))
        except ValueError:
            continue
    return next((language for _, _, language in sorted(weighed) if language in LANGUAGES), otherwise)


class Welcome(JupyterHandler):
    """Redirects to the first lesson."""

    def initialize(self, folder: str) -> None:
        self.folder = Path(folder)

    @web.authenticated
    def get(self) -> None:
        language = preferred(self.request.headers.get("Accept-Language", ""))
        self.redirect(url_path_join(self.base_url, "lab/tree", language, first_lesson(self.folder, language)))


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def own_containers(environ: MutableMapping[str, str], folder: Path) -> None:
    """Containers that are started in this server's terminals and kernels end with it, however it ends: their supervisors
    look at a file that this process holds locked."""
    from imagelab.runtime.supervisor import OWNER_VARIABLE
    from imagelab.store.locks import locked

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / str(os.getpid())
    owned = locked(file)
    owned.__enter__()
    atexit.register(owned.__exit__, None, None, None)
    environ[OWNER_VARIABLE] = str(file)


def _load_jupyter_server_extension(app: Any) -> None:
    own_containers(os.environ, cache_folder() / "servers")
    address = url_path_join(app.web_app.settings["base_url"], WELCOME)
    app.web_app.add_handlers(".*$", [(address, Welcome, {"folder": app.root_dir})])
