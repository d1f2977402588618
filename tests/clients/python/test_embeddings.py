"""The OpenAI client embeds, packed as it asks by itself and as numbers; reranks go by hand."""

import json
import urllib.request
from decimal import Decimal

import openai
import pytest
from conftest import PROMPT_PRICE, balance, cost_of, get, variable

TEXTS = ["one two three", "four"]


def test_vectors_are_packed_by_default_and_the_same_as_numbers(client):
    packed = client.embeddings.create(model="sim/embed", input=TEXTS)
    plain = client.embeddings.create(model="sim/embed", input=TEXTS, encoding_format="float")
    assert packed.object == "list" and packed.model == "sim/embed"
    assert [one.index for one in packed.data] == [0, 1]
    assert [one.embedding for one in packed.data] == [one.embedding for one in plain.data]
    assert all(isinstance(one, float) for one in packed.data[0].embedding)


def test_an_embedding_is_billed_by_its_prompt_and_recorded(client):
    before = balance()
    answer = client.embeddings.create(model="sim/embed", input=TEXTS, dimensions=8)
    assert len(answer.data[0].embedding) == 8
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 5
    assert cost_of(answer.usage) == 5 * PROMPT_PRICE == before - balance()
    identity = answer.model_extra["id"]
    row = get(f"/generation?id={identity}", variable("KEY"))["data"]
    assert row["api_type"] == "embeddings"
    assert Decimal(row["total_cost"]) == 5 * PROMPT_PRICE


def test_tokens_are_taken_and_a_failing_provider_is_passed_over(client):
    answer = client.embeddings.create(model="sim/embed-failover", input=[[1, 2, 3], [4]])
    assert len(answer.data) == 2 and answer.usage.prompt_tokens == 4


def test_a_chat_model_is_no_embedding_model(client):
    with pytest.raises(openai.BadRequestError) as raised:
        client.embeddings.create(model="sim/echo", input="a")
    assert "/api/v1/chat/completions" in str(raised.value)


def test_documents_are_ranked():
    body = {"model": "sim/rerank", "query": "red fox", "documents": ["a dog", "a red fox"]}
    request = urllib.request.Request(
        variable("URL") + "/rerank",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {variable('KEY')}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        ranked = json.load(answer)
    assert [one["index"] for one in ranked["results"]] == [1, 0]
    assert ranked["results"][0]["document"] == {"text": "a red fox"}
    assert ranked["usage"]["search_units"] == 1
