"""Turn measurements into figures, and figures into checks with bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kofinlaw.trainer.proof.measure import Measured, Probe
from kofinlaw.trainer.proof.proof_result import Check, ProofFigures
from kofinlaw.trainer.proof.settings import VerifySettings
from kofinlaw.trainer.proof.weights import WeightCheck

__all__ = ["behaviour_checks", "compare_models", "modules_check", "weight_checks"]


def modules_check(modules: int, gaps: Sequence[str] = ()) -> Check:
    """Check that the adapter has the tensors of the `modules` that peft selects by its config.

    `gaps` names the tensors that the adapter lacks or has too many.
    """
    found = f"{modules} modules, {len(gaps)} tensors missing or too many"
    return Check(
        "adapter modules",
        found + (f", first {gaps[0]}" if gaps else ""),
        "every module that the config selects, no more and no fewer",
        not gaps,
    )


def weight_checks(weights: WeightCheck, settings: VerifySettings) -> list[Check]:
    """Check the stored weights against their bounds."""
    lost = weights.missing + weights.extra
    low, high = settings.min_delta_kept, 2 - settings.min_delta_kept
    return [
        modules_check(weights.modules),
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


def compare_models(
    base: Measured,
    trained: Measured,
    merged: Measured,
    *,
    effect: NDArray[np.float32],
    divergence: NDArray[np.float32],
    probe: Probe,
    labels: Sequence[str],
    dtype: str,
) -> ProofFigures:
    """Return the figures of a proof.

    Args:
        base: the base without adapter.
        trained: base + adapter.
        merged: the merged model.
        effect: KL(trained || base) in nats, one for each compared row.
        divergence: KL(trained || merged) in nats, one for each compared row.
        probe: what the models ran on.
        labels: the right answer (`"1"`, `"2"`, …) of every question, or fewer where some are
            not known; then no accuracy is computed.
        dtype: format that the models computed in.
    """
    tokens_merged, tokens_trained = np.concatenate(merged.argmax), np.concatenate(trained.argmax)
    gap = np.abs(np.concatenate(merged.losses) - np.concatenate(trained.losses))
    picked_trained = [int(np.argmax(scores)) for scores in trained.choice_scores]
    picked_merged = [int(np.argmax(scores)) for scores in merged.choice_scores]
    picked = list(zip(picked_trained, picked_merged, strict=True))
    continuations = list(zip(trained.greedy, merged.greedy, strict=True))
    scored = bool(picked) and len(labels) == len(picked)
    return ProofFigures(
        argmax_agreement=float((tokens_merged == tokens_trained).mean()),
        kl_mean=float(divergence.mean()),
        kl_max=float(divergence.max()),
        adapter_effect_kl=float(effect.mean()),
        kl_positions=int(divergence.size),
        loss_trained=trained.mean_loss,
        loss_base=base.mean_loss,
        loss_merged=merged.mean_loss,
        loss_difference_largest=float(gap.max()),
        choices=len(picked),
        choice_agreement=float(np.mean([a == b for a, b in picked])) if picked else None,
        greedy_same=sum(a == b for a, b in continuations),
        greedy_texts=len(continuations),
        seconds_per_token_trained=trained.seconds_per_token,
        seconds_per_token_merged=merged.seconds_per_token,
        answer_loss_base=base.answer_loss(probe),
        answer_loss_trained=trained.answer_loss(probe),
        answer_loss_merged=merged.answer_loss(probe),
        accuracy_trained=_accuracy(picked_trained, labels) if scored else None,
        accuracy_merged=_accuracy(picked_merged, labels) if scored else None,
        compute_dtype=dtype,
        tokens_compared=sum(len(losses) for losses in trained.losses),
    )


def _accuracy(picked: Sequence[int], labels: Sequence[str]) -> float:
    hits = [
        str(choice + 1) in label.split(",") for choice, label in zip(picked, labels, strict=True)
    ]
    return float(np.mean(hits))


def behaviour_checks(figures: ProofFigures, settings: VerifySettings) -> list[Check]:
    """Check the merged model's predictions against their bounds."""
    effect = figures.adapter_effect_kl
    largest_kl = min(settings.max_kl, max(settings.kl_floor, settings.max_kl_share * effect))
    difference = abs(figures.loss_merged - figures.loss_trained)
    change = abs(figures.loss_trained - figures.loss_base)
    largest_difference = max(settings.max_loss_difference, settings.max_loss_share * change)
    checks = [
        Check(
            "argmax agreement",
            round(figures.argmax_agreement, 5),
            f"at least {settings.min_argmax_agreement:g}",
            figures.argmax_agreement >= settings.min_argmax_agreement,
        ),
        Check(
            "KL divergence",
            round(figures.kl_mean, 7),
            f"at most {largest_kl:.2g} nats (adapter's own effect {effect:.3g})",
            figures.kl_mean <= largest_kl,
        ),
        Check(
            "loss difference",
            round(difference, 6),
            f"at most {largest_difference:.2g} nats a token (the adapter's own: {change:.3g})",
            difference <= largest_difference,
        ),
    ]
    agreement = figures.choice_agreement
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
