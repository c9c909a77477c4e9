"""Quantise one checkpoint to 4 bits, block by block, inside llm-compressor's environment.

Reads the job as JSON from stdin. Imports nothing of kofinlaw, which that environment lacks.
"""

from __future__ import annotations

import json
import sys

__all__ = ["GROUP", "main"]

GROUP = 128  # weights that share a scale; vLLM's kernels require this size


def main() -> None:
    """Read the job {model, out, method, texts, tokens}, quantise the model and save it."""
    import torch
    from datasets import Dataset
    from llmcompressor import oneshot
    from llmcompressor.modifiers.quantization import GPTQModifier, QuantizationModifier
    from llmcompressor.modifiers.transform.awq import AWQModifier
    from transformers import AutoModelForCausalLM, AutoTokenizer

    job = json.load(sys.stdin)
    # The weights stay in host memory; the sequential pipeline moves one block at a time to the
    # card. A 10.7B model in 16 bit with its calibration does not fit 24 GB as a whole.
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.bfloat16)
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    rows = [
        {"input_ids": ids, "attention_mask": [1] * len(ids)}
        for text in job["texts"]
        if (ids := tokenizer(text).input_ids[: job["tokens"]])
    ]
    linear = {name: m for name, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    kept = [name for name, module in linear.items() if module.in_features % GROUP]
    ignore = sorted({*kept, "lm_head"})
    scheme = {"targets": ["Linear"], "ignore": ignore}
    if job["method"] == "awq":
        # AWQ scales the weights; the second modifier quantises them.
        modifiers = [AWQModifier(), QuantizationModifier(scheme="W4A16_ASYM", **scheme)]
    else:
        modifiers = [GPTQModifier(scheme="W4A16", **scheme)]
    oneshot(
        model=model,
        dataset=Dataset.from_list(rows),
        recipe=modifiers,
        pipeline="sequential",
        max_seq_length=job["tokens"],
        num_calibration_samples=len(rows),
        shuffle_calibration_samples=False,
    )
    model.save_pretrained(job["out"], save_compressed=True)


if __name__ == "__main__":
    main()
