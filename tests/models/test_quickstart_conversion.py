"""The converted quickstart model: configuration, chat turns and tokens."""

from __future__ import annotations

import json

import pytest

from kofinlaw.models import quickstart
from kofinlaw.models.resolve import model_folder
from kofinlaw.models.settings import ModelSettings

needs_conversion = pytest.mark.skipif(
    quickstart.converted_folder() is None,
    reason="the quickstart model is not converted yet on this machine",
)


@needs_conversion
def test_the_converted_folder_is_whole_and_speaks_turns():
    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer

    folder = model_folder(ModelSettings(id="gemma-3-270m"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert config["rope_theta"] == 1e6
    assert config["rope_local_base_freq"] == 1e4
    assert "quantization_config" not in config
    tokenizer, template = load_tokenizer(folder), template_for(folder)
    ids = tokenizer.encode(
        template.render([{"role": "user", "content": "안녕"}], add_generation_prompt=True)
    )
    assert ids[:2] == [tokenizer.special("bos_token"), tokenizer.id_of("<start_of_turn>")]
    assert template.stop == "<end_of_turn>"
    generation = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    assert generation["eos_token_id"] == [
        tokenizer.special("eos_token"),
        tokenizer.id_of(template.stop),
    ]


@needs_conversion
def test_its_tokens_are_the_ggufs_own():
    gguf = pytest.importorskip("gguf")
    from kofinlaw.models.tokenizer import load_tokenizer

    reader = gguf.GGUFReader(quickstart.quickstart_gguf())
    table = reader.fields["tokenizer.ggml.tokens"].contents()
    tokenizer = load_tokenizer(quickstart.quickstart_model())
    assert tokenizer.vocabulary == len(table)
    assert all(tokenizer.id_of(table[i]) == i for i in range(0, len(table), 997))
