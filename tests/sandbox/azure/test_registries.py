"""Docker Hub and GitHub, as the portal's checks and a hub's builds meet them."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import Any

import httpx
import pytest

from tests.sandbox.azure.conftest import World

APP = {"client_id": "Ov23liTest", "client_secret": "s3cret", "callback": "http://127.1.2.3:8480/hub/oauth_callback"}


def sign_in(world: World, username: str, password: str, scope: str) -> httpx.Response:
    query = {"service": "registry.docker.io", "account": username, "scope": scope}
    return world.http.get("/dockerhub-auth/token", params=query, auth=(username, password))


def demo(world: World, repository: str = "slipwaydemo/x") -> httpx.Response:
    return sign_in(world, "slipwaydemo", "dckr_pat_demo", f"repository:{repository}:pull,push")


def actions(answer: httpx.Response) -> list[str]:
    part = answer.json()["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return list(claims["access"][0]["actions"])


def bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.mark.parametrize(
    ("username", "password"),
    [("slipwaydemo", "wrong"), ("nobody", "dckr_pat_demo"), ("slipwaydemo@example.org", "dckr_pat_demo")],
)
def test_a_wrong_name_token_or_an_email_address_is_refused(world: World, username: str, password: str) -> None:
    answer = sign_in(world, username, password, "repository:slipwaydemo/x:pull,push")
    assert (answer.status_code, answer.json()) == (401, {"details": "incorrect username or password"})


@pytest.mark.parametrize(
    ("repository", "granted"),
    [("slipwaydemo/x", ["pull", "push"]), ("slipwayorg/x", ["pull", "push"]), ("someone-else/x", ["pull"])],
)
def test_push_is_granted_in_ones_own_namespaces_only(world: World, repository: str, granted: list[str]) -> None:
    assert actions(demo(world, repository)) == granted


@pytest.mark.parametrize("name", ["some-lab", "lab", "Lab12", "some_lab", "a" * 31])
def test_no_organisation_has_a_name_that_docker_hub_refuses(world: World, name: str) -> None:
    account = {"username": "member", "token": "t", "organisations": [name]}
    answer = world.http.post("/_sandbox/dockerhub/accounts", json=account)
    assert (answer.status_code, "4 to 30 characters" in answer.json()["error"]) == (400, True)


def test_a_read_only_token_may_not_push(world: World) -> None:
    world.process.control("dockerhub/accounts", {"username": "reader", "token": "t", "read_only": True})
    assert actions(sign_in(world, "reader", "t", "repository:reader/x:pull,push")) == ["pull"]


def test_the_registry_says_where_to_sign_in(world: World) -> None:
    answer = world.http.get("/dockerhub/v2/")
    assert answer.status_code == 401
    assert 'service="registry.docker.io"' in answer.headers["www-authenticate"]


def test_an_upload_needs_the_right_to_push(world: World) -> None:
    headers = bearer(demo(world, "someone-else/x"))
    answer = world.http.post("/dockerhub/v2/someone-else/x/blobs/uploads/", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "UNAUTHORIZED")
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_an_upload_can_be_begun_and_taken_back(world: World) -> None:
    headers = bearer(demo(world))
    begun = world.http.post("/dockerhub/v2/slipwaydemo/x/blobs/uploads/", headers=headers)
    assert begun.status_code == 202
    assert world.http.delete(begun.headers["location"], headers=headers).status_code == 204
    assert world.http.delete(begun.headers["location"], headers=headers).status_code == 404


def push(world: World, repository: str, content: bytes, headers: dict[str, str]) -> str:
    begun = world.http.post(f"/dockerhub/v2/{repository}/blobs/uploads/", headers=headers)
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    place = begun.headers["location"]
    assert world.http.patch(place, content=content, headers=headers).status_code == 202
    assert world.http.put(f"{place}?digest={digest}", headers=headers).status_code == 201
    return digest


def test_an_image_is_pushed_and_listed(world: World) -> None:
    repository = f"slipwaydemo/{uuid.uuid4().hex[:8]}"
    headers = bearer(demo(world, repository))
    layer = {"digest": push(world, repository, b"layer", headers), "size": 5}
    manifest: dict[str, Any] = {"schemaVersion": 2, "layers": [layer]}
    put = world.http.put(f"/dockerhub/v2/{repository}/manifests/one", json=manifest, headers=headers)
    assert put.status_code == 201
    assert world.http.get(f"/dockerhub/v2/{repository}/tags/list", headers=headers).json()["tags"] == ["one"]
    found = world.http.head(f"/dockerhub/v2/{repository}/manifests/one", headers=headers)
    assert found.headers["docker-content-digest"] == put.headers["docker-content-digest"]


def test_a_manifest_needs_its_layers(world: World) -> None:
    manifest = {"schemaVersion": 2, "layers": [{"digest": "sha256:" + "0" * 64, "size": 1}]}
    answer = world.http.put("/dockerhub/v2/slipwaydemo/x/manifests/one", json=manifest, headers=bearer(demo(world)))
    assert answer.json()["errors"][0]["code"] == "MANIFEST_BLOB_UNKNOWN"


def test_a_blob_must_have_the_digest_it_claims(world: World) -> None:
    headers = bearer(demo(world))
    begun = world.http.post("/dockerhub/v2/slipwaydemo/x/blobs/uploads/", headers=headers)
    wrong = "sha256:" + "0" * 64
    answer = world.http.put(f"{begun.headers['location']}?digest={wrong}", content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "DIGEST_INVALID")


def test_pulls_are_counted_and_run_out(world: World) -> None:
    world.process.control("dockerhub/accounts", {"username": "puller", "token": "t"})
    headers = bearer(sign_in(world, "puller", "t", "repository:ratelimitpreview/test:pull"))
    place = "/dockerhub/v2/ratelimitpreview/test/manifests/latest"
    assert world.http.head(place, headers=headers).headers["ratelimit-remaining"] == "200;w=21600"
    world.process.control("dockerhub/pulls", {"username": "puller", "left": 0})
    assert world.http.get(place, headers=headers).status_code == 429


def exchange(world: World, **fields: str) -> dict[str, str]:
    world.process.control("github/apps", APP)
    form = {"client_id": APP["client_id"], "client_secret": APP["client_secret"], "code": "made-up"} | fields
    answer = world.http.post("/github/login/oauth/access_token", data=form, headers={"Accept": "application/json"})
    return dict(answer.json())


def test_github_refuses_a_wrong_secret(world: World) -> None:
    assert exchange(world, client_secret="x")["error"] == "incorrect_client_credentials"


def test_github_refuses_another_callback(world: World) -> None:
    assert exchange(world, redirect_uri="http://127.9.9.9:8480/x")["error"] == "redirect_uri_mismatch"


def test_github_compares_the_code_last(world: World) -> None:
    assert exchange(world, redirect_uri=APP["callback"])["error"] == "bad_verification_code"


def test_github_does_not_know_a_made_up_app(world: World) -> None:
    form = {"client_id": "x", "client_secret": "x", "code": "x"}
    assert world.http.post("/github/login/oauth/access_token", data=form).status_code == 404


def test_a_person_signs_in_with_github(world: World) -> None:
    world.process.control("github/apps", APP)
    query = {"client_id": APP["client_id"], "state": "abc", "scope": "read:org", "redirect_uri": APP["callback"]}
    assert "Sign in as octocat" in world.http.get("/github/login/oauth/authorize", params=query).text
    answer = world.http.post("/github/login/oauth/authorize", data=query | {"login": "octocat"})
    target = httpx.URL(answer.headers["location"])
    assert target.params["state"] == "abc"
    token = exchange(world, code=target.params["code"])["access_token"]
    headers = {"Authorization": f"token {token}"}
    assert world.http.get("/github-api/user", headers=headers).json()["login"] == "octocat"
    assert [org["login"] for org in world.http.get("/github-api/user/orgs", headers=headers).json()] == ["slipwayorg"]
    assert exchange(world, code=target.params["code"])["error"] == "bad_verification_code"


def test_a_repository_lists_its_branches(world: World) -> None:
    place = "/github/binder-examples/requirements/info/refs?service=git-upload-pack"
    assert "refs/heads/" in world.http.get(place).text
    assert world.http.get(place.replace("requirements", "nothing")).status_code == 401
