"""What every client is put through, on every dialect that a provider may speak."""

import pytest
from configuration import DIALECTS

QUESTION = "one two three"
# Dialects that have no words for a case, and why.
TEXT_ONLY = {"openai-completions": "a prompt and its continuation: no tools and no schema"}


def _or_skipped(dialect):
    reason = TEXT_ONLY.get(dialect)
    return pytest.param(dialect, marks=pytest.mark.skip(reason=reason)) if reason else dialect


on_every_dialect = pytest.mark.parametrize("dialect", DIALECTS)
on_every_dialect_with_tools = pytest.mark.parametrize("dialect", [_or_skipped(each) for each in DIALECTS])

WEATHER_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
CLOCK_SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
SHIRT_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "size": {"type": "string", "enum": ["s", "m"]}},
    "required": ["name", "size"],
    "additionalProperties": False,
}
SHIRT = {"name": "sim", "size": "s"}
ANSWERED = "The tools have answered."


def echo(dialect):
    """What `echo` says: a dialect without roles gets the conversation as a text to go on with."""
    return f"User: {QUESTION}\n\nAssistant:" if dialect in TEXT_ONLY else QUESTION


def is_weather(arguments):
    """Whether arguments fit WEATHER_SCHEMA."""
    return (
        set(arguments) == {"city", "days"}
        and isinstance(arguments["city"], str)
        and arguments["days"] >= 1
    )
