"""The loss of an item is the cross entropy over signed differences of mean log-probabilities."""

import math

import pytest

from kofinlaw.trainer.contrast.items import pack_choice


def item(*, answer=0, negative=False, sizes=(2, 1, 3)):
    options = [[5] * n for n in sizes]
    return pack_choice([1, 2], options, [1], options, answer=answer, negative=negative)[1]


def nll(*means, sizes=(2, 1, 3)):
    import torch

    return [torch.full((n,), m, requires_grad=True) for n, m in zip(sizes * 2, means, strict=True)]


@pytest.mark.parametrize(("negative", "right"), [(False, 0), (True, 2)])
def test_the_loss_prefers_the_option_that_the_evidence_raises_most_or_least(negative, right):
    import torch

    from kofinlaw.trainer.contrast.loss import choice_loss, preferences

    pieces = nll(1.0, 2.0, 3.0, 2.0, 2.5, 2.5)  # raised by 1, by 0.5, and lowered by 0.5
    scores = [1.0, 0.5, -0.5]
    if negative:
        scores = [-s for s in scores]
    choice = item(answer=right, negative=negative)
    assert preferences(pieces, choice).tolist() == pytest.approx(scores)
    loss, credit = choice_loss(pieces, choice, temperature=0.25)
    expected = math.log(sum(math.exp(s / 0.25) for s in scores)) - scores[right] / 0.25
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    assert credit.item() == 1.0
    wrong = item(answer=1, negative=negative)
    assert choice_loss(pieces, wrong, temperature=0.25)[1].item() == 0.0
    # by finite differences: the gradient reaches both prompts, but not a detached bare one
    loss.backward()
    step = 1e-3
    moved = [p.detach().clone() for p in pieces]
    moved[3] += step
    slope = (choice_loss(moved, choice, temperature=0.25)[0] - loss) / step
    assert pieces[3].grad.sum().item() == pytest.approx(slope.item(), rel=0.02)
    fresh = nll(1.0, 2.0, 3.0, 2.0, 2.5, 2.5)
    choice_loss(fresh, choice, temperature=0.25, detach=True)[0].backward()
    assert not any(p.grad.any() for p in fresh[3:])
    assert all(p.grad.any() for p in pieces)
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(fresh[:3], pieces[:3], strict=True))


def test_options_that_share_the_first_place_share_the_credit():
    from kofinlaw.trainer.contrast.loss import choice_loss

    pieces = nll(1.0, 1.0, 3.0, 2.0, 2.0, 2.0)
    assert choice_loss(pieces, item(answer=1), temperature=1)[1].item() == 0.5
    assert choice_loss(pieces, item(answer=2), temperature=1)[1].item() == 0.0
