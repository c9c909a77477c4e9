"""A good merge passes its proof, and each damaged one fails for the right reason."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from kofinlaw.records import Question
from kofinlaw.trainer.merge.merge_model import merge_adapter
from kofinlaw.trainer.proof.proof_result import ROUNDING_REMEDY
from kofinlaw.trainer.proof.prove import prove_merge
from kofinlaw.trainer.proof.settings import VerifySettings

PROMPTS = ["전자금융거래의 한도를 쓰시오.", "개인정보의 보유 기간을 설명하시오."]
SMALL = VerifySettings.model_validate({"greedy_tokens": 6, "max_tokens_per_prompt": 64})
NAME = "model.layers.1.self_attn.q_proj.weight"
PREFIX = "base_model.model."


def damaged(merged, target, change):
    """A copy of the merge with its tensors changed in place by `change`."""
    shutil.copytree(merged, target)
    weights = load_file(target / "model.safetensors")
    change(weights)
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    return target


def verify(merged, adapter, base, **options):
    return prove_merge(merged, adapter, base, prompts=PROMPTS, settings=SMALL, **options)


def delta_of(adapter, name):
    weights = load_file(adapter / "adapter_model.safetensors")
    stem = PREFIX + name.removesuffix(".weight")
    return weights[f"{stem}.lora_A.weight"], weights[f"{stem}.lora_B.weight"]


def failing(result):
    return set(result.failed)


def test_a_good_merge_passes_and_the_page_says_what_was_compared(
    tmp_path, base, adapter, merged, questions
):
    result = verify(merged, adapter, base, questions=questions, out=tmp_path)
    assert result.failed == ()
    assert result.verdict == "pass"
    figures = result.figures
    assert figures.choices == 8
    assert figures.kl_mean < 0.05 * figures.adapter_effect_kl
    assert figures.tokens_compared > 300
    assert result.weights.delta_kept == pytest.approx(1, abs=0.05)
    assert json.loads((tmp_path / "verify.json").read_text()) == result.to_report()
    page = (tmp_path / "verify.md").read_text()
    assert page.startswith("# Merge proof: PASS")
    assert "| KL divergence |" in page


def test_a_merge_on_the_original_is_compared_with_the_original(tmp_path, base, adapter):
    merge_adapter(adapter, base, tmp_path / "m", base="original", dtype="float16")
    result = verify(tmp_path / "m", adapter, base)
    assert result.verdict == "pass"
    assert result.merged_base == "original"


def test_an_adapter_trained_on_16_bits_is_proven_too(tmp_path, pico, base):
    adapter = pico.write_adapter(tmp_path / "a", base, use_dora=True)
    merge_adapter(adapter, base, tmp_path / "m")
    assert verify(tmp_path / "m", adapter, base).verdict == "pass"


@pytest.mark.parametrize(
    "changes",
    [{"type": "fp4"}, {"block_size": 32, "double_quant": False}],
    ids=["fp4", "block 32, scales in 32 bits"],
)
def test_other_4_bit_settings_are_proven_and_distinguished(tmp_path, pico, base, changes):
    adapter = pico.write_adapter(tmp_path / "a", base)
    path = adapter / "kofinlaw.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "quantization": {**pico.NF4, **changes}}))
    merge_adapter(adapter, base, tmp_path / "m")
    assert verify(tmp_path / "m", adapter, base).verdict == "pass"
    path.write_text(json.dumps({**record, "quantization": pico.NF4}))
    assert "weights" in failing(verify(tmp_path / "m", adapter, base))


def test_a_skipped_tensor_fails(tmp_path, base, adapter, merged):
    from kofinlaw.trainer.merge.quantize import training_values

    record = json.loads((adapter / "kofinlaw.json").read_text())["quantization"]
    plain = training_values(load_file(base / "model.safetensors")[NAME], record).bfloat16()
    result = verify(
        damaged(merged, tmp_path / "m", lambda w: w.update({NAME: plain})), adapter, base
    )
    assert {"weights", "adapter kept"} <= failing(result)
    assert result.weights.to_record()["wrong"] == {"count": 1, "first": [NAME]}
    assert result.weights.delta_kept == pytest.approx(0, abs=0.02)


def test_a_tiny_adapter_that_16_bits_round_away_is_named_as_the_cause(tmp_path, base, adapter):
    tiny = tmp_path / "a"
    shutil.copytree(adapter, tiny)
    weights = load_file(tiny / "adapter_model.safetensors")
    small = {name: w * 1e-3 if "lora_B" in name else w for name, w in weights.items()}
    save_file(small, tiny / "adapter_model.safetensors", metadata={"format": "pt"})
    merge_adapter(tiny, base, tmp_path / "m")
    result = verify(tmp_path / "m", tiny, base, out=tmp_path / "proof")
    assert "adapter kept" in failing(result)
    share = f"{result.weights.rounding_share:.1%}"
    assert f"rounds {share} of its change away" in result.cause
    page = (tmp_path / "proof" / "verify.md").read_text()
    assert f"**Cause:** {result.cause}." in page
    assert "`merge.dtype: float32`" in page
    report = json.loads((tmp_path / "proof" / "verify.json").read_text())
    assert (report["cause"], report["remedy"]) == (result.cause, ROUNDING_REMEDY)
    merge_adapter(tiny, base, tmp_path / "m32", dtype="float32")
    assert verify(tmp_path / "m32", tiny, base).verdict == "pass"


def test_a_wrong_scaling_fails_by_weights_and_by_what_it_says(tmp_path, base, adapter):
    wrong = tmp_path / "a"
    shutil.copytree(adapter, wrong)
    config = json.loads((wrong / "adapter_config.json").read_text())
    (wrong / "adapter_config.json").write_text(json.dumps({**config, "use_rslora": True}))
    merge_adapter(wrong, base, tmp_path / "m")
    result = verify(tmp_path / "m", adapter, base)
    assert {"weights", "adapter kept", "KL divergence", "argmax agreement"} <= failing(result)
    assert result.weights.delta_kept == pytest.approx(8**0.5, rel=0.05)
    assert result.cause is None  # not rounding


def test_a_dropped_template_fails(tmp_path, base, adapter, merged):
    shutil.copytree(merged, tmp_path / "m")
    (tmp_path / "m" / "chat_template.jinja").unlink()
    result = verify(tmp_path / "m", adapter, base)
    assert failing(result) == {"chat template"}
    assert "not_measured" in result.to_report()


def test_a_transposed_factor_fails(tmp_path, base, adapter, merged):
    a, b = delta_of(adapter, NAME)

    def swap(weights):
        right, wrong = 2 * b @ a, 2 * (b @ a).T
        weights[NAME] = (weights[NAME].float() - right + wrong).bfloat16()

    result = verify(damaged(merged, tmp_path / "m", swap), adapter, base)
    assert {"weights", "adapter kept"} <= failing(result)


def test_a_merge_on_another_base_fails(tmp_path, pico, base, adapter):
    other = pico.write_llama(tmp_path / "other", seed=9, num_key_value_heads=4)
    forged = tmp_path / "a"
    shutil.copytree(adapter, forged)
    record = json.loads((forged / "kofinlaw.json").read_text())
    del record["base_sha256"]
    (forged / "kofinlaw.json").write_text(json.dumps(record))
    merge_adapter(forged, other, tmp_path / "m", accept_unrecorded=True)
    result = verify(tmp_path / "m", adapter, base)
    assert {"base", "weights", "KL divergence", "argmax agreement"} <= failing(result)


def test_a_changed_tokenizer_fails(tmp_path, base, adapter, merged):
    shutil.copytree(merged, tmp_path / "m")
    path = tmp_path / "m" / "tokenizer.json"
    path.write_text(path.read_text().replace("<|end|>", "<|fin|>"))
    assert "tokenizer" in failing(verify(tmp_path / "m", adapter, base))


def test_missing_and_extra_tensors_fail(tmp_path, base, adapter, merged):
    def change(weights):
        weights["model.layers.9.stray.weight"] = torch.zeros(2, 2)
        del weights["model.norm.weight"]

    result = verify(damaged(merged, tmp_path / "m", change), adapter, base)
    assert {"tensors", "parameters"} <= failing(result)


def test_a_truncated_checkpoint_fails_without_a_traceback(tmp_path, base, adapter, merged):
    shutil.copytree(merged, tmp_path / "m")
    path = tmp_path / "m" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    result = verify(tmp_path / "m", adapter, base)
    assert failing(result) == {"weights"}
    assert "truncated or corrupt" in result.checks[-1].value


def test_the_4_bit_merge_in_place_that_peft_offers_would_fail(tmp_path, base, adapter, merged):
    """Requantising base + adapter snaps back to the base's own grid."""
    from bitsandbytes import functional

    def snap(weights):
        for name, value in weights.items():
            if "_proj" in name:
                packed, state = functional.quantize_4bit(
                    value.contiguous(), blocksize=64, compress_statistics=True, quant_type="nf4"
                )
                weights[name] = functional.dequantize_4bit(packed, state)

    result = verify(damaged(merged, tmp_path / "m", snap), adapter, base)
    assert {"weights", "KL divergence"} <= failing(result)


def test_free_text_questions_serve_as_prompts_and_the_record_is_flat(
    tmp_path, base, adapter, merged, questions
):
    free = Question("f1", "보고 기한을 쓰시오.")
    result = prove_merge(
        merged, adapter, base, questions=[*questions, free], settings=SMALL, out=tmp_path / "out"
    )
    record = result.to_record()
    assert (record["verdict"], record["choices"]) == ("pass", 8)
    assert not any(isinstance(value, list | dict) for value in record.values())
    alone = prove_merge(merged, adapter, base, questions=questions, settings=SMALL)
    assert result.figures.greedy_texts == alone.figures.greedy_texts
    assert result.figures.tokens_compared > alone.figures.tokens_compared
    assert (tmp_path / "out" / "verify.md").exists()


def test_a_merge_on_the_original_is_not_the_model_that_was_trained(tmp_path, base, adapter):
    merge_adapter(adapter, base, tmp_path / "m", base="original")
    result = verify(tmp_path / "m", adapter, base, against="trained")
    assert result.compared_with == "dequantized"
    assert {"weights", "KL divergence"} <= failing(result)
