"""Real tokens of a real model, streamed through Signalbox and billed exactly."""

import json
import os
import urllib.request
from decimal import Decimal

import openai

URL = os.environ["SIGNALBOX_URL"]
PROMPT_PRICE = Decimal("0.00000011")
COMPLETION_PRICE = Decimal("0.00000037")
QUESTIONS = [
    "The capital of France is",
    "Count: one, two, three,",
    "Write one sentence about the sea.",
]


def get(path, key):
    request = urllib.request.Request(URL + path, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer, parse_float=Decimal)["data"]


def balance():
    data = get("/credits", os.environ["SIGNALBOX_MANAGEMENT_KEY"])
    return Decimal(data["total_credits"]) - Decimal(data["total_usage"])


def check(usage, record, text):
    """The bill of one answer: tokens times price, the same everywhere. Returns it."""
    cost = Decimal(str(usage.model_extra["cost"]))
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0 and text.strip()
    exact = usage.prompt_tokens * PROMPT_PRICE + usage.completion_tokens * COMPLETION_PRICE
    assert cost == exact, f"{cost} is not {exact}"
    assert record["total_cost"] == cost
    assert record["native_tokens_completion"] == usage.completion_tokens
    print(f"   {usage.prompt_tokens} + {usage.completion_tokens} tokens, ${cost}: {text!r}")
    return cost


def main():
    key = os.environ["SIGNALBOX_KEY"]
    client = openai.OpenAI(base_url=URL, api_key=key, max_retries=0, timeout=120)
    before, spent = balance(), Decimal(0)
    for question in QUESTIONS:
        request = {
            "model": "local/gemma-3-270m",
            "messages": [{"role": "user", "content": question}],
            "max_tokens": 24,
            "temperature": 0,
        }
        stream = client.chat.completions.create(
            stream=True, stream_options={"include_usage": True}, **request
        )
        chunks = list(stream)
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert len([c for c in chunks if c.choices]) > 2, "it came in pieces"
        spent += check(chunks[-1].usage, get(f"/generation?id={chunks[-1].id}", key), text)
        whole = client.chat.completions.create(**request)
        text = whole.choices[0].message.content
        spent += check(whole.usage, get(f"/generation?id={whole.id}", key), text)
    assert before - balance() == spent, f"{before - balance()} left the account, not {spent}"
    print(f"   {2 * len(QUESTIONS)} answers, ${spent} in all, which is what left the account")


if __name__ == "__main__":
    main()
