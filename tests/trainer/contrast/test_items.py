"""A packed item describes the same sequences as its options alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.trainer.contrast.items import pack_choice

PART = st.lists(st.integers(3, 90), min_size=1, max_size=6)


@st.composite
def items(draw):
    count = draw(st.integers(2, 5))
    parts = [[draw(PART) for _ in range(count)] for _ in range(2)]
    if not draw(st.booleans()):
        return draw(PART), parts[0], [], []
    return draw(PART), parts[0], draw(PART), parts[1]


@given(items(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_each_option_sees_its_prompt_and_itself_at_the_positions_of_a_row_alone(item, negative):
    prompt, options, reference, reference_options = item
    tokens, choice = pack_choice(*item, answer=1, negative=negative)
    assert choice.options == len(options)
    assert choice.referred == bool(reference)
    assert (choice.answer, choice.sign) == (1, -1 if negative else 1)
    alone = [[*prompt, *o] for o in options] + [[*reference, *o] for o in reference_options]
    assert choice.span == max(map(len, alone))
    own, parent = choice.segments()
    positions, sources = choice.positions(), choice.sources()
    scored = np.flatnonzero(choice.scored())
    pieces = np.split(scored, np.cumsum(choice.sizes())[:-1])
    starts = np.split(sources, np.cumsum(choice.sizes())[:-1])
    branches = choice.branches(tokens)
    for row, piece, source, (branch, mask) in zip(alone, pieces, starts, branches, strict=True):
        last = piece[-1]
        seen = [j for j in range(last + 1) if own[j] == own[last] or own[j] == parent[last]]
        assert tokens[seen].tolist() == row == branch.tolist()
        assert positions[seen].tolist() == list(range(len(row)))
        assert branch[mask].tolist() == tokens[piece].tolist()
        assert positions[source].tolist() == (positions[piece] - 1).tolist()
        assert set(source) <= set(seen)
