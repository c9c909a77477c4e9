import pytest

from kofinlaw import UserError
from kofinlaw.models.catalogue import find_model
from kofinlaw.models.machines import Machine
from kofinlaw.recipes.starting.model_choice import choose_model

CARD = Machine(24.0, True, "--card 24")
PROCESSOR = Machine(8.0, False, "test")
LARGE, SMALL = (find_model(name) for name in ("Qwen/Qwen2.5-7B-Instruct", "google/gemma-3-270m"))


def at_hand(monkeypatch, *cards):
    names = {card.id for card in cards}
    monkeypatch.setattr(
        "kofinlaw.recipes.starting.model_choice._is_at_hand", lambda card: card.id in names
    )


def test_weights_at_hand_come_first_and_a_larger_model_is_named(monkeypatch):
    at_hand(monkeypatch, SMALL)
    found = choose_model(CARD, "open", trains=True, candidates=[LARGE, SMALL])
    assert (found.card.id, found.at_hand) == (SMALL.id, True)
    assert found.other == LARGE


def test_without_weights_the_largest_that_fits_is_taken(monkeypatch):
    at_hand(monkeypatch)
    found = choose_model(CARD, "open", trains=True, candidates=[SMALL, LARGE])
    assert (found.card.id, found.at_hand, found.other) == (LARGE.id, False, None)
    assert found.gib <= 24
    small = Machine(5.0, True, "--card 5")
    assert choose_model(small, "open", trains=True, candidates=[SMALL, LARGE]).card.id == SMALL.id


def test_a_processor_gets_a_small_model(monkeypatch):
    at_hand(monkeypatch, LARGE)
    assert choose_model(PROCESSOR, "open", trains=True, candidates=[LARGE, SMALL]).card == SMALL


def test_a_policy_refuses_models(monkeypatch):
    at_hand(monkeypatch, SMALL)
    found = choose_model(CARD, "contest-2025", trains=True, candidates=[SMALL, LARGE])
    assert found.card == LARGE
    with pytest.raises(UserError, match="no model"):
        choose_model(CARD, "contest-2025", trains=True, candidates=[SMALL])
    with pytest.raises(UserError, match="contest-2025 refuses"):
        choose_model(CARD, "contest-2025", trains=True, name=SMALL.id)
