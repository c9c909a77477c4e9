"""The reproduced 4-bit values against those that bitsandbytes' layer multiplies by."""

from __future__ import annotations

import pytest
import torch
from bitsandbytes.nn import Linear4bit, Params4bit

from kofinlaw.trainer.merge.quantize import training_values
from kofinlaw.trainer.merge.tensor_files import checkpoint_tensors, read_tensor


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"double_quant": False},
        {"block_size": 32},
        {"type": "fp4", "block_size": 32, "double_quant": False},
        {"compute_dtype": "float16"},
    ],
)
def test_dequantised_values_are_those_the_4_bit_model_holds(tmp_path, pico, llama, changes):

    record = {**pico.NF4, **changes}
    name = "model.layers.0.mlp.gate_proj.weight"
    weight = read_tensor(checkpoint_tensors(llama)[name])
    compute = getattr(torch, record["compute_dtype"])
    layer = Linear4bit(weight.shape[1], weight.shape[0], bias=False, compute_dtype=compute)
    layer.support_avx512bf16_for_cpu = False
    layer.weight = Params4bit(
        weight,
        requires_grad=False,
        quant_type=record["type"],
        blocksize=record["block_size"],
        compress_statistics=record["double_quant"],
    ).to("cpu")
    ours = training_values(weight, record)
    through_layer = layer(torch.eye(weight.shape[1], dtype=compute)).T.float()
    assert torch.equal(ours, through_layer)
    assert 0.05 < (ours - weight.float()).norm() / weight.float().norm() < 0.15


def test_blocks_that_span_rows_are_dequantised_rightly(pico):
    """bitsandbytes' CPU kernel gives another row's scales there (error 0.26 for 0.09)."""
    weight = torch.randn(128, 96, generator=torch.Generator().manual_seed(0)).bfloat16()
    error = (training_values(weight, pico.NF4) - weight.float()).norm() / weight.float().norm()
    assert 0.08 < error < 0.1
