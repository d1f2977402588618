"""The Python client as a manager: its models check every answer."""

import datetime
import uuid

import pytest
from conftest import variable
from openrouter import OpenRouter, errors

MODEL = "openai-chat/echo"


def client(key="MANAGEMENT_KEY"):
    return OpenRouter(api_key=variable(key), server_url=variable("URL"))


@pytest.fixture
def manager():
    with client() as opened:
        yield opened


def holding(key):
    return OpenRouter(api_key=key, server_url=variable("URL"))


def ask(key, text="one two three"):
    with holding(key) as caller:
        return caller.chat.send(model=MODEL, messages=[{"role": "user", "content": text}])


def refused(status, call, *arguments, **named):
    with pytest.raises(errors.OpenRouterError) as caught:
        call(*arguments, **named)
    assert caught.value.status_code == status, caught.value


def pages(page):
    """All items of a list that comes in pages."""
    found = []
    while page is not None:
        found.extend(page.result.data)
        page = page.next()
    return found


def test_a_key_is_made_used_changed_and_deleted(manager):
    end = datetime.datetime(2999, 1, 1, tzinfo=datetime.timezone.utc)
    made = manager.api_keys.create(name="Python", limit=5, limit_reset="monthly", expires_at=end)
    assert (made.data.limit_remaining, made.data.expires_at) == (5, end)
    ask(made.key)
    seen = manager.api_keys.get(hash=made.data.hash).data
    assert seen.usage > 0 and seen.usage == seen.usage_monthly
    assert seen.last_used_at.date() <= datetime.datetime.now(datetime.timezone.utc).date()
    with holding(made.key) as caller:
        own = caller.api_keys.get_current_key_metadata().data
        assert own.label == made.data.label and own.usage == seen.usage
    listed = manager.api_keys.list(include_disabled=True).data
    assert made.data.hash in [one.hash for one in listed]
    changed = manager.api_keys.update(hash=made.data.hash, disabled=True, name="off").data
    assert (changed.disabled, changed.name) == (True, "off")
    refused(401, ask, made.key)
    manager.api_keys.delete(hash=made.data.hash)
    refused(404, manager.api_keys.get, hash=made.data.hash)
    with client("KEY") as caller:
        refused(403, caller.api_keys.list)


def test_credits_and_models(manager):
    ask(variable("KEY"))
    credits = manager.credits.get_credits().data
    assert credits.total_credits > credits.total_usage > 0
    count = manager.models.count().data.count
    assert count == len(manager.models.list().result.data) > 0


def test_a_workspace_has_members_and_budgets(manager):
    slug = f"py-{uuid.uuid4().hex[:8]}"
    made = manager.workspaces.create(name="From Python", slug=slug).data
    changed = manager.workspaces.update(id=made.id, default_provider_sort="latency").data
    assert (changed.slug, changed.default_provider_sort) == (slug, "latency")
    assert manager.workspaces.get(id=slug).data.id == made.id
    assert made.id in [one.id for one in pages(manager.workspaces.list())]
    owner = pages(manager.workspaces.list_members(id="default"))[0].user_id
    assert manager.workspaces.bulk_add_members(id=made.id, user_ids=[owner]).added_count == 1
    budget = manager.workspaces.set_budget(
        workspace_ref=made.id, interval="weekly", limit_usd=3
    ).data
    assert (budget.limit_usd, budget.workspace_id) == (3, made.id)
    assert len(manager.workspaces.list_budgets(workspace_ref=made.id).data) == 1
    one = manager.workspaces.get_budget(workspace_ref=made.id, interval="weekly").data
    assert one.id == budget.id
    manager.workspaces.delete_budget(workspace_ref=made.id, interval="weekly")
    assert manager.workspaces.list_budgets(workspace_ref=made.id).data == []
    removed = manager.workspaces.bulk_remove_members(id=made.id, user_ids=[owner])
    assert removed.removed_count == 1
    manager.workspaces.delete(id=made.id)
    refused(404, manager.workspaces.get, id=made.id)


