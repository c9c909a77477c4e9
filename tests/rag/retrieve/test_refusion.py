"""Lists fused again under other settings rank as the search does."""

from __future__ import annotations

from typing import Any

import numpy as np
from corpora import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kofinlaw.rag.arrays import Mask
from kofinlaw.rag.fusion import Ranked
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.priors import CORPUS_WEIGHTS, Priors
from kofinlaw.rag.retrieve.ranking import rank
from kofinlaw.rag.retrieve.refusion import StoredLists
from kofinlaw.rag.settings import RetrieverWeights


@st.composite
def some_lists(draw: st.DrawFn) -> list[Ranked]:
    out = []
    for by in draw(st.lists(st.sampled_from(["kiwi:stem", "bigram:stem"]), unique=True)):
        rows = draw(st.lists(st.integers(0, 5), unique=True, max_size=6))
        scores = sorted(draw(st.lists(st.integers(1, 9), min_size=len(rows),
                                      max_size=len(rows))), reverse=True)  # fmt: skip
        out.append(Ranked(by, np.array(rows, int), np.array(scores, float), 0.5))
    return out


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    lists=some_lists(),
    fusion=st.sampled_from(["relative_score", "ranked"]),
    shown=st.none() | st.lists(st.booleans(), min_size=6, max_size=6).map(np.array),
    priors=st.dictionaries(st.sampled_from(CORPUS_WEIGHTS), st.sampled_from([0.0, 0.25, 0.5])),
)
def test_lists_fused_again_rank_as_the_search_does(
    cited_index: Index,
    lists: list[Ranked],
    fusion: Any,
    shown: Mask | None,
    priors: dict[str, float],
) -> None:
    recipe = settings(lexical="both", fusion=fusion, weights=RetrieverWeights(**priors))
    searched = [row for row, _, _ in rank(lists, recipe, Priors(cited_index), shown)]
    stored = StoredLists([lists], Priors(cited_index), [shown])
    assert stored.rank(recipe)[0].tolist() == searched
