"""The official Anthropic client: it speaks Messages, the providers behind speak chat."""

import anthropic
import pytest
from conftest import COMPLETION_PRICE, PROMPT_PRICE, balance, variable
from decimal import Decimal

TOOL = {
    "name": "weather",
    "description": "The weather of a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


@pytest.fixture
def claude():
    """Base `/api`, with the key in `x-api-key`, as that client does it."""
    base = variable("URL").removesuffix("/v1")
    with anthropic.Anthropic(base_url=base, api_key=variable("KEY"), max_retries=0) as client:
        yield client


def ask(model, **more):
    message = {"role": "user", "content": "one two three"}
    return {"model": model, "max_tokens": 100, "messages": [message], **more}


def test_a_whole_answer_and_its_bill(claude):
    before = balance()
    answer = claude.messages.create(**ask("sim/echo"))
    assert answer.type == "message" and answer.role == "assistant"
    assert [block.text for block in answer.content] == ["one two three"]
    assert answer.stop_reason == "end_turn"
    assert answer.id.startswith("gen-")
    usage = answer.usage
    cost = Decimal(str(usage.model_extra["cost"]))
    assert cost == usage.input_tokens * PROMPT_PRICE + usage.output_tokens * COMPLETION_PRICE
    assert before - balance() == cost > 0


def test_a_stream_adds_up_to_the_whole(claude):
    with claude.messages.stream(**ask("sim/echo", system="Be brief.")) as stream:
        text = "".join(stream.text_stream)
        answer = stream.get_final_message()
    assert text == "one two three"
    assert answer.content[0].text == text
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0


def test_reasoning_comes_as_thinking(claude):
    answer = claude.messages.create(
        **ask("sim/reason", thinking={"type": "enabled", "budget_tokens": 1024}) | {"max_tokens": 4096}
    )
    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert answer.content[0].thinking


def test_tools_are_called_and_their_results_taken(claude):
    question = ask("sim/tools", tools=[TOOL])
    first = claude.messages.create(**question)
    assert first.stop_reason == "tool_use"
    call = next(block for block in first.content if block.type == "tool_use")
    assert call.name == "weather" and isinstance(call.input["city"], str)
    history = question["messages"] + [
        {"role": "assistant", "content": [block.model_dump() for block in first.content]},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}],
        },
    ]
    second = claude.messages.create(**question | {"messages": history})
    assert second.stop_reason == "end_turn"
    assert second.content[0].type == "text"


def test_tokens_are_counted_for_nothing(claude):
    before = balance()
    question = ask("sim/echo")
    del question["max_tokens"]
    assert claude.messages.count_tokens(**question).input_tokens > 0
    assert balance() == before


def test_errors_are_typed(claude):
    with pytest.raises(anthropic.BadRequestError) as unknown:
        claude.messages.create(**ask("sim/nothing-like-it"))
    assert unknown.value.body["error"]["type"] == "invalid_request_error"
    assert unknown.value.body["error"]["availability"]["code"] == "model_not_found"
    stranger = claude.with_options(api_key="sk-sb-v1-" + "0" * 64)
    with pytest.raises(anthropic.AuthenticationError) as refused:
        stranger.messages.create(**ask("sim/echo"))
    assert refused.value.body["error"]["type"] == "authentication_error"
    with pytest.raises(anthropic.BadRequestError):
        claude.messages.create(**ask("sim/echo") | {"messages": []})