def test_a_guardrail_stops_requests_of_the_keys_that_it_is_given(manager):
    made = manager.guardrails.create(
        name="No numbers",
        limit_usd=1,
        reset_interval="daily",
        content_filters=[{"pattern": "two", "action": "block", "label": "TWO"}],
        content_filter_builtins=[{"slug": "email", "action": "redact"}],
    ).data
    key = manager.api_keys.create(name="guarded")
    hashes = [key.data.hash]
    assert manager.guardrails.bulk_assign_keys(id=made.id, key_hashes=hashes).assigned_count == 1
    refused(403, ask, key.key)
    given = pages(manager.guardrails.list_guardrail_key_assignments(id=made.id))
    assert [one.key_hash for one in given] == hashes
    assert len(pages(manager.guardrails.list_key_assignments())) == 1
    manager.guardrails.update(id=made.id, content_filters=None)
    ask(key.key)
    taken = manager.guardrails.bulk_unassign_keys(id=made.id, key_hashes=hashes)
    assert taken.unassigned_count == 1
    owner = pages(manager.workspaces.list_members(id="default"))[0].user_id
    people = {"id": made.id, "member_user_ids": [owner]}
    assert manager.guardrails.bulk_assign_members(**people).assigned_count == 1
    members = pages(manager.guardrails.list_guardrail_member_assignments(id=made.id))
    assert [one.user_id for one in members] == [owner]
    assert len(pages(manager.guardrails.list_member_assignments())) == 1
    assert manager.guardrails.bulk_unassign_members(**people).unassigned_count == 1
    assert made.id in [one.id for one in pages(manager.guardrails.list())]
    assert manager.guardrails.get(id=made.id).data.name == "No numbers"
    manager.guardrails.delete(id=made.id)
    refused(404, manager.guardrails.get, id=made.id)
    manager.api_keys.delete(hash=key.data.hash)


def test_a_code_is_exchanged_for_a_key_with_its_limit(manager):
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    code = manager.o_auth.create_auth_code(
        callback_url="https://app.example/done",
        code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        code_challenge_method="S256",
        limit=2,
    ).data
    trade = {"code": code.id, "code_verifier": verifier, "code_challenge_method": "S256"}
    with OpenRouter(api_key="none", server_url=variable("URL")) as app:
        key = app.o_auth.exchange_auth_code_for_api_key(**trade).key
        ask(key)
        with holding(key) as caller:
            seen = caller.api_keys.get_current_key_metadata().data
            assert (seen.limit, seen.effective_budget.scope) == (2, "key_limit")
        refused(403, app.o_auth.exchange_auth_code_for_api_key, **trade)


def test_an_own_provider_key_is_kept_replaced_and_erased(manager):
    made = manager.byok.create(provider="mistral", key="sk-canary-0123456789AbCd", name="mine")
    assert made.data.label.endswith("AbCd") and "canary-0123" not in made.data.label
    assert [one.id for one in pages(manager.byok.list(provider="mistral"))] == [made.data.id]
    changed = manager.byok.update(id=made.data.id, key="sk-canary-0123456789WxYz", disabled=True)
    assert changed.data.label.endswith("WxYz") and changed.data.disabled
    assert manager.byok.get(id=made.data.id).data.name == "mine"
    refused(400, manager.byok.create, provider="nobody", key="x")
    manager.byok.delete(id=made.data.id)
    refused(404, manager.byok.get, id=made.data.id)


def test_a_preset_is_made_of_requests_and_used(manager):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one"}]
    with client("KEY") as caller:
        presets = caller.presets
        first = presets.create_presets_chat_completions(
            slug="python", model=MODEL, messages=messages, temperature=0.25
        ).data
        assert first.designated_version.system_prompt == "Be brief."
        second = presets.create_presets_responses(
            slug="python", model=MODEL, input="one", instructions="Be kind."
        ).data
        assert (second.id, second.designated_version.version) == (first.id, 2)
        third = presets.create_presets_messages(
            slug="python", model=MODEL, messages=messages[1:], max_tokens=50, system="S"
        ).data
        assert third.designated_version.version == 3
        assert first.id in [one.id for one in pages(presets.list())]
        versions = pages(presets.list_versions(slug="python"))
        assert [one.version for one in versions] == [1, 2, 3]
        assert presets.get_version(slug="python", version="1").data.id == versions[0].id
        assert presets.get(slug="python").data.designated_version.version == 3
        answer = caller.chat.send(model="@preset/python", messages=messages[1:])
        assert answer.choices[0].message.content == "one"
        refused(404, presets.get, slug="nobodys")


def test_a_key_knows_the_models_that_it_may_use(manager):
    with client("KEY") as caller:
        security = {"bearer": variable("KEY")}
        mine = pages(caller.models.list_for_user(security=security))
        assert MODEL in [one.id for one in mine]
