"""Distil an embedder into a static one: a vector for each token, and a text is their mean.

As in model2vec (Tulkens and van Dongen 2024): the embedder encodes each token alone, and a frequent
token weighs less (SIF, Arora et al. 2017). The vocabulary keeps the tokens of the training texts,
so that the table is small and is trained in minutes on a CPU.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn

__all__ = ["SIF", "distil", "keep_pieces"]

SIF = 1e-3  # a token of this share of the texts weighs half
_TOKENS = 512  # tokens in one forward pass


def distil(
    tokenizer: Tokenizer, transformer: nn.Module, texts: Sequence[str]
) -> tuple[Tokenizer, NDArray[np.float32]]:
    """Return the static embedder's tokenizer and table [tokens, dimensions].

    `transformer` is a model of transformers that takes `input_ids` and `attention_mask`. The table
    is centred, and its rows have a mean length of 1. The same texts give the same table.
    """
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_truncation()
    plain.no_padding()
    counts = Counter[int]()
    for start in range(0, len(texts), 1000):
        part = plain.encode_batch(list(texts[start : start + 1000]), add_special_tokens=False)
        counts.update(token for one in part for token in one.ids)
    small, kept = keep_pieces(plain, counts)
    table = _encoded(plain, transformer, kept)
    table -= table.mean(axis=0)
    shares = np.array([counts[token] + 1 for token in kept], np.float64)
    shares /= shares.sum()
    table *= (SIF / (SIF + shares)).astype(np.float32)[:, None]
    table /= max(float(np.linalg.norm(table, axis=1).mean()), 1e-9)
    return small, table


def keep_pieces(tokenizer: Tokenizer, used: Iterable[int]) -> tuple[Tokenizer, list[int]]:
    """Return a tokenizer with the used pieces and all single characters, and the old id of each
    new id.

    The texts that use no other piece are split as before. Only a unigram vocabulary is cut: the
    pieces of another kind of vocabulary depend on each other.
    """
    state = json.loads(tokenizer.to_str())
    if state["model"]["type"] != "Unigram":
        return tokenizer, list(range(tokenizer.get_vocab_size()))
    pieces = state["model"]["vocab"]
    wanted = set(used) | {token["id"] for token in state["added_tokens"]}
    wanted |= {i for i, (piece, _) in enumerate(pieces) if len(piece) == 1}
    wanted.add(state["model"]["unk_id"])
    kept = sorted(token for token in wanted if token < len(pieces))
    new = {old: number for number, old in enumerate(kept)}
    state["model"]["vocab"] = [pieces[token] for token in kept]
    state["model"]["unk_id"] = new[state["model"]["unk_id"]]
    # Tokens of the whole vocabulary's end have no piece, and a static embedder uses no mark.
    state["added_tokens"] = []
    state["post_processor"] = None
    return Tokenizer.from_str(json.dumps(state)), kept


def _encoded(
    tokenizer: Tokenizer, transformer: nn.Module, tokens: Sequence[int]
) -> NDArray[np.float32]:
    """Return the mean of the last layer for each token alone, between the tokenizer's marks."""
    marked = tokenizer.encode("", add_special_tokens=True).ids
    middle = len(marked) // 2
    before, after = marked[:middle], marked[middle:]
    device = next(transformer.parameters()).device
    transformer.eval()
    out = []
    with torch.no_grad():
        for start in range(0, len(tokens), _TOKENS):
            rows = [[*before, token, *after] for token in tokens[start : start + _TOKENS]]
            ids = torch.tensor(rows, device=device)
            found = transformer(input_ids=ids, attention_mask=torch.ones_like(ids))
            out.append(found.last_hidden_state.mean(dim=1).float().cpu().numpy())
    return np.concatenate(out).astype(np.float32)
