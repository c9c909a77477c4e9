"""A small run with its server, and a server in this process without a run."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from attacks.small_run import ACT, ACTS, RECIPE, write_documents, write_questions, write_tokenizer
from safetensors.numpy import save_file

sys.path.append(str(Path(__file__).parent))

from small_serving import EMBEDDER, INJECTED, Logged, wait_for_address


def write_weightless_model(folder):
    """A model for the dummy engine: tokenizer, config and zeros."""
    tokens = write_tokenizer(folder, [ACT.format(**act) for act in ACTS])
    wide, inner = 16, 32
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": tokens,
        "hidden_size": wide, "intermediate_size": inner, "num_hidden_layers": 1,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 2048,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    layer = {
        "input_layernorm": (wide,), "post_attention_layernorm": (wide,),
        "mlp.gate_proj": (inner, wide), "mlp.up_proj": (inner, wide), "mlp.down_proj": (wide, inner),
        "self_attn.q_proj": (wide, wide), "self_attn.k_proj": (wide // 2, wide),
        "self_attn.v_proj": (wide // 2, wide), "self_attn.o_proj": (wide, wide),
    }  # fmt: skip
    shapes = {f"model.layers.0.{name}.weight": shape for name, shape in layer.items()}
    shapes |= {"model.embed_tokens.weight": (tokens, wide), "lm_head.weight": (tokens, wide)}
    shapes["model.norm.weight"] = (wide,)
    zeros = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    save_file(zeros, folder / "model.safetensors")


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run up to its index, with an instruction in one of its rulebooks."""
    from kofinlaw.recipes.api import run_recipe

    home = tmp_path_factory.mktemp("serve")
    write_documents(home / "docs")
    write_questions(home)
    write_weightless_model(home / "model")
    rule = next((home / "docs").rglob("*.*"))
    text = rule.read_text(encoding="utf-8") + f"\n\n제99조(지시) {INJECTED}.\n"
    rule.write_text(text, encoding="utf-8")
    recipe = RECIPE.replace("engine: {dtype: float32}", "engine: {engine: dummy}, abstain: never")
    recipe = recipe.replace("rag: {", f"rag: {{lexical: bigram, embedder: {EMBEDDER}, ")
    (home / "recipe.yaml").write_text(recipe, encoding="utf-8")
    run_recipe(home / "recipe.yaml", folder=home / "run", until="index", say=lambda _: None)
    return home / "run"


@pytest.fixture(scope="session")
def server(run):
    """`kofinlaw serve` on the run: (process, address)."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kofinlaw", "serve", str(run), "--port", "0", "--waiting", "400"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ),
    )  # fmt: skip
    yield process, wait_for_address(process)
    process.terminate()
    assert process.wait(20) == 0


PROGRAM = """
import sys
from small_serving import SlowlyLoaded
from kofinlaw.recipes.serving.server import ServeSettings, serve
if __name__ == "__main__":
    settings = ServeSettings(port=0, grace=float(sys.argv[3]))
    load = SlowlyLoaded(sys.argv[1], sys.argv[2])
    serve(load, "pico", None, settings, lambda line: print(line, flush=True))
"""


@pytest.fixture
def program(tmp_path):
    """Start a server with the echoing engine as a program: (grace, ready) -> process.

    `log` is the engine's log, `said()` waits for the end and returns what the program printed. It
    loads until `loaded` exists.
    """
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    with contextlib.ExitStack() as stack:

        def start(*, grace=20.0, ready=True):
            log, loaded = tmp_path / "log", tmp_path / "loaded"
            if ready:
                loaded.touch()
            process = subprocess.Popen(
                [sys.executable, str(script), str(log), str(loaded), str(grace)],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                start_new_session=True, env={**os.environ, "PYTHONPATH": paths},
            )  # fmt: skip

            def end():
                process.kill()
                process.wait()
                process.stdout.close()

            stack.callback(end)
            process.log, process.loaded = log, loaded
            return process

        yield start


@pytest.fixture
def address(server):
    return server[1]


@pytest.fixture
def ask():
    """Post a question to an address: (address, question, more fields) -> response."""

    def post(address, content="질문", *, path="/v1/chat/completions", headers=None, **more):
        body = {"model": "pico", "messages": [{"role": "user", "content": content}], **more}
        return httpx.post(address + path, json=body, headers=headers, timeout=60)

    return post


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    """An engine's process that echoes, and writes each batch as a line of `worker.log`."""
    from kofinlaw.recipes.serving.worker import Worker

    log = tmp_path_factory.mktemp("worker") / "log"
    log.touch()  # a test may read it before the first batch
    worker = Worker(Logged(log), batch_seconds=20)
    worker.start()
    worker.log = log
    yield worker
    worker.stop()


@pytest.fixture(scope="module")
def small_server(worker):
    """Serve in this process what a worker answers: settings of the app -> address.

    `dispatchers` has the dispatcher of each address.
    """
    import uvicorn

    from kofinlaw.recipes.serving.access import open_access
    from kofinlaw.recipes.serving.app import Served, make_app
    from kofinlaw.recipes.serving.dispatch import Dispatcher

    with contextlib.ExitStack() as stack:

        def start(*, own=None, waiting=256, batch=16, token="", **served):
            dispatcher = Dispatcher(own or worker, most=waiting, batch=batch)
            listener = socket.create_server(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            access = open_access("127.0.0.1", port, token, ())
            app = make_app(Served("pico", "embedder", **served), dispatcher, access)
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
            thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
            thread.start()

            def stop():
                server.should_exit = True
                thread.join(20)
                listener.close()

            stack.callback(stop)
            while not server.started:
                time.sleep(0.01)
            start.dispatchers[f"http://127.0.0.1:{port}"] = dispatcher
            return f"http://127.0.0.1:{port}"

        start.dispatchers = {}
        yield start
