"""A directory with a real SCIM client (scim2-client): it discovers what there is, checks every answer
against the models that it made of it, provisions somebody and deactivates them; the keys stop."""

import json
import os
import pathlib
import re
import subprocess
import time
import urllib.error
import urllib.request

import httpx2
import pytest
from conftest import eventually, variable
from openrouter import OpenRouter
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, SCIMException

SITE = variable("URL").removesuffix("/api/v1")
DOMAIN = "acme.example"


def send(method, path, body=None, **headers):
    """The status and the document of an answer."""
    data = None if body is None else json.dumps(body).encode()
    headers |= {"content-type": "application/json"}
    request = urllib.request.Request(variable("URL") + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused), refused.headers


def admin(*words):
    configuration = os.path.join(variable("RUN"), "signalbox.toml")
    command = [variable("BIN"), "admin", *words, "--config", configuration, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def letter():
    """The secret in the last letter, which is in the log for want of a mail server."""
    log = pathlib.Path(variable("RUN"), "signalbox.log").read_text(encoding="utf-8")
    found = re.findall(r"verify-email#token=([0-9a-f]{64})", log)
    return found[-1] if found else None


@pytest.fixture(scope="module")
def company():
    """An Enterprise organization with a connection: its id, and a way to manage it."""
    page = {"origin": SITE}
    who = {"email": f"root@{DOMAIN}", "password": "correct horse battery"}
    assert send("POST", "/session/sign-up", who, **page)[0] == 202
    token = eventually(letter)
    status, _, headers = send("POST", "/session/sign-in", who, **page)
    assert status == 201
    page["cookie"] = headers["set-cookie"].split(";")[0]
    assert send("POST", "/session/email/verify", {"token": token}, **page)[0] == 200
    status, made, _ = send("POST", "/session/organizations", {"name": "Acme"}, **page)
    assert status == 201
    organization = made["data"]["id"]
    admin("plan", "set", "--account", organization, "--plan", "enterprise")
    admin("grant", "--account", organization, "--usd", "5")
    connection = admin(
        *("sso", "connect", "--organization", organization, "--domain", DOMAIN),
        *("--issuer", "https://idp.acme.example", "--client-id", "signalbox"),
    )
    made = admin("key", "create", "--account", organization, "--management")
    key = made["key"]
    return {"connection": connection["id"], "key": key, "authorization": f"Bearer {key}"}


def manage(company, method, path, body=None, status=200):
    got, document, _ = send(method, path, body, authorization=company["authorization"])
    assert got == status, document
    return document


@pytest.fixture(scope="module")
def directory(company):
    wish = {"connection_id": company["connection"], "name": "scim2-client"}
    token = manage(company, "POST", "/scim/tokens", wish, 201)["token"]
    headers = {"authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=f"{SITE}/scim/v2", headers=headers, timeout=30) as client:
        scim = SyncSCIMClient(client)
        scim.discover()
        yield scim


def chat(key):
    message = {"role": "user", "content": "one two three"}
    body = {"model": "openai-chat/echo", "messages": [message]}
    return send("POST", "/chat/completions", body, authorization=f"Bearer {key}")[0]


def test_whoever_is_deactivated_loses_the_keys_within_a_second(company, directory):
    User, Group = directory.get_resource_model("User"), directory.get_resource_model("Group")
    ada = directory.create(User(user_name=f"ada@{DOMAIN}", external_id="00u1", active=True))
    assert ada.meta.location.endswith(f"/scim/v2/Users/{ada.id}")
    found = directory.query(User, query_parameters={"filter": f'userName eq "ADA@{DOMAIN}"'})
    assert [one.id for one in found.resources] == [ada.id]
    with pytest.raises(SCIMException):
        directory.create(User(user_name=f"ada@{DOMAIN}"))
    with pytest.raises(SCIMException):
        directory.create(User(user_name="eve@else.example"))

    group = directory.create(Group(display_name="Engineering", members=[{"value": ada.id}]))
    workspace = manage(company, "POST", "/workspaces", {"name": "w", "slug": "w"}, 201)["data"]["id"]
    with OpenRouter(api_key=company["key"], server_url=variable("URL")) as manager:
        pair = {"scim_group_id": group.id, "workspace_id": workspace}
        made = manager.scim.create(role="member", **pair).data
        assert manager.scim.update(id=made.id, role="admin").data.role == "admin"
        assert manager.scim.read(id=made.id).data.scim_group_id == group.id
        assert manager.scim.list_groups().result.total_count == 1
        assert manager.scim.list_mappings().result.data[0].id == made.id
        people = manager.organization.list_members().result
        assert people.total_count == len(people.data) == 2
        assert f"ada@{DOMAIN}" in [one.email for one in people.data]
        other = manager.workspaces.create(name="x", slug="x").data.id
        extra = manager.scim.create(role="member", scim_group_id=group.id, workspace_id=other).data
        manager.scim.delete(id=extra.id, keep_members=False)
        assert manager.scim.list_mappings().result.total_count == 1
    [member] = manage(company, "GET", f"/workspaces/{workspace}/members")["data"]
    assert member["role"] == "admin"
    wish = {"name": "Ada's", "creator_user_id": member["user_id"], "workspace_id": workspace}
    key = manage(company, "POST", "/keys", wish, 201)["key"]
    assert chat(key) == 200

    off = PatchOp[User](operations=[{"op": "replace", "path": "active", "value": False}])
    directory.modify(User, ada.id, off)
    start = time.monotonic()
    eventually(lambda: chat(key) == 401, 5)
    assert time.monotonic() - start < 1
    assert directory.query(User, ada.id).active is False
    assert manage(company, "GET", f"/workspaces/{workspace}/members")["data"] == []

    ada = directory.replace(User(id=ada.id, user_name=f"ada@{DOMAIN}", active=True))
    assert ada.active and chat(key) == 401
    directory.delete(Group, group.id)
    directory.delete(User, ada.id)
    assert directory.query(User).total_results == 0
