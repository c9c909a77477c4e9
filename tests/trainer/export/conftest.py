"""The merge tests' pico models, and a GGUF file that holds only a vocabulary."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


def load_models():
    path = Path(__file__).parents[1] / "merge" / "conftest.py"
    spec = importlib.util.spec_from_file_location("merge_fixtures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shared = load_models()
pico, llama, plain_adapter = shared.pico, shared.llama, shared.plain_adapter


def pico_tokens():
    """A SentencePiece-like vocabulary: marks, bytes, then Korean pieces with scores."""
    tokens = ["<unk>", "<s>", "</s>", "  ", "<|end|>"]
    types = [2, 3, 3, 4, 3]
    tokens += [f"<0x{byte:02X}>" for byte in range(256)]
    types += [6] * 256
    pieces = [
        "\u2581",
        "은",
        "행",
        "은행",
        "\u2581은행",
        "법",
        "제",
        "조",
        "제1조",
        "1",
        "한",
        "도",
    ]
    tokens += pieces
    types += [1] * len(pieces)
    scores = [-1000.0] * 5 + [0.0] * 256 + [-float(n) for n in range(len(pieces))]
    return tokens, scores, types


def write(path, *, model="llama", tokens=None):
    gguf = pytest.importorskip("gguf", reason="the extra `gguf` is not installed")
    own, scores, types = pico_tokens()
    tokens = tokens or own
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_tokenizer_model(model)
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="session")
def pico_vocabulary():
    """The tokens, scores and types of the vocabulary."""
    return pico_tokens()


@pytest.fixture(scope="session")
def write_gguf():
    """The function that writes the GGUF file."""
    return write
