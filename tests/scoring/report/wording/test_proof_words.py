"""The bounds and values of the proof have Korean forms that keep their figures."""

import re

import pytest

from kofinlaw.scoring.report.wording.proof_words import FIGURES, bound_words, proof_rows
from kofinlaw.trainer.proof.checks import behaviour_checks, modules_check, weight_checks
from kofinlaw.trainer.proof.proof_result import ProofFigures
from kofinlaw.trainer.proof.settings import VerifySettings
from kofinlaw.trainer.proof.weights import WeightCheck

FOUND = ProofFigures(
    argmax_agreement=0.99, kl_mean=1e-4, kl_max=1e-3, adapter_effect_kl=3.5, kl_positions=9,
    loss_trained=1.0, loss_base=2.0, loss_merged=1.001, loss_difference_largest=0.1, choices=4,
    choice_agreement=1.0, greedy_same=2, greedy_texts=2, seconds_per_token_trained=0.1,
    seconds_per_token_merged=0.1, answer_loss_base=None, answer_loss_trained=None,
    answer_loss_merged=None, accuracy_trained=None, accuracy_merged=None,
    compute_dtype="float32", tokens_compared=90,
)  # fmt: skip


def test_every_bound_and_value_of_a_real_proof_is_said_in_korean():
    weights = WeightCheck()
    weights.delta_kept_at = "model.layers.5.weight"
    checks = [
        *weight_checks(weights, VerifySettings()),
        *behaviour_checks(FOUND, VerifySettings()),
    ]
    checks.append(modules_check(14, ["model.layers.1.mlp.up_proj.lora_B.weight"]))
    assert len(checks) == 10
    for check in checks:
        for text in (check.bound, str(check.value)):
            korean, english = bound_words(text)
            if re.search("[A-Za-z]{3}", text):
                assert re.search("[가-힣]", korean), text
            assert english.replace(",", "") == text.replace(",", "")
            figures = re.findall(r"\d[\d.e+-]*", text)
            assert sorted(re.findall(r"\d[\d.e+-]*", korean.replace(",", ""))) == sorted(figures)


def test_every_figure_has_a_name():
    record = FOUND.to_record()
    assert set(record) <= set(FIGURES)
    assert len(proof_rows({"figures": record, "weights": {"tensors": 2}})) == len(record) + 1


@pytest.mark.parametrize("text", ["275b304525031a94", "something new"])
def test_other_bounds_stay_unchanged(text):
    assert bound_words(text) == (text, text)


def test_a_count_has_separators():
    assert bound_words("268098176")[0] == "268,098,176"
