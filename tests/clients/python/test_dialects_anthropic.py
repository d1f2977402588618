"""The Anthropic client on every dialect of the providers."""

import json

import anthropic
import pytest
from conftest import variable
from dialects import (
    ANSWERED,
    CLOCK_SCHEMA,
    QUESTION,
    SHIRT,
    SHIRT_SCHEMA,
    WEATHER_SCHEMA,
    echo,
    is_weather,
    on_every_dialect,
    on_every_dialect_with_tools,
)

HELLO = [{"role": "user", "content": QUESTION}]
TOOLS = [
    {"name": "weather", "description": "Weather of a city", "input_schema": WEATHER_SCHEMA},
    {"name": "clock", "input_schema": CLOCK_SCHEMA},
]


@pytest.fixture
def claude():
    """With a Bearer token, the other way of that client to hand in a key."""
    base = variable("URL").removesuffix("/v1")
    options = {"auth_token": variable("KEY"), "max_retries": 0, "timeout": 20}
    with anthropic.Anthropic(base_url=base, **options) as client:
        yield client


def streamed_cost(events):
    """From the event itself: the client leaves it out of the message that it puts together."""
    (last,) = [event for event in events if event.type == "message_delta"]
    return last.usage.model_extra["cost"]


@on_every_dialect
def test_messages_answers(claude, spending, dialect):
    answer = claude.messages.create(model=f"{dialect}/echo", max_tokens=100, messages=HELLO)
    assert [block.text for block in answer.content] == [echo(dialect)]
    assert answer.stop_reason == "end_turn"
    spending.other(answer.usage)


@on_every_dialect
def test_messages_streams(claude, spending, dialect):
    request = {"model": f"{dialect}/tokens", "max_tokens": 100, "messages": HELLO}
    with claude.messages.stream(**request) as stream:
        events = list(stream)
        answer = stream.get_final_message()
    texts = [event.text for event in events if event.type == "text"]
    assert "".join(texts) == "".join(f"t{n} " for n in range(50)) == answer.content[0].text
    assert len(texts) == 50, "as the provider streamed it"
    spending.add(answer.usage.input_tokens, answer.usage.output_tokens, streamed_cost(events))


@on_every_dialect_with_tools
def test_messages_goes_once_around_the_tool_loop(claude, spending, dialect):
    ask = {"model": f"{dialect}/tools", "max_tokens": 100, "tools": TOOLS}
    with claude.messages.stream(messages=HELLO, **ask) as stream:
        events = list(stream)
        first = stream.get_final_message()
    assert first.stop_reason == "tool_use"
    calls = [block for block in first.content if block.type == "tool_use"]
    assert [call.name for call in calls] == ["weather", "clock"]
    assert is_weather(calls[0].input)
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"} for call in calls
    ]
    history = HELLO + [
        {"role": "assistant", "content": [block.to_dict() for block in first.content]},
        {"role": "user", "content": results},
    ]
    second = claude.messages.create(messages=history, **ask)
    assert [block.text for block in second.content] == [ANSWERED]
    assert second.stop_reason == "end_turn"
    spending.add(first.usage.input_tokens, first.usage.output_tokens, streamed_cost(events))
    spending.other(second.usage)


@on_every_dialect_with_tools
def test_messages_answers_in_a_schema(claude, spending, dialect):
    answer = claude.messages.create(
        model=f"{dialect}/json",
        max_tokens=100,
        messages=HELLO,
        output_config={"format": {"type": "json_schema", "schema": SHIRT_SCHEMA}},
    )
    assert json.loads(answer.content[0].text) == SHIRT
    spending.other(answer.usage)
