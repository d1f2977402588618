"""Claude Code and Codex CLI, headless: they read a file that the model asks for and give its answer.

Both run whole, from npm, with nothing to talk to but Signalbox. The model is the simulator's `agent`.
"""

import json
import os
import secrets
import subprocess
from pathlib import Path

import pytest
from conftest import COMPLETION_PRICE, PROMPT_PRICE, balance, eventually, journal, variable
from dialects import on_every_dialect_with_tools

SECONDS = 90


@pytest.fixture
def secret(tmp_path):
    """A file that nobody but the tool has read: its path and the word in it."""
    word = f"heliotrope-{secrets.token_hex(4)}"
    path = tmp_path / "notes.txt"
    path.write_text(f"The word of the day is {word}.\n", encoding="utf-8")
    return path, word


@pytest.fixture
def bought():
    """Afterwards both requests of the loop are paid for, as the simulator counted them."""
    before, known = balance(), len(journal())
    yield

    def done():
        seen = journal()[known:]
        return seen if len(seen) >= 2 else None

    entries = eventually(done)
    assert [entry["outcome"] for entry in entries] == ["complete", "complete"]
    owed = sum(e["prompt_tokens"] * PROMPT_PRICE + e["tokens"] * COMPLETION_PRICE for e in entries)
    assert owed > 0
    assert eventually(lambda: before - balance() == owed)


def run(script, arguments, folder, **environment):
    """A program of the agents' packages with a home of its own and nothing of ours around it."""
    home = folder / "home"
    home.mkdir()
    command = [variable("NODE"), str(Path(variable("AGENTS")) / "node_modules" / script)]
    plain = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    done = subprocess.run(
        command + arguments,
        cwd=folder,
        env=plain | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@on_every_dialect_with_tools
def test_claude_code_reads_a_file_and_answers(bought, secret, tmp_path, dialect):
    path, word = secret
    out = run(
        "@anthropic-ai/claude-code/cli-wrapper.cjs",
        ["-p", f"Read the file. FILE:{path}", "--allowedTools", "Read", "--output-format", "json"],
        tmp_path,
        ANTHROPIC_BASE_URL=variable("URL").removesuffix("/v1"),
        ANTHROPIC_AUTH_TOKEN=variable("KEY"),
        ANTHROPIC_MODEL=f"{dialect}/agent",
        CLAUDE_CODE_MAX_RETRIES="0",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        DISABLE_AUTOUPDATER="1",
        DISABLE_TELEMETRY="1",
        DISABLE_ERROR_REPORTING="1",
    )
    answer = json.loads(out)
    assert (answer["is_error"], answer["num_turns"]) == (False, 2)
    assert word in answer["result"]
    assert answer["permission_denials"] == []


CODEX = """\
model_provider = "signalbox"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.signalbox]
name = "Signalbox"
base_url = "{url}"
env_key = "SIGNALBOX_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


@on_every_dialect_with_tools
def test_codex_reads_a_file_and_answers(bought, secret, tmp_path, dialect):
    path, word = secret
    settings = tmp_path / "codex"
    settings.mkdir()
    (settings / "config.toml").write_text(CODEX.format(url=variable("URL")), encoding="utf-8")
    sandbox = ["--skip-git-repo-check", "--sandbox", "danger-full-access"]
    out = run(
        "@openai/codex/bin/codex.js",
        ["exec", "-m", f"{dialect}/agent", *sandbox, "--json", f"Read the file. FILE:{path}"],
        tmp_path,
        CODEX_HOME=str(settings),
        SIGNALBOX_KEY=variable("KEY"),
    )
    events = [json.loads(line) for line in out.splitlines()]
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    (ran,) = [item for item in items if item["type"] == "command_execution"]
    assert (ran["exit_code"], word in ran["aggregated_output"]) == (0, True)
    (said,) = [item for item in items if item["type"] == "agent_message"]
    assert word in said["text"]
    assert events[-1]["type"] == "turn.completed"
    assert events[-1]["usage"]["output_tokens"] > 0
