"""A causal language model taken apart: decoder, head, caches, padded rows of tokens."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from kofinlaw.models.memory.heap import keep_tight

# Rows whose logits exist at the same time: 64 rows of a 262k vocabulary are 64 MiB in float32.
HEAD_ROWS = 64


class Decoder:
    """A loaded model's decoder without its head, the head, and what the config does to logits.

    An adapter beside the weights keeps its hooks: the decoder is the one inside the peft model.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.base, self.head, self.scale = decoder_and_head(model)
        self.device = next(model.parameters()).device
        if self.device.type == "cpu":
            keep_tight(model)

    def read(self, rows: Sequence[Sequence[int]]) -> tuple[Any, Any, Any, Any]:
        """Prompts padded on the left: (last hidden states, cache, mask, positions)."""
        from transformers import DynamicCache

        ids, mask = padded(rows, self.device, left=True)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        cache = DynamicCache(config=self.model.config)
        return self.step(ids, mask, positions, cache), cache, mask, positions

    def step(self, ids: Any, mask: Any, positions: Any, cache: Any) -> Any:
        """Hidden states [rows, hidden] after the last of `ids`, which the cache then holds too."""
        return self.base(
            input_ids=ids,
            attention_mask=mask_or_none(mask),
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state[:, -1]

    def read_prefix(self, prompt: Sequence[int]) -> Any:
        """The key-value cache after one prompt."""
        import torch
        from transformers import DynamicCache

        cache = DynamicCache(config=self.model.config)
        ids = torch.tensor([list(prompt)], device=self.device)
        self.base(input_ids=ids, past_key_values=cache, use_cache=True)
        return cache

    def hidden(self, rows: Sequence[Sequence[int]], shared: int = 0, cache: Any = None) -> Any:
        """Hidden states [rows, longest, hidden] of token rows, after a cache of `shared` tokens.

        Rows are padded on the right, which causal attention never looks at.
        """
        import torch

        ids, mask = padded(rows, self.device, left=False)
        if cache is None:
            return self.base(
                input_ids=ids, attention_mask=mask_or_none(mask), use_cache=False
            ).last_hidden_state
        own = copy.deepcopy(cache)
        own.batch_repeat_interleave(len(rows))
        whole = torch.cat([mask.new_ones(len(rows), shared), mask], dim=1)
        return self.base(
            input_ids=ids, attention_mask=mask_or_none(whole), past_key_values=own, use_cache=True
        ).last_hidden_state

    def logprobs(self, hidden: Any) -> Any:
        """Log-probabilities over the vocabulary, float32, of hidden states [rows, hidden]."""
        import torch

        return torch.log_softmax(self.scale(self.head(hidden)).float(), dim=-1)

    def logprobs_of(self, hidden: Any, tokens: Sequence[Sequence[int]]) -> list[list[float]]:
        """Log-probabilities of some tokens after each hidden state [rows, hidden].

        Many rows at once: the head's weights, most of a small model, are read once for all of
        them and not once a row. 16-bit logits near 20 step by 1/8 and tie where the model has a
        preference: the tokens' own logits are computed again in float32, the normaliser is not
        worth that.
        """
        import torch

        out: list[list[float]] = []
        for start in range(0, len(tokens), HEAD_ROWS):
            states = hidden[start : start + HEAD_ROWS]
            logits = self.scale(self.head(states)).float()
            totals = torch.logsumexp(logits, dim=-1)
            for row, wanted in enumerate(tokens[start : start + HEAD_ROWS]):
                ids = list(wanted)
                chosen = logits[row, ids]
                if self._plain_head():
                    chosen = self.scale(self.head.weight[ids].float() @ states[row].float())
                out.append((chosen - totals[row]).tolist())
        return out

    def _plain_head(self) -> bool:
        """Whether the head is a linear layer whose rows can be taken out."""
        import torch

        return type(self.head) is torch.nn.Linear and self.head.bias is None


def decoder_and_head(model: Any) -> tuple[Any, Any, Callable[[Any], Any]]:
    """The decoder without its head, the head, and the config's scale and softcap of its logits."""
    import torch

    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    config = inner.config.get_text_config()
    cap = getattr(config, "final_logit_softcapping", None)
    factor = getattr(config, "logit_scale", None) or 1.0
    factor /= getattr(config, "logits_scaling", None) or 1.0

    def scale(logits: Any) -> Any:
        logits = logits if factor == 1.0 else logits * factor
        return logits if cap is None else torch.tanh(logits / cap) * cap

    return inner.base_model, inner.get_output_embeddings(), scale


def padded(rows: Sequence[Sequence[int]], device: Any, *, left: bool) -> tuple[Any, Any]:
    """Token ids [rows, longest] padded with 0, and the mask with 1 where a token is."""
    import torch

    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for number, row in enumerate(rows):
        where = slice(longest - len(row), longest) if left else slice(0, len(row))
        ids[number, where] = torch.tensor(row, dtype=torch.long)
        mask[number, where] = 1
    return ids.to(device), mask.to(device)


def mask_or_none(mask: Any) -> Any:
    """No mask where nothing is padded: attention then takes its fast causal path."""
    return None if bool(mask.all()) else mask
