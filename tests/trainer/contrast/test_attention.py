"""Packed options have the states of separate rows, for every kind of attention mask."""

import numpy as np
import pytest

from kofinlaw.trainer.contrast.items import pack_choice
from kofinlaw.trainer.encoding import Encoded

KINDS = {
    "llama": {},
    "gemma3_text": {"sliding_window": 5, "layer_types": ["sliding_attention", "full_attention"]},
    "mistral": {"sliding_window": 5},
    "qwen2": {"layer_types": ["full_attention", "full_attention"]},
}


def example(seed=0, prompt=11, options=(3, 1, 4)):
    random = np.random.default_rng(seed)

    def draw(count):
        return random.integers(3, 97, count).tolist()

    tails = [draw(n) for n in options]
    tokens, choice = pack_choice(draw(prompt), tails, draw(2), tails, answer=1, negative=True)
    return Encoded(f"{seed}", tokens, choice.scored(), choice=choice)


def text(count):
    tokens = np.random.default_rng(count).integers(3, 97, count)
    return Encoded("text", tokens, np.arange(count) >= count // 2)


def states(model, examples, *, packed):
    import torch

    from kofinlaw.trainer.contrast.attention import RowLayout
    from kofinlaw.trainer.contrast.rows import pass_rows
    from kofinlaw.trainer.loss import hidden_states

    rows = pass_rows(examples, packed=packed)
    assert (rows.layout is not None) == packed
    layout = RowLayout(*torch.from_numpy(rows.layout)) if packed else None
    hidden = hidden_states(model, torch.from_numpy(rows.ids), layout)
    return hidden.reshape(-1, hidden.shape[-1])[torch.from_numpy(rows.sources)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_packed_states_are_those_of_separate_rows(small_model, kind, attention):
    model = small_model(kind, **KINDS[kind])
    model.set_attn_implementation(attention)
    rows = [example(0), text(17), example(1, prompt=14, options=(2, 6))]
    packed, separate = (states(model, rows, packed=p) for p in (True, False))
    assert (packed - separate).norm() <= 1e-6 * separate.norm()


def test_a_sliding_window_counts_positions_and_not_places_in_the_row(small_model):
    """The last option lies more than a window behind its prompt in the row."""
    model = small_model("mistral", sliding_window=5)
    item = example(2, prompt=3, options=(4, 4, 4))
    packed, separate = (states(model, [item], packed=p) for p in (True, False))
    assert (packed - separate).norm() <= 1e-5 * separate.norm()
    model.config.sliding_window = 9
    assert (states(model, [item], packed=True) - packed).norm() > 1e-3 * packed.norm()


def test_layers_without_such_a_mask_are_named(small_model):
    from kofinlaw.trainer.contrast.attention import CannotPackError

    model = small_model("llama")
    model.config.layer_types = ["linear_attention", "full_attention"]
    with pytest.raises(CannotPackError, match="llama has layers of linear_attention"):
        states(model, [example()], packed=True)
