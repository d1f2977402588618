"""Errors arrive as the OpenAI client's own exceptions, with the reason in the body."""

import openai
import pytest

from conftest import balance, client_with, refused, variable

HELLO = [{"role": "user", "content": "one two three"}]


def ask(client, model="sim/echo", **options):
    return client.chat.completions.create(model=model, messages=HELLO, **options)


def test_a_wrong_key_is_refused():
    with refused(openai.AuthenticationError, 401, "authentication"):
        ask(client_with("sk-sb-v1-" + "0" * 64))


def test_an_unknown_model_says_so(client):
    with refused(openai.BadRequestError, 400, "invalid_request") as body:
        ask(client, "sim/no-such-model")
    assert "sim/no-such-model" in body["message"]
    assert body["availability"]["code"] == "model_not_found"
    assert body["availability"]["retryable"] is False
    assert body["availability"]["requested_models"] == ["sim/no-such-model"]


def test_a_provider_that_is_not_there_leaves_no_endpoint(client):
    with refused(openai.NotFoundError, 404, "not_found") as body:
        ask(client, extra_body={"provider": {"only": ["azure"]}})
    assert body["availability"]["requested_models"] == ["sim/echo"]


def test_an_account_without_money_must_pay():
    with refused(openai.APIStatusError, 402, "payment_required"):
        ask(client_with(variable("BROKE_KEY")))


def test_a_key_s_limit_is_kept():
    before = balance()
    with refused(openai.APIStatusError, 402, "payment_required"):
        ask(client_with(variable("LIMITED_KEY")))
    assert balance() == before


def test_too_many_requests_say_when_to_come_back():
    with pytest.raises(openai.RateLimitError) as caught:
        ask(client_with(variable("SLOW_KEY")))
    assert caught.value.body["metadata"]["error_type"] == "rate_limit_exceeded"
    headers = caught.value.response.headers
    assert headers["X-RateLimit-Limit"] == "0"
    assert headers["X-RateLimit-Remaining"] == "0"
    assert int(headers["X-RateLimit-Reset"]) > 0
    assert "Retry-After" in headers


def test_a_wrong_field_is_named(client):
    with refused(openai.BadRequestError, 400, "invalid_request") as body:
        ask(client, temperature="hot")
    assert "temperature" in body["message"]


def test_too_long_a_prompt_keeps_its_reason(client):
    with refused(openai.BadRequestError, 400, "context_length_exceeded"):
        ask(client, "sim/too-long")


def test_providers_that_are_all_down_cost_nothing(client):
    before = balance()
    with refused(openai.InternalServerError, 503, "provider_overloaded") as body:
        ask(client, "sim/down")
    assert body["availability"]["code"] == "temporarily_unavailable"
    assert balance() == before


def test_an_error_in_the_middle_ends_the_stream_with_a_reason(client):
    text, stream = "", ask(client, "sim/broken", stream=True)
    with pytest.raises(openai.APIError) as caught:
        for chunk in stream:
            text += chunk.choices[0].delta.content or ""
    assert text == "t0 t1 t2 "
    assert caught.value.body["code"] == 502


def test_an_unknown_path_is_not_found(client):
    with pytest.raises(openai.NotFoundError):
        client.get("/no/such/path", cast_to=object)
