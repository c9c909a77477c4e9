"""Bounds of the checks."""

from __future__ import annotations

import pytest

from kofinlaw.trainer.proof.checks import behaviour_checks
from kofinlaw.trainer.proof.proof_result import ProofFigures
from kofinlaw.trainer.proof.settings import VerifySettings


@pytest.mark.parametrize(
    ("base", "trained", "merged", "ok"),
    [
        (5.0, 4.9, 4.908, True),
        (5.0, 4.9, 4.912, False),
        (5.278, 9.337, 9.327, True),  # a measured value: a strong adapter on another subject
        (5.278, 9.337, 9.290, False),
    ],
)
def test_the_loss_may_differ_by_a_hundredth_of_what_the_adapter_changes(base, trained, merged, ok):
    figures = ProofFigures(
        argmax_agreement=0.99,
        kl_mean=0.0001,
        kl_max=0.001,
        adapter_effect_kl=1.0,
        kl_positions=256,
        loss_trained=trained,
        loss_base=base,
        loss_merged=merged,
        loss_difference_largest=0.1,
        choices=0,
        choice_agreement=None,
        greedy_same=2,
        greedy_texts=2,
        seconds_per_token_trained=0.1,
        seconds_per_token_merged=0.1,
        answer_loss_base=None,
        answer_loss_trained=None,
        answer_loss_merged=None,
        accuracy_trained=None,
        accuracy_merged=None,
        compute_dtype="float32",
        tokens_compared=700,
    )
    checks = {check.name: check.ok for check in behaviour_checks(figures, VerifySettings())}
    assert checks == {"argmax agreement": True, "KL divergence": True, "loss difference": ok}
