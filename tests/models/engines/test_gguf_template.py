"""llama.cpp renders the chat template in a GGUF as kofinlaw renders the checkpoint's."""

import json

import pytest

from kofinlaw.models.gguf_table import read_gguf_metadata
from kofinlaw.models.templates import BUILT_IN, built_in_template
from kofinlaw.trainer.export.dialogues import DIALOGUES
from kofinlaw.trainer.export.modelfile import expected_texts, write_modelfile
from kofinlaw.trainer.proof.gguf_measure import GgufModel

pytest.importorskip("xllamacpp", reason="the extra `quickstart` is not installed")
pytest.importorskip("gguf", reason="the extra `gguf` is not installed")


@pytest.fixture(scope="module")
def pico():
    import importlib.util
    from pathlib import Path

    spec = importlib.util.spec_from_file_location(
        "pico_models", Path(__file__).parents[1] / "pico.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", BUILT_IN)
def test_twenty_dialogues_are_rendered_alike(name, llama, pico, tmp_path):
    plain = built_in_template(name)
    file = pico.save_gguf(llama, tmp_path / "m.gguf", template=plain.source)
    tokens = read_gguf_metadata(file)["tokenizer.ggml.tokens"]
    template = built_in_template(name, bos=tokens[1], eos=tokens[2])
    model = GgufModel(file, context=64, threads=1)
    expected = expected_texts(template, without_bos=True)
    got = [model.rendered(dialogue).removeprefix(tokens[1]) for dialogue in DIALOGUES]
    assert got == expected
    assert model.rendered([{"role": "nobody", "content": 1}]) in ("", model.rendered([]))


def test_a_modelfile_names_file_stop_context_and_what_was_verified(llama, pico, tmp_path):
    for name in ("m-q8_0", "m-f16"):
        pico.save_gguf(llama, tmp_path / f"{name}.gguf")
    config = json.loads((llama / "config.json").read_text())
    written, verified = write_modelfile(llama, tmp_path / "m-q8_0.gguf")
    assert written == "Modelfile"
    text = (tmp_path / written).read_text(encoding="utf-8")
    assert "FROM ./m-q8_0.gguf\n" in text
    assert f"PARAMETER num_ctx {config['max_position_embeddings']}\n" in text
    assert "PARAMETER stop " in text
    assert f"# Template: {verified}\n" in text
    assert ("not verified" in verified) is not ("verified by Go's" in verified)
    other, _ = write_modelfile(llama, tmp_path / "m-f16.gguf")
    assert other == "Modelfile.m-f16"
    assert (tmp_path / "Modelfile").read_text(encoding="utf-8") == text
    note = (tmp_path / "SERVING.md").read_text(encoding="utf-8")
    for line in ("llama-server -m m-f16.gguf --jinja", "lms import m-q8_0.gguf",
                 "ollama create m-f16 -f Modelfile.m-f16", "ollama create m-q8_0 -f Modelfile\n"):  # fmt: skip
        assert line in note
