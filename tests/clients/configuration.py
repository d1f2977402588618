"""Prints the configuration that the client tests run Signalbox with.

Usage: configuration.py SIMULATOR_ORIGIN DATABASE_FILE LISTEN_ADDRESS
Every model costs the same, so that a test can compute a bill from usage alone.
"""

import sys

PROMPT_PRICE = "0.000001"
COMPLETION_PRICE = "0.000003"

# model -> behaviours of the simulator, one endpoint each, at the providers in this order
MODELS = {
    "sim/echo": ["echo"],
    "sim/tokens": ["tokens-50"],
    "sim/tools": ["tools"],
    "sim/reason": ["tokens-5+reason"],
    "sim/json": ["json"],
    "sim/cached": ["tokens-5+cached"],
    "sim/slow": ["tokens-400+slow-ms-20"],
    "sim/stalled": ["tokens-5+hang-after-2"],
    "sim/silent": ["hang"],
    "sim/failover": ["status-503", "tokens-5"],
    "sim/down": ["status-503", "status-503"],
    "sim/broken": ["tokens-9+error-inband-3"],
    "sim/too-long": ["status-400-context"],
}
# models that are no conversation: what they write, and their behaviours as above
RETRIEVAL = {
    "sim/embed": ("embeddings", ["vectors"]),
    "sim/embed-failover": ("embeddings", ["status-503", "vectors"]),
    "sim/rerank": ("rerank", ["ranks"]),
}
PROVIDERS = ["sim-one", "sim-two"]

# dialect of the providers -> base path and transport of the provider that speaks nothing else
DIALECTS = {
    "openai-chat": ("/v1", "bearer"),
    "openai-responses": ("/v1", "bearer"),
    "anthropic-messages": ("/v1", "header-key"),
    "gemini": ("/v1beta", "header-key"),
    "bedrock-converse": ("", "bearer"),
    "cohere-v2": ("/v2", "bearer"),
    "openai-completions": ("/v1", "bearer"),
}
# A structured answer is up to the model where the dialect can ask for one; these models can.
STRUCTURED = {
    "bedrock-converse": [
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "tools",
        "tool_choice",
        "response_format",
        "structured_outputs",
    ],
}
# What every dialect's provider has: `DIALECT/CASE` is the model's id.
CASES = {
    "echo": "echo",
    "tokens": "tokens-50",
    "tools": "tools",
    "json": "json",
    "agent": "agent+reason+signed",
}
CONTEXT = 200_000


def provider(slug: str, base_url: str) -> list[str]:
    out = ["[[providers]]", f'slug = "{slug}"', f'name = "{slug}"']
    return out + [f'base_url = "{base_url}"', 'api_key = "key-of-the-simulator"']


def model(name: str, output: str) -> list[str]:
    out = ["[[models]]", f'id = "{name}"', f'name = "{name}"', f"context_length = {CONTEXT}"]
    return out + [f'output_modalities = ["{output}"]']


def endpoint(name: str, slug: str, behaviour: str) -> list[str]:
    out = ["[[endpoints]]", f'model = "{name}"', f'provider = "{slug}"']
    out += [f'provider_model_id = "{behaviour}"']
    return out + [f'pricing = {{ prompt = "{PROMPT_PRICE}", completion = "{COMPLETION_PRICE}" }}']


def configuration(simulator: str, database: str, listen: str) -> str:
    out = [f'listen = "{listen}"', f'public_url = "http://{listen}"']
    out += ["[database]", f'url = "sqlite://{database}"']
    out += ["[people]", 'sign_up = "open"']
    for slug in PROVIDERS:
        out += provider(slug, f"{simulator}/v1")
    for dialect, (path, transport) in DIALECTS.items():
        out += provider(f"sim-{dialect}", simulator + path)
        out += ["[[providers.speaks]]", f'dialect = "{dialect}"', f'transport = "{transport}"']
    models = {name: ("text", behaviours) for name, behaviours in MODELS.items()} | RETRIEVAL
    for name, (output, behaviours) in models.items():
        out += model(name, output)
        for slug, behaviour in zip(PROVIDERS, behaviours):
            out += endpoint(name, slug, behaviour)
    for dialect in DIALECTS:
        for case, behaviour in CASES.items():
            out += model(f"{dialect}/{case}", "text")
            out += endpoint(f"{dialect}/{case}", f"sim-{dialect}", behaviour)
            if dialect in STRUCTURED:
                out += [f"supported_parameters = {STRUCTURED[dialect]}"]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    print(configuration(*sys.argv[1:4]), end="")
