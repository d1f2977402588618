"""Clients that stop waiting."""

from decimal import Decimal

import openai
import pytest

from conftest import balance, client_with, eventually, get, journal, variable

HELLO = [{"role": "user", "content": "one two three"}]


def test_a_client_s_timeout_is_its_own():
    client = client_with(variable("KEY"), timeout=0.5)
    before = balance()
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="sim/silent", messages=HELLO, stream=True)
    assert balance() == before


def test_leaving_in_the_middle_stops_the_provider_and_the_bill(client):
    before = balance()
    stream = client.chat.completions.create(model="sim/slow", messages=HELLO, stream=True)
    seen = 0
    for chunk in stream:
        seen += bool(chunk.choices and chunk.choices[0].delta.content)
        if seen == 5:
            stream.close()
            break

    def left():
        return [e for e in journal() if "slow" in e["model"] and e["outcome"] == "client_gone"]

    entry = eventually(left)[-1]
    assert 5 <= entry["tokens"] < 100

    def record():
        try:
            return get(f"/generation?id={chunk.id}", variable("KEY"))["data"]
        except OSError:
            return None

    record = eventually(record)
    assert (record["cancelled"], record["streamed"]) == (True, True)
    assert Decimal(0) < record["total_cost"] < Decimal("0.000004") + 100 * Decimal("0.000003")
    assert before - balance() == record["total_cost"]
