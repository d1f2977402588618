"""Fixtures: clients of a running Signalbox, and its money as exact decimals."""

import json
import os
import time
import urllib.request
from contextlib import contextmanager
from decimal import Decimal

import configuration
import openai
import pytest

PROMPT_PRICE = Decimal(configuration.PROMPT_PRICE)
COMPLETION_PRICE = Decimal(configuration.COMPLETION_PRICE)


def variable(name):
    return os.environ[f"SIGNALBOX_{name}"]


def get(path, key):
    """A GET below the API's base, with numbers kept exact."""
    request = urllib.request.Request(
        variable("URL") + path, headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer, parse_float=Decimal)


def balance():
    data = get("/credits", variable("MANAGEMENT_KEY"))["data"]
    return Decimal(data["total_credits"]) - Decimal(data["total_usage"])


def cost_of(usage):
    """usage.cost as sent: at most nine decimals, so a float's shortest text is the same number."""
    return Decimal(str(usage.model_extra["cost"]))


def expected_cost(usage):
    return usage.prompt_tokens * PROMPT_PRICE + usage.completion_tokens * COMPLETION_PRICE


def eventually(question, seconds=10):
    """Asks until the answer is true, or fails."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def journal():
    """What the simulator did, request by request."""
    with open(variable("JOURNAL"), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.endswith("\n")]


def client_with(key, **options):
    options = {"max_retries": 0, "timeout": 20, **options}
    return openai.OpenAI(base_url=variable("URL"), api_key=key, **options)


@pytest.fixture
def client():
    with client_with(variable("KEY")) as made:
        yield made


@pytest.fixture
def bill():
    """A list for usages; afterwards the balance has gone down by exactly the sum of their costs."""
    before, usages = balance(), []
    yield usages
    assert usages, "a billing test hands in what it used"
    for usage in usages:
        assert cost_of(usage) == expected_cost(usage)
    assert before - balance() == sum(cost_of(usage) for usage in usages)


class Spending:
    """What answers said they cost, in the members of each client."""

    def __init__(self):
        self.bills = []

    def add(self, prompt, completion, cost=None):
        """Tokens, and the cost as it was shown where the client keeps it."""
        owed = prompt * PROMPT_PRICE + completion * COMPLETION_PRICE
        assert cost is None or Decimal(str(cost)) == owed
        self.bills.append(owed)

    def chat(self, usage):
        self.add(usage.prompt_tokens, usage.completion_tokens, usage.model_extra["cost"])

    def other(self, usage):
        """Of Responses and of Messages."""
        self.add(usage.input_tokens, usage.output_tokens, usage.model_extra["cost"])

    def langchain(self, message):
        """That client drops the cost on most of its ways."""
        usage = message.usage_metadata
        self.add(usage["input_tokens"], usage["output_tokens"])


@pytest.fixture
def spending():
    """Takes usages; afterwards the balance has gone down by exactly what they cost."""
    before, spent = balance(), Spending()
    yield spent
    assert spent.bills, "a test hands in what it used"
    assert before - balance() == sum(spent.bills)


@contextmanager
def refused(kind, status, error_type):
    """The body of the typed error that the block must raise."""
    with pytest.raises(kind) as caught:
        yield (found := {})
    assert caught.value.status_code == status
    body = caught.value.body
    assert body["code"] == status
    assert body["message"]
    assert body["metadata"]["error_type"] == error_type
    found.update(body)
