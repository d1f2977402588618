"""LangChain's three ways in, on every dialect of the providers."""

from typing import Literal

import pytest
from conftest import variable
from dialects import ANSWERED, QUESTION, SHIRT, echo, on_every_dialect, on_every_dialect_with_tools
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


def chat(model):
    return ChatOpenAI(model=model, base_url=variable("URL"), api_key=variable("KEY"), max_retries=0)


def responses(model):
    return chat(model).model_copy(update={"use_responses_api": True})


def messages(model):
    base = variable("URL").removesuffix("/v1")
    return ChatAnthropic(
        model=model, base_url=base, api_key=variable("KEY"), max_retries=0, max_tokens=100
    )


through_every_way = pytest.mark.parametrize("way", [chat, responses, messages])


@tool
def weather(city: str, days: int) -> str:
    """Weather of a city."""
    return f"{days} sunny days in {city}"


class Shirt(BaseModel):
    """A shirt."""

    name: str
    size: Literal["s", "m"]


@through_every_way
@on_every_dialect
def test_langchain_answers_and_streams(spending, dialect, way):
    whole = way(f"{dialect}/echo").invoke(QUESTION)
    assert whole.text == echo(dialect)
    pieces = list(way(f"{dialect}/echo").stream(QUESTION))
    streamed = sum(pieces[1:], pieces[0])
    assert streamed.text == echo(dialect)
    assert sum(bool(piece.text) for piece in pieces) == len(echo(dialect).split(" "))
    spending.langchain(whole)
    spending.langchain(streamed)


@through_every_way
@on_every_dialect_with_tools
def test_langchain_goes_once_around_the_tool_loop(spending, dialect, way):
    model = way(f"{dialect}/tools").bind_tools([weather])
    history = [HumanMessage("What is the weather?")]
    first = model.invoke(history)
    (call,) = first.tool_calls
    assert (call["name"], set(call["args"])) == ("weather", {"city", "days"})
    second = model.invoke([*history, first, weather.invoke(call)])
    assert second.text == ANSWERED
    spending.langchain(first)
    spending.langchain(second)


@through_every_way
@on_every_dialect_with_tools
def test_langchain_answers_in_a_schema(spending, dialect, way):
    for method in ["json_schema", "function_calling"]:
        model = way(f"{dialect}/json").with_structured_output(
            Shirt, method=method, include_raw=True
        )
        found = model.invoke(QUESTION)
        assert found["parsed"].model_dump() == SHIRT
        spending.langchain(found["raw"])
