"""Tokens of many rows, chosen on the device, are those of one row after the other."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=12),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.floats(0, 1, exclude_max=True),
)
def test_a_row_gets_the_token_whose_interval_holds_its_draw(weights, temperature, draw):
    import torch

    from kofinlaw.models.engines.sampling import choose_at_once

    logprobs = torch.log_softmax(torch.tensor(weights, dtype=torch.float32).log(), dim=-1)
    [(token, logprob)] = choose_at_once(logprobs[None], [temperature], [draw])
    shares = [weight ** (1 / temperature) for weight in weights]
    below = sum(shares[:token]) / sum(shares)
    assert below - 1e-6 <= draw <= below + shares[token] / sum(shares) + 1e-6
    assert logprob == pytest.approx(float(logprobs[token]))


def test_evenly_spaced_draws_give_each_token_its_share():
    import torch

    from kofinlaw.models.engines.sampling import choose_at_once

    shares = [0.5, 0.25, 0.0, 0.2, 0.05]
    count = 1000
    logprobs = torch.tensor(shares).log()[None].expand(count, -1)
    draws = [(n + 0.5) / count for n in range(count)]
    tokens = [token for token, _ in choose_at_once(logprobs, [1.0] * count, draws)]
    assert [tokens.count(token) for token in range(5)] == [500, 250, 0, 200, 50]


@pytest.fixture
def rows():
    """A function that makes four rows of two random steps, two of them sampled."""
    from kofinlaw.models.engines.base import Request
    from kofinlaw.models.engines.generation import ActiveSequence

    def make(seed=0):
        heats = (0.0, 0.7, 0.0, 1.3)
        return [
            ActiveSequence(
                Request("질문", temperature=heat, seed=seed + n, max_tokens=3), [5, 6 + n]
            )
            for n, heat in enumerate(heats)
        ]

    return make


def steps():
    import torch

    return torch.log_softmax(torch.randn(3, 4, 50, generator=torch.Generator().manual_seed(4)), -1)


def test_greedy_rows_are_those_of_the_processor_and_finished_rows_stay(rows):
    from kofinlaw.models.engines.generation import append_at_once

    tokenizer = SimpleNamespace(decode=lambda tokens, **_: "")
    one, other = rows(), rows()
    ends = frozenset({int(steps()[1, 2].argmax())})  # row 2 ends with its second token
    for logprobs in steps():
        best = logprobs.argmax(-1).tolist()
        for row, sequence in enumerate(one):
            if sequence.finish is None:
                sequence.append_next(logprobs[row], best[row], ends, tokenizer)
        append_at_once(other, logprobs, ends, tokenizer)
    for number in (0, 2):
        assert other[number].generated == one[number].generated
        assert other[number].logprob == pytest.approx(one[number].logprob)
        assert other[number].finish == one[number].finish
    assert len(other[2].generated) == 2
    assert {len(sequence.generated) for sequence in other} == {2, 3}


def test_a_sampled_row_does_not_depend_on_the_rows_next_to_it(rows):
    from kofinlaw.models.engines.generation import append_at_once

    tokenizer = SimpleNamespace(decode=lambda tokens, **_: "")
    together, alone = rows(), rows()[3:]
    for logprobs in steps():
        append_at_once(together, logprobs, frozenset(), tokenizer)
        append_at_once(alone, logprobs[3:], frozenset(), tokenizer)
    assert together[3].generated == alone[0].generated
    others = rows(seed=40)
    for logprobs in steps():
        append_at_once(others, logprobs, frozenset(), tokenizer)
    assert others[3].generated != together[3].generated


def held_rows(heat):
    """Two rows: one of three choices with shared first tokens, and one without a constraint."""
    from kofinlaw.models.engines.base import Request
    from kofinlaw.models.engines.constraints import ChoiceTrie
    from kofinlaw.models.engines.generation import ActiveSequence

    choices = ("가능", "가산", "불가")
    trie = ChoiceTrie(choices, [[7, 8], [7, 9], [10, 11]], frozenset({1}))
    request = Request("질문", choices=choices, temperature=heat, seed=3, max_tokens=3)
    return [ActiveSequence(request, [5], trie), ActiveSequence(Request("질문", max_tokens=3), [6])]


def test_greedy_rows_with_a_constraint_are_those_of_the_processor():
    from kofinlaw.models.engines.generation import append_at_once

    tokenizer = SimpleNamespace(decode=lambda tokens, **_: "")
    one, other = held_rows(0.0), held_rows(0.0)
    for logprobs in steps()[:, :2]:
        best = logprobs.argmax(-1).tolist()
        for row, sequence in enumerate(one):
            if sequence.finish is None:
                sequence.append_next(logprobs[row], best[row], frozenset(), tokenizer)
        append_at_once(other, logprobs, frozenset(), tokenizer)
    for ours, theirs in zip(other, one, strict=True):
        assert ours.generated == theirs.generated
        assert ours.finish == theirs.finish
        assert ours.logprob == pytest.approx(theirs.logprob)
    assert other[0].generated[0] in (7, 10)
    assert other[0].finish == "stop"


@given(
    st.integers(2, 40),
    st.sets(st.integers(0, 39), min_size=1),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([0.0, 0.7, 2.0]),
)
def test_a_row_with_a_constraint_draws_among_its_tokens_only(words, some, draw, heat):
    """The draw falls into the interval of its token, of the allowed tokens' shares alone."""
    import torch

    from kofinlaw.models.engines.sampling import choose_at_once

    allowed = sorted({token % words for token in some})
    logprobs = torch.log_softmax(torch.arange(words, dtype=torch.float32) / 7, dim=-1)
    rows = logprobs[None].expand(2, -1)
    (token, logprob), (free, _) = choose_at_once(rows, [heat, 0.0], [draw, 0.0], [allowed, None])
    assert token in allowed
    assert free == words - 1
    assert logprob == pytest.approx(float(logprobs[token]))
    if heat == 0:
        assert token == allowed[-1]
        return
    shares = torch.softmax(logprobs[allowed].double() / heat, dim=-1).tolist()
    place = allowed.index(token)
    assert sum(shares[:place]) - 1e-9 <= draw <= sum(shares[: place + 1]) + 1e-9


def test_the_last_draw_gets_the_last_possible_token():
    import torch

    from kofinlaw.models.engines.sampling import choose_at_once

    logprobs = torch.log_softmax(torch.zeros(1, 9), dim=-1)
    [(token, _)] = choose_at_once(logprobs, [1.0], [1.0 - 2**-53], [[2, 5]])
    assert token == 5


def test_a_row_without_an_allowed_token_ends():
    from kofinlaw.models.engines.base import Request
    from kofinlaw.models.engines.generation import ActiveSequence, append_at_once

    tokenizer = SimpleNamespace(decode=lambda tokens, **_: "")
    for complete, finish in ((True, "stop"), (False, "error")):
        empty = SimpleNamespace(done=False, complete=complete, allowed_tokens=list)
        row = ActiveSequence(Request("질문", max_tokens=3), [5], empty)
        append_at_once([row], steps()[0, :1], frozenset(), tokenizer)
        assert (row.generated, row.finish) == ([], finish)
