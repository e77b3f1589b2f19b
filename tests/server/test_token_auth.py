"""Bearer tokens before a registry: our own client fetches one, other clients are told where to ask (R2.22, R2.23)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from imagelab.app import connect
from imagelab.classroom.upstream import app
from imagelab.registry.in_process import in_process
from imagelab.server.serve import serving
from imagelab.server.token_auth import BearerTokenMiddleware

BASE = "http://registry.test"


@pytest.fixture
def web() -> requests.Session:
    session = requests.Session()
    session.mount(BASE, in_process(BearerTokenMiddleware(app())))
    return session


def given(web: requests.Session, scope: str) -> dict[str, str]:
    answer = web.get(f"{BASE}/token", params={"service": "registry.lesson", "scope": scope})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_who_has_no_token_is_told_where_there_are_some(web: requests.Session) -> None:
    refused = web.get(f"{BASE}/v2/library/ubuntu/manifests/14.04")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == (
        'Bearer realm="http://registry.test/token",service="registry.lesson",scope="repository:library/ubuntu:pull"'
    )
    assert web.head(f"{BASE}/v2/library/ubuntu/manifests/14.04").headers == refused.headers
    assert "scope" not in web.get(f"{BASE}/v2/").headers["WWW-Authenticate"]


def test_a_token_opens_one_repository_for_reading(web: requests.Session) -> None:
    header = given(web, "repository:library/ubuntu:pull")
    assert web.get(f"{BASE}/v2/library/ubuntu/manifests/14.04", headers=header).ok
    assert web.head(f"{BASE}/v2/library/ubuntu/manifests/14.04", headers=header).ok
    for method, path in [("GET", "library/nginx/manifests/latest"), ("POST", "library/ubuntu/blobs/uploads/")]:
        assert web.request(method, f"{BASE}/v2/{path}", headers=header).status_code == 401
    assert web.get(f"{BASE}/token", params={"scope": "repository:library/ubuntu:pull,push"}).status_code == 401


def test_the_labs_client_comes_through(tmp_path: Any) -> None:
    with serving(BearerTokenMiddleware(app())) as url:
        lab = connect(tmp_path, upstream=url, environ={})
        assert lab.pull("ubuntu:14.04").tags == ["ubuntu:14.04"]
        lab.close()
