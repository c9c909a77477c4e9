"""From measurements to figures, from figures to a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kofinlaw.trainer.proof.measure import Measured, Probe
from kofinlaw.trainer.proof.settings import VerifySettings
from kofinlaw.trainer.proof.weights import WeightCheck


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verdict: what was measured, the bound it must keep, whether it did."""

    name: str
    value: Any
    bound: str
    ok: bool


def weight_checks(weights: WeightCheck, settings: VerifySettings) -> list[Check]:
    """Bounds on what is stored."""
    lost = weights.missing + weights.extra
    low, high = settings.min_delta_kept, 2 - settings.min_delta_kept
    return [
        Check(
            "tensors",
            f"{weights.tensors} compared, {len(lost)} missing or too many",
            "the base's, no more and no fewer",
            not lost,
        ),
        Check(
            "parameters",
            weights.parameters,
            f"{weights.parameters_expected}",
            weights.parameters == weights.parameters_expected,
        ),
        Check(
            "weights",
            f"{len(weights.wrong)} of {weights.tensors} differ"
            + (f", first {weights.wrong[0]}" if weights.wrong else ""),
            "each is base + adapter, rounded once",
            not weights.wrong,
        ),
        Check(
            "adapter kept",
            round(weights.delta_kept, 4),
            f"{low:g} to {high:g} of every weight's change"
            + (f" (worst: {weights.delta_kept_at})" if weights.delta_kept_at else ""),
            low <= weights.delta_kept <= high,
        ),
    ]


def compare(
    trained: Measured,
    untrained: Measured,
    merged: Measured,
    effect: np.ndarray,
    divergence: np.ndarray,
    probe: Probe,
    right: Sequence[str],
) -> dict[str, Any]:
    """The figures of the proof. `effect` and `divergence` are KL a row: trained against base, and
    against merged; `right` are the labels of the choices, where they are known."""
    ours, theirs = np.concatenate(merged.argmax), np.concatenate(trained.argmax)
    gap = np.abs(np.concatenate(merged.losses) - np.concatenate(trained.losses))
    answers = [
        (int(np.argmax(a)), int(np.argmax(b)))
        for a, b in zip(trained.choice_scores, merged.choice_scores, strict=True)
    ]
    pairs = list(zip(trained.greedy, merged.greedy, strict=True))
    figures: dict[str, Any] = {
        "argmax_agreement": float((ours == theirs).mean()),
        "kl_mean": float(divergence.mean()),
        "kl_max": float(divergence.max()),
        "adapter_effect_kl": float(effect.mean()),
        "kl_positions": int(divergence.size),
        "loss_trained": trained.mean_loss,
        "loss_base": untrained.mean_loss,
        "loss_merged": merged.mean_loss,
        "loss_difference_largest": float(gap.max()),
        "choices": len(answers),
        "choice_agreement": float(np.mean([a == b for a, b in answers])) if answers else None,
        "greedy_same": sum(a == b for a, b in pairs),
        "greedy_texts": len(pairs),
        "seconds_per_token_trained": trained.seconds_per_token,
        "seconds_per_token_merged": merged.seconds_per_token,
    }
    for name, model in (("base", untrained), ("trained", trained), ("merged", merged)):
        if (loss := model.answer_loss(probe)) is not None:
            figures[f"answer_loss_{name}"] = loss
    if answers and len(right) == len(answers):
        for name, column in (("trained", 0), ("merged", 1)):
            hits = [str(a[column] + 1) == b for a, b in zip(answers, right, strict=True)]
            figures[f"accuracy_{name}"] = float(np.mean(hits))
    return figures


def behaviour_checks(figures: dict[str, Any], settings: VerifySettings) -> list[Check]:
    """Bounds on what the merged model says."""
    effect = figures["adapter_effect_kl"]
    allowed = min(settings.max_kl, max(settings.kl_floor, settings.max_kl_share * effect))
    difference = abs(figures["loss_merged"] - figures["loss_trained"])
    change = abs(figures["loss_trained"] - figures["loss_base"])
    most = max(settings.max_loss_difference, settings.max_loss_share * change)
    checks = [
        Check(
            "argmax agreement",
            round(figures["argmax_agreement"], 5),
            f"at least {settings.min_argmax_agreement:g}",
            figures["argmax_agreement"] >= settings.min_argmax_agreement,
        ),
        Check(
            "KL divergence",
            round(figures["kl_mean"], 7),
            f"at most {allowed:.2g} nats (adapter's own effect {effect:.3g})",
            figures["kl_mean"] <= allowed,
        ),
        Check(
            "loss difference",
            round(difference, 6),
            f"at most {most:.2g} nats a token (the adapter's own: {change:.3g})",
            difference <= most,
        ),
    ]
    agreement = figures["choice_agreement"]
    if agreement is not None:
        checks.append(
            Check(
                "same choices",
                round(agreement, 4),
                f"at least {settings.min_choice_agreement:g}",
                agreement >= settings.min_choice_agreement,
            )
        )
    return checks
