"""The OpenAI client chats, streams, calls tools, and is billed to the nano-dollar."""

import json
import urllib.request

from conftest import expected_cost, get, variable

HELLO = [{"role": "user", "content": "one two three"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {
    "type": "function",
    "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}},
}


def stream(client, **request):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    return list(client.chat.completions.create(messages=HELLO, **options, **request))


def test_a_chat_is_answered_and_priced(client, bill):
    answer = client.chat.completions.create(model="sim/echo", messages=HELLO)
    assert answer.id.startswith("gen-")
    assert answer.model == "sim/echo"
    assert answer.model_extra["provider"] == "sim-one"
    assert answer.choices[0].message.content == "one two three"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (4, 3)
    bill.append(answer.usage)


def test_a_stream_brings_every_token_and_its_cost_last(client, bill):
    chunks = stream(client, model="sim/tokens")
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "".join(f"t{n} " for n in range(50))
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 50
    bill.append(chunks[-1].usage)


def test_a_stream_ends_with_done():
    body = json.dumps({"model": "sim/echo", "stream": True, "messages": HELLO}).encode()
    headers = {"Authorization": f"Bearer {variable('KEY')}", "Content-Type": "application/json"}
    request = urllib.request.Request(variable("URL") + "/chat/completions", body, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["X-Generation-Id"].startswith("gen-")
        events = [line for line in answer.read().decode().split("\n\n") if line]
    assert events[-1] == "data: [DONE]"
    assert "usage" in json.loads(events[-2].removeprefix("data: "))


def test_many_chats_add_up(client, bill):
    for length in range(1, 21):
        messages = [{"role": "user", "content": "word " * length}]
        answer = client.chat.completions.create(model="sim/echo", messages=messages)
        bill.append(answer.usage)


def test_max_tokens_ends_the_answer(client, bill):
    chunks = stream(client, model="sim/tokens", max_tokens=20)
    finishes = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert finishes[-1] == "length"
    assert chunks[-1].usage.completion_tokens == 20
    bill.append(chunks[-1].usage)


def test_the_whole_tool_loop_runs(client, bill):
    messages = [{"role": "user", "content": "What is the weather?"}]
    tools = [WEATHER, CLOCK]
    first = client.chat.completions.create(model="sim/tools", messages=messages, tools=tools)
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert [call.function.name for call in message.tool_calls] == ["weather", "clock"]
    arguments = json.loads(message.tool_calls[0].function.arguments)
    assert set(arguments) == {"city", "days"} and arguments["days"] >= 1
    messages.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
    second = client.chat.completions.create(model="sim/tools", messages=messages, tools=tools)
    assert second.choices[0].message.content == "The tools have answered."
    bill.extend([first.usage, second.usage])


def test_streamed_tool_calls_can_be_put_together(client, bill):
    chunks = stream(client, model="sim/tools", tools=[WEATHER, CLOCK])
    calls = {}
    for chunk in chunks:
        for choice in chunk.choices:
            for part in choice.delta.tool_calls or []:
                name, arguments = calls.get(part.index, ("", ""))
                name += part.function.name or ""
                calls[part.index] = (name, arguments + (part.function.arguments or ""))
    assert [calls[0][0], calls[1][0]] == ["weather", "clock"]
    assert set(json.loads(calls[0][1])) == {"city", "days"}
    assert json.loads(calls[1][1]) == {}
    bill.append(chunks[-1].usage)


def test_reasoning_comes_in_its_own_field(client, bill):
    answer = client.chat.completions.create(model="sim/reason", messages=HELLO)
    message = answer.choices[0].message
    assert message.model_extra["reasoning"] == "Let me think. "
    assert message.model_extra["reasoning_details"][0]["type"] == "reasoning.text"
    assert message.content.startswith("t0 ")
    assert answer.usage.completion_tokens_details.reasoning_tokens == 3
    chunks = stream(client, model="sim/reason")
    deltas = [c.choices[0].delta for c in chunks if c.choices]
    thoughts = "".join((d.model_extra or {}).get("reasoning") or "" for d in deltas)
    assert thoughts == "Let me think. "
    bill.extend([answer.usage, chunks[-1].usage])


def test_a_structured_answer_fits_its_schema(client, bill):
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "size": {"enum": ["s", "m"]}},
        "required": ["name", "size"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "shirt", "schema": schema}}
    answer = client.chat.completions.create(
        model="sim/json", messages=HELLO, response_format=wanted
    )
    assert json.loads(answer.choices[0].message.content) == {"name": "sim", "size": "s"}
    bill.append(answer.usage)


def test_cached_tokens_are_reported(client):
    answer = client.chat.completions.create(model="sim/cached", messages=HELLO)
    assert answer.usage.prompt_tokens_details.cached_tokens == 2


def test_a_provider_that_fails_is_replaced(client, bill):
    for _ in range(3):
        chunks = stream(client, model="sim/failover")
        assert {chunk.model_extra["provider"] for chunk in chunks} == {"sim-two"}
        bill.append(chunks[-1].usage)


def test_the_next_model_of_the_list_answers(client, bill):
    answer = client.chat.completions.create(
        model="sim/down", messages=HELLO, extra_body={"models": ["sim/down", "sim/echo"]}
    )
    assert answer.model == "sim/echo"
    bill.append(answer.usage)


def test_a_generation_is_on_record(client, bill):
    answer = client.chat.completions.create(model="sim/tokens", messages=HELLO)
    record = get(f"/generation?id={answer.id}", variable("KEY"))["data"]
    assert record["id"] == answer.id
    assert record["total_cost"] == expected_cost(answer.usage)
    assert record["native_tokens_completion"] == 50
    assert (record["streamed"], record["cancelled"]) == (False, False)
    bill.append(answer.usage)


def test_models_are_listed(client):
    listed = {model.id for model in client.models.list()}
    assert {"sim/echo", "sim/tools"} <= listed
