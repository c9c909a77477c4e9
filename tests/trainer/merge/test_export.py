"""Exports of pico models; the GGUF ones really convert where the converter's environment is."""

from __future__ import annotations

import json
import struct

import pytest
import torch

from kofinlaw import UserError
from kofinlaw.models.gguf_table import TokenTable, token_table
from kofinlaw.models.loading import load_model
from kofinlaw.trainer.export import tokenizer as export_tokenizer
from kofinlaw.trainer.export.environment import GGUF, is_ready
from kofinlaw.trainer.export.formats import export_stage, to_bnb4, to_gguf, to_hf
from kofinlaw.trainer.export.settings import ExportSettings
from kofinlaw.trainer.merge.merge_model import merge


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


def write_gguf(path, *, model="llama"):
    gguf = pytest.importorskip("gguf", reason="the extra `gguf` is not installed")
    tokens, scores, types = pico_tokens()
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


def fields(data):
    """Protobuf as [(field, value)]: numbers, 4-byte floats and byte strings."""
    out, at = [], 0

    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    while at < len(data):
        key, at = varint(at)
        if key & 7 == 0:
            value, at = varint(at)
        elif key & 7 == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            size, at = varint(at)
            value, at = data[at : at + size], at + size
        out.append((key >> 3, value))
    return out


def test_the_token_table_of_a_gguf_is_read_whole(tmp_path):
    table = token_table(write_gguf(tmp_path / "v.gguf"))
    assert (list(table.tokens), list(table.scores), list(table.types)) == pico_tokens()
    assert (table.bos, table.eos, table.unknown, table.padding) == (1, 2, 0, -1)


def test_the_rebuilt_tokenizer_model_holds_every_piece(tmp_path):
    table = token_table(write_gguf(tmp_path / "v.gguf"))
    parts = fields(export_tokenizer.sentencepiece_model(table))
    pieces = [dict(fields(value)) for field, value in parts if field == 1]
    assert len(pieces) == len(table.tokens)
    assert pieces[3] == {1: "\u2581\u2581".encode(), 2: -1000.0, 3: 4}
    assert pieces[0][3] == 2
    assert pieces[261 + 3] == {1: "은행".encode(), 2: -3.0}
    trainer = dict(fields(next(value for field, value in parts if field == 2)))
    assert (trainer[3], trainer[35], trainer[40], trainer[41], trainer[42]) == (2, 1, 0, 1, 2)
    assert trainer[43] == (1 << 64) - 1  # -1: no padding token
    normalizer = dict(fields(next(value for field, value in parts if field == 3)))
    assert (normalizer[1], normalizer[3]) == (b"identity", 0)


def test_differences_name_the_ids(tmp_path):
    table = token_table(write_gguf(tmp_path / "v.gguf"))
    other = TokenTable(
        (*table.tokens[:5], "x", *table.tokens[6:-1]),
        table.scores[:-1],
        table.types[:-1],
        1,
        2,
        0,
        -1,
    )
    assert export_tokenizer.differences(table, other) == [5, len(table.tokens) - 1]
    assert export_tokenizer.differences(table, table) == []


@pytest.mark.parametrize("damage", ["magic", "cut", "empty", "kind"])
def test_a_damaged_gguf_is_refused(tmp_path, damage):
    path = write_gguf(tmp_path / "v.gguf", model="gpt2" if damage == "kind" else "llama")
    data = path.read_bytes()
    path.write_bytes(
        {"magic": b"XXXX" + data[4:], "cut": data[:2000], "empty": b"", "kind": data}[damage]
    )
    with pytest.raises(UserError, match=r"not a GGUF|damaged|empty|not a SentencePiece"):
        token_table(path)


def test_4_bit_weights_reload_and_are_quantised_once(tmp_path, llama, plain_adapter):
    merge(plain_adapter, llama, tmp_path / "m", base="original")
    facts = to_bnb4(tmp_path / "m", tmp_path / "q")
    config = json.loads((tmp_path / "q" / "config.json").read_text())
    assert config["quantization_config"]["bnb_4bit_quant_type"] == "nf4"
    assert config["rope_theta"] == 10000.0
    for name in ("tokenizer.json", "chat_template.jinja", "LICENSE"):
        assert (tmp_path / "q" / name).read_bytes() == (llama / name).read_bytes()
    assert 0 < facts["bytes"] < sum(p.stat().st_size for p in (tmp_path / "m").glob("*.saf*"))
    ids = torch.arange(8, 60)[None]
    with torch.no_grad():
        reloaded = load_model(tmp_path / "q", dtype="bfloat16")(ids).logits
        direct = load_model(tmp_path / "m", quantization="nf4", dtype="bfloat16")(ids).logits
    assert torch.equal(reloaded, direct)


def test_a_target_with_files_in_it_is_refused(tmp_path, llama, plain_adapter):
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "mine.txt").write_text("x")
    with pytest.raises(UserError, match="not empty"):
        to_bnb4(llama, tmp_path / "q")


def test_the_stage_keeps_what_is_there(tmp_path, llama):
    settings = ExportSettings.model_validate({"formats": ["bnb-4bit"]})
    first = export_stage(settings, llama, tmp_path / "out")
    folder = next(path for path in (tmp_path / "out").iterdir() if path.is_dir())
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert export_stage(settings, llama, tmp_path / "out") == first
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


