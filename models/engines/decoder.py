"""Run a causal language model as decoder plus head, with key-value caches and padded batches."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, PreTrainedModel

from kofinlaw.models.memory.heap_limit import limit_heap_growth

__all__ = ["HEAD_ROWS", "SUMMED_ROWS", "Decoder", "decoder_and_head", "mask_or_none", "padded"]

# Rows whose logits exist at the same time: 128 rows of a 262k vocabulary are 64 MiB in 16 bits.
HEAD_ROWS = 128
# Rows whose logits a processor sums in float32 at the same time, because they fit its caches: four
# times faster than all at once.
SUMMED_ROWS = 8


class Decoder:
    """A loaded model's decoder without its head, the head, and the config's logit scaling.

    A peft adapter keeps its hooks, because the decoder is the one inside the peft model.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.base, self.head, self.scale = decoder_and_head(model)
        self.device: torch.device = next(model.parameters()).device
        if self.device.type == "cpu":
            limit_heap_growth(model)

    def read(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Cache, Tensor, Tensor]:
        """Read prompts padded on the left.

        Returns the last hidden states [rows, hidden], the cache, the mask [rows, longest] and the
        positions [rows, longest].
        """
        ids, mask = padded(rows, self.device, left=True)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        cache = DynamicCache(config=self.model.config)
        return self.step(ids, mask, positions, cache), cache, mask, positions

    def step(self, ids: Tensor, mask: Tensor, positions: Tensor, cache: Cache) -> Tensor:
        """Return the hidden states [rows, hidden] after the last of `ids`, and extend the cache."""
        return self.base(
            input_ids=ids,
            attention_mask=mask_or_none(mask),
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state[:, -1]

    def read_prefix(self, prompt: Sequence[int]) -> Cache:
        """Return the key-value cache after one prompt."""
        cache = DynamicCache(config=self.model.config)
        ids = torch.tensor([list(prompt)], device=self.device)
        self.base(input_ids=ids, past_key_values=cache, use_cache=True)
        return cache

    def hidden(
        self, rows: Sequence[Sequence[int]], shared: int = 0, cache: Cache | None = None
    ) -> Tensor:
        """Return the hidden states [rows, longest, hidden] of token rows.

        Rows are padded on the right, which causal attention never reads. If a cache of `shared`
        tokens is given, each row continues a copy of it.
        """
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

    def logprobs(self, hidden: Tensor) -> Tensor:
        """Return float32 log-probabilities [rows, vocabulary] of hidden states [rows, hidden]."""
        return torch.log_softmax(self.scale(self.head(hidden)).float(), dim=-1)

    def logprobs_of(self, hidden: Tensor, tokens: Sequence[Sequence[int]]) -> list[list[float]]:
        """Return the log-probabilities of some tokens after each hidden state [rows, hidden].

        Many rows are computed together, so that the head's weights, most of a small model, are
        read once for all of them. 16-bit logits near 20 have steps of 1/8 and tie where the model
        has a preference. The logits of the requested tokens are therefore computed again in
        float32; the normaliser does not need this precision.
        """
        out: list[list[float]] = []
        for start in range(0, len(tokens), HEAD_ROWS):
            states = hidden[start : start + HEAD_ROWS]
            logits = self.scale(self.head(states))
            size = SUMMED_ROWS if self.device.type == "cpu" else HEAD_ROWS
            totals = torch.cat([part.float().logsumexp(dim=-1) for part in logits.split(size)])
            for row, wanted in enumerate(tokens[start : start + HEAD_ROWS]):
                ids = list(wanted)
                chosen = logits[row, ids].float()
                if self._plain_head():
                    chosen = self.scale(self.head.weight[ids].float() @ states[row].float())
                out.append((chosen - totals[row]).tolist())
        return out

    def _plain_head(self) -> bool:
        """Return whether the head is a linear layer whose rows can be used alone."""
        return type(self.head) is torch.nn.Linear and self.head.bias is None


def decoder_and_head(
    model: PreTrainedModel,
) -> tuple[torch.nn.Module, torch.nn.Module, Callable[[Tensor], Tensor]]:
    """Return the decoder without its head, the head, and the config's scale and softcap."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    config = inner.config.get_text_config()
    cap = getattr(config, "final_logit_softcapping", None)
    factor = getattr(config, "logit_scale", None) or 1.0
    factor /= getattr(config, "logits_scaling", None) or 1.0

    def scale(logits: Tensor) -> Tensor:
        logits = logits if factor == 1.0 else logits * factor
        return logits if cap is None else torch.tanh(logits / cap) * cap

    return inner.base_model, inner.get_output_embeddings(), scale


def padded(
    rows: Sequence[Sequence[int]], device: torch.device, *, left: bool
) -> tuple[Tensor, Tensor]:
    """Return token ids [rows, longest] padded with 0, and the mask with 1 for each token."""
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for number, row in enumerate(rows):
        columns = slice(longest - len(row), longest) if left else slice(0, len(row))
        ids[number, columns] = torch.tensor(row, dtype=torch.long)
        mask[number, columns] = 1
    return ids.to(device), mask.to(device)


def mask_or_none(mask: Tensor) -> Tensor | None:
    """Return None if nothing is padded: attention then uses its fast causal path."""
    return None if bool(mask.all()) else mask
