"""Folders that must not be loaded, and folders whose files contradict each other."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.models.folder_checks import check_folder
from kofinlaw.models.loading import load_model
from kofinlaw.models.resolve import model_folder
from kofinlaw.models.settings import ModelSettings

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
Change = Callable[[Path], object]


def configured(**values: Any) -> Change:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text(encoding="utf-8")) | values
        path.write_text(json.dumps(config), encoding="utf-8")

    return change


def quantized(method: str) -> Change:
    return configured(quantization_config={"quant_method": method, "bits": 4})


def containing(name: str, data: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(data)


def without_a_shard(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    names = {"model.embed_tokens.weight": 1, "lm_head.weight": 2}
    weights = {name: f"model-0000{part}-of-00002.safetensors" for name, part in names.items()}
    index = json.dumps({"weight_map": weights})
    (folder / "model.safetensors.index.json").write_text(index, encoding="utf-8")


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def lengthened(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes() + b"\0" * 100)


def folders_for_files(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()


def test_what_must_not_be_loaded_is_refused_with_a_remedy(llama, tmp_path):
    with pytest.raises(UserError, match=r"config\.json is missing"):
        load_model(tmp_path)
    pickled = tmp_path / "pickled"
    shutil.copytree(llama, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(UserError, match="pickled files"):
        load_model(pickled)
    remote = tmp_path / "remote"
    shutil.copytree(llama, remote)
    configured(model_type="exaone", auto_map={"AutoModelForCausalLM": "modeling_exaone.X"})(remote)
    with pytest.raises(UserError, match="its own code") as error:
        load_model(remote)
    assert "kofinlaw convert llama" in error.value.remedy


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (quantized("gptq"), "quantized with gptq, and no package here"),
        (quantized("awq"), "quantized with awq, and no package here"),
        (quantized("compressed-tensors"), "quantized with compressed-tensors"),
        (configured(quantization_config="x"), "`quantization_config` must be an object"),
        (configured(text_config=[]), "`text_config` must be an object"),
        (without_a_shard, "a file that is not there: model-00002-of-00002"),
        (configured(hidden_size=10**9), "`hidden_size` is 1000000000, not a whole number"),
        (configured(hidden_size=64), "`hidden_size` is 64, and the weights have 32"),
        (configured(hidden_size=-32), "`hidden_size` is -32"),
        (configured(hidden_size="a"), "`hidden_size` is a"),
        (configured(hidden_size=None), "`hidden_size` is None"),
        (configured(hidden_size=32.0), r"`hidden_size` is 32\.0"),
        (configured(hidden_size=True), "`hidden_size` is True"),
        (configured(num_hidden_layers=10**6), "`num_hidden_layers` is 1000000"),
        (configured(num_hidden_layers=9_999), "is 9999, and the weights have 2"),
        (configured(num_hidden_layers=1), "is 1, and the weights have 2"),
        (configured(num_attention_heads=0), "`num_attention_heads` is 0"),
        (configured(num_key_value_heads=10**7), "`num_key_value_heads` is 10000000"),
        (configured(vocab_size=17), "`vocab_size` is 17, and the weights have"),
        (configured(vocab_size=10**12), "`vocab_size` is 1000000000000"),
        (configured(intermediate_size=65), "`intermediate_size` is 65, and the weights have 64"),
        (configured(max_position_embeddings=-5), "`max_position_embeddings` is -5"),
        (containing("model.safetensors", b""), "the weight file is empty"),
        (containing("model.safetensors", POINTER), "a pointer of Git LFS"),
        (containing("model.safetensors", b"x" * 500), "not a safetensors file"),
        (containing("model.safetensors", b"\x00" * 500), "not a safetensors file"),
        (containing("model.safetensors", (2).to_bytes(8, "little") + b"[]"), "cannot be read"),
        (cut, "bytes, and its header names"),
        (lengthened, "bytes, and its header names"),
        (containing("config.json", b"{"), r"config\.json: the file cannot be read"),
        (containing("config.json", b"[]"), "must hold one JSON object"),
        (containing("config.json", b"[" * 100_000), "the file cannot be read"),
        (containing("config.json", b'{"a":' + b"9" * 5_000 + b"}"), "the file cannot be read"),
        (containing("config.json", b"\xff\xfe"), "the file cannot be read"),
        (folders_for_files, r"config\.json: the file cannot be read"),
        (containing("generation_config.json", b"{"), r"generation_config\.json: the file cannot"),
        (containing("generation_config.json", b"[]"), "must hold one JSON object"),
        (containing("model.safetensors.index.json", b"{"), "the index cannot be read"),
        (containing("model.safetensors.index.json", b'{"weight_map": []}'), "the index cannot"),
        (
            containing("model.safetensors.index.json", b'{"weight_map": {"a": "../b"}}'),
            "outside the folder",
        ),
    ],
)
def test_a_folder_whose_files_contradict_each_other_is_refused_before_anything_is_built(
    change, said, llama, tmp_path
):
    folder = tmp_path / "odd"
    shutil.copytree(llama, folder)
    change(folder)
    with pytest.raises(UserError, match=said) as caught:
        check_folder(folder)
    assert caught.value.where.startswith(str(folder))
    with pytest.raises(UserError, match=said):  # where a recipe's `model.path` enters
        model_folder(ModelSettings(id="mine", path=folder))


@pytest.mark.parametrize(
    "values",
    [
        {"num_attention_heads": 5},
        {"rms_norm_eps": "x"},
        {"model_type": "nope"},
        {"rope_parameters": {"rope_type": "nope"}},
    ],
)
def test_what_only_transformers_can_judge_is_one_error_too(values, llama, tmp_path):
    folder = tmp_path / "odd"
    shutil.copytree(llama, folder)
    configured(**values)(folder)
    with pytest.raises(UserError, match="the model does not load: ") as caught:
        load_model(folder)
    assert caught.value.remedy


def test_whole_models_of_other_shapes_are_accepted(llama, gemma, tmp_path):
    check_folder(llama)
    check_folder(gemma)
    nested = tmp_path / "nested"
    shutil.copytree(gemma, nested)
    config = json.loads((nested / "config.json").read_text(encoding="utf-8"))
    outer = {"model_type": "gemma3", "vision_config": {"num_hidden_layers": 27}}
    text = json.dumps(outer | {"text_config": config})
    (nested / "config.json").write_text(text, encoding="utf-8")
    check_folder(nested)
    further = tmp_path / "further"
    shutil.copytree(llama, further)
    configured(num_hidden_layers=1, num_nextn_predict_layers=1)(further)
    check_folder(further)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
KEYS = ("hidden_size", "num_hidden_layers", "vocab_size", "intermediate_size", "head_dim")
KEYS = (
    *KEYS,
    "quantization_config",
    "text_config",
    "num_nextn_predict_layers",
    "is_encoder_decoder",
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(KEYS), JSON, min_size=1, max_size=3))
def test_any_values_in_config_json_are_accepted_or_one_error(llama, tmp_path, values):
    folder = tmp_path / "odd"
    shutil.copytree(llama, folder, dirs_exist_ok=True)
    configured(**values)(folder)
    with contextlib.suppress(UserError):
        check_folder(folder)
