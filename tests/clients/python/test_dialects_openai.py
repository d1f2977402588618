"""The OpenAI client, chat and Responses, on every dialect of the providers."""

import json

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
CALLABLE = [("weather", WEATHER_SCHEMA), ("clock", CLOCK_SCHEMA)]
CHAT_TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": schema}}
    for name, schema in CALLABLE
]
TOOLS = [
    {"type": "function", "name": name, "parameters": schema, "strict": True}
    for name, schema in CALLABLE
]
USAGE = {"stream": True, "stream_options": {"include_usage": True}}


@on_every_dialect
def test_chat_answers(client, spending, dialect):
    answer = client.chat.completions.create(model=f"{dialect}/echo", messages=HELLO)
    assert answer.choices[0].message.content == echo(dialect)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model_extra["provider"] == f"sim-{dialect}"
    spending.chat(answer.usage)


@on_every_dialect
def test_chat_streams(client, spending, dialect):
    request = {"model": f"{dialect}/tokens", "max_tokens": 60}
    chunks = list(client.chat.completions.create(messages=HELLO, **USAGE, **request))
    texts = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert "".join(texts) == "".join(f"t{n} " for n in range(50))
    assert sum(bool(text) for text in texts) == 50, "as the provider streamed it"
    spending.chat(chunks[-1].usage)


@on_every_dialect_with_tools
def test_chat_goes_once_around_the_tool_loop(client, spending, dialect):
    ask = {"model": f"{dialect}/tools", "tools": CHAT_TOOLS}
    messages = list(HELLO)
    first = client.chat.completions.create(messages=messages, **ask)
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert [call.function.name for call in message.tool_calls] == ["weather", "clock"]
    assert is_weather(json.loads(message.tool_calls[0].function.arguments))
    messages.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
    second = list(client.chat.completions.create(messages=messages, **USAGE, **ask))
    texts = [c.choices[0].delta.content or "" for c in second if c.choices]
    assert "".join(texts) == ANSWERED
    spending.chat(first.usage)
    spending.chat(second[-1].usage)


@on_every_dialect_with_tools
def test_chat_answers_in_a_schema(client, spending, dialect):
    wanted = {"name": "shirt", "schema": SHIRT_SCHEMA, "strict": True}
    answer = client.chat.completions.create(
        model=f"{dialect}/json",
        messages=HELLO,
        response_format={"type": "json_schema", "json_schema": wanted},
    )
    assert json.loads(answer.choices[0].message.content) == SHIRT
    spending.chat(answer.usage)


@on_every_dialect
def test_responses_answers(client, spending, dialect):
    answer = client.responses.create(model=f"{dialect}/echo", input=QUESTION, store=False)
    assert (answer.status, answer.output_text) == ("completed", echo(dialect))
    spending.other(answer.usage)


@on_every_dialect
def test_responses_streams(client, spending, dialect):
    request = {"model": f"{dialect}/tokens", "input": HELLO, "max_output_tokens": 60}
    with client.responses.stream(**request) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        answer = stream.get_final_response()
    assert "".join(deltas) == "".join(f"t{n} " for n in range(50)) == answer.output_text
    spending.other(answer.usage)


@on_every_dialect_with_tools
def test_responses_goes_once_around_the_tool_loop(client, spending, dialect):
    ask = {"model": f"{dialect}/tools", "tools": TOOLS}
    with client.responses.stream(input=HELLO, **ask) as stream:
        first = stream.until_done().get_final_response()
    calls = [item for item in first.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["weather", "clock"]
    assert is_weather(json.loads(calls[0].arguments))
    history = [*HELLO, *first.output]
    for call in calls:
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        history.append(result)
    second = client.responses.create(input=history, **ask)
    assert second.output_text == ANSWERED
    spending.other(first.usage)
    spending.other(second.usage)


@on_every_dialect_with_tools
def test_responses_answers_in_a_schema(client, spending, dialect):
    wanted = {"type": "json_schema", "name": "shirt", "schema": SHIRT_SCHEMA, "strict": True}
    answer = client.responses.create(
        model=f"{dialect}/json", input=QUESTION, text={"format": wanted}
    )
    assert json.loads(answer.output_text) == SHIRT
    spending.other(answer.usage)
