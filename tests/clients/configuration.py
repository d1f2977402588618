"""Prints the configuration that the client tests run Signalbox with.

Usage: configuration.py SIMULATOR_URL DATABASE_FILE LISTEN_ADDRESS
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


def configuration(simulator: str, database: str, listen: str) -> str:
    out = [f'listen = "{listen}"', f'public_url = "http://{listen}"']
    out += ["[database]", f'url = "sqlite://{database}"']
    for slug in PROVIDERS:
        out += ["[[providers]]", f'slug = "{slug}"', f'name = "{slug}"']
        out += [f'base_url = "{simulator}"', 'api_key = "key-of-the-simulator"']
    models = {model: ("text", behaviours) for model, behaviours in MODELS.items()} | RETRIEVAL
    for model, (output, behaviours) in models.items():
        out += ["[[models]]", f'id = "{model}"', f'name = "{model}"', "context_length = 32768"]
        out += [f'output_modalities = ["{output}"]']
        for provider, behaviour in zip(PROVIDERS, behaviours):
            out += ["[[endpoints]]", f'model = "{model}"', f'provider = "{provider}"']
            out += [f'provider_model_id = "{behaviour}"']
            out += [f'pricing = {{ prompt = "{PROMPT_PRICE}", completion = "{COMPLETION_PRICE}" }}']
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    print(configuration(*sys.argv[1:4]), end="")