def test_a_target_with_another_merge_s_export_is_refused(tmp_path, llama, plain_adapter):
    settings = ExportSettings.model_validate({"formats": ["hf"]})
    for dtype in ("bfloat16", "float32"):
        merge(plain_adapter, llama, tmp_path / dtype, base="original", dtype=dtype)
    export_stage(settings, tmp_path / "bfloat16", tmp_path / "out")
    with pytest.raises(UserError, match="holds another merge's export") as caught:
        export_stage(settings, tmp_path / "float32", tmp_path / "out")
    assert "name another folder" in caught.value.remedy


def test_a_form_made_with_other_settings_is_refused(tmp_path, llama, monkeypatch):
    from kofinlaw.trainer.export import formats as export

    def to_gguf(merged, out, **_):
        out.write_text("GGUF")
        return {"file": out.name, "bytes": 4}

    monkeypatch.setattr(export, "to_gguf", to_gguf)

    def call(**fields):
        settings = ExportSettings.model_validate({"formats": ["gguf-q4_k_m"], **fields})
        return export_stage(settings, llama, tmp_path / "out")

    assert call(quantizer="here") == call(quantizer="here", calibration_samples=9)
    with pytest.raises(UserError, match="gguf-q4_k_m made with other settings"):
        call(quantizer="there")


def test_a_missing_converter_says_how_to_get_it_and_leaves_nothing(tmp_path, llama, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="not set up, and this run is offline") as caught:
        to_gguf(llama, tmp_path / "m.gguf", environments=tmp_path / "env")
    assert "export.environment" in caught.value.remedy
    assert not (tmp_path / "m.gguf").exists()


def test_gemma_without_its_vocabulary_is_refused(tmp_path, llama, monkeypatch):
    import shutil

    from kofinlaw.trainer.export import gguf as export_gguf

    monkeypatch.setattr(export_gguf, "environment_python", lambda *_: tmp_path)
    source = shutil.copytree(llama, tmp_path / "gemma")
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps({**config, "model_type": "gemma3_text"}))
    with pytest.raises(UserError, match=r"no tokenizer\.model"):
        to_gguf(source, tmp_path / "m.gguf")


def test_4_bit_gguf_is_refused_where_no_quantiser_is_found(tmp_path, llama, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"needs llama\.cpp's llama-quantize") as caught:
        to_gguf(llama, tmp_path / "m.gguf", out_type="q4_k_m")
    assert "gguf-q8_0, which needs none" in caught.value.remedy


def test_a_quantiser_that_is_found_makes_the_file_from_bf16(tmp_path, llama, monkeypatch):
    from kofinlaw.trainer.export import gguf as export_gguf

    def convert(python, source, target, out_type):
        target.write_text(out_type)

    monkeypatch.setattr(export_gguf, "environment_python", lambda *_: tmp_path)
    monkeypatch.setattr(export_gguf, "_convert", convert)
    tool = tmp_path / "llama-quantize"
    tool.write_text('#!/bin/sh\necho "$(cat $1) to $3" > $2\n')
    tool.chmod(0o755)
    facts = to_gguf(llama, tmp_path / "m.gguf", out_type="q4_k_m", quantizer=tool)
    assert (tmp_path / "m.gguf").read_text() == "bf16 to Q4_K_M\n"
    assert facts["out_type"] == "q4_k_m"
    tool.write_text("#!/bin/sh\necho unknown model >&2; exit 1\n")
    with pytest.raises(UserError, match="refused this model: unknown model"):
        to_gguf(llama, tmp_path / "n.gguf", out_type="q4_k_m", quantizer=tool)
    assert not (tmp_path / "n.gguf").exists()


def test_the_hf_form_is_the_merge_by_its_bytes(tmp_path, llama, plain_adapter):
    merge(plain_adapter, llama, tmp_path / "m", base="original")
    to_hf(tmp_path / "m", tmp_path / "hf")
    files = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "hf").iterdir()} == files
    (tmp_path / "m" / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match=r"tokenizer\.json is not the file that the merge wrote"):
        to_hf(tmp_path / "m", tmp_path / "changed")
    assert not (tmp_path / "changed").exists()


@pytest.mark.slow
@pytest.mark.skipif(
    not is_ready(GGUF),
    reason="the GGUF converter is not set up: python -m kofinlaw.trainer.export.environment",
)
def test_a_pico_llama_becomes_gguf_and_answers_in_llama_cpp(tmp_path, pico):
    xllamacpp = pytest.importorskip("xllamacpp", reason="the extra `quickstart` is not installed")
    tokens, _, _ = pico_tokens()
    base = pico.write_llama(tmp_path / "base", vocab_size=len(tokens), pad_token_id=None)
    vocabulary = write_gguf(tmp_path / "v.gguf")
    facts = to_gguf(base, tmp_path / "m.gguf", out_type="bf16", vocabulary_from=vocabulary)
    assert facts["vocabulary"].endswith("table equal")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(tmp_path / "m.gguf")
    parameters.n_ctx, parameters.n_parallel = 128, 1
    server = xllamacpp.Server(parameters)
    prompt = [1, 262, 265, 268, 269, 270]
    reply = server.handle_completions({"prompt": prompt, "n_predict": 6, "temperature": 0,
                                       "n_probs": 1, "logit_bias": []})  # fmt: skip
    said = [item["id"] for item in reply["choices"][0]["logprobs"]["content"]]
    model = load_model(base, dtype="float32")
    ours = model.generate(torch.tensor([prompt]), max_new_tokens=len(said), do_sample=False)
    assert ours[0, len(prompt) :].tolist() == said
