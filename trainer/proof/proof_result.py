"""Define the results of a merge proof: checks, figures and verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from kofinlaw.trainer.proof.weights import WeightCheck

__all__ = [
    "OF_ROUNDING",
    "ROUNDING_REMEDY",
    "Check",
    "GreedyText",
    "ProofFigures",
    "ProofResult",
    "Verdict",
]

Verdict = Literal["pass", "fail"]
# The checks that fail if the stored format rounds the adapter away.
OF_ROUNDING = {
    "adapter kept",
    "argmax agreement",
    "KL divergence",
    "loss difference",
    "same choices",
}
ROUNDING_REMEDY = (
    "set `merge.dtype: float32`, which keeps the change (the model takes twice the space), or "
    "train more, so that the adapter grows: more examples, train.epochs or train.max_steps, or a "
    "higher train.learning_rate"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verdict: what was measured, its bound, and whether the bound holds."""

    name: str
    value: str | int | float
    bound: str
    ok: bool


@dataclass(frozen=True, slots=True)
class ProofFigures:
    """How base, base + adapter (`trained`) and the merged model differ.

    Losses and divergences are in nats a token, agreements and accuracies are shares from 0 to 1.

    Attributes:
        argmax_agreement: share of positions where trained and merged predict the same token.
        kl_mean: mean KL(trained || merged) over `kl_positions` positions.
        kl_max: the largest of these divergences.
        adapter_effect_kl: mean KL(trained || base) over the same positions.
        loss_difference_largest: largest difference of the loss of one token.
        choices: number of multiple-choice questions.
        choice_agreement: share of questions answered alike; None without questions.
        greedy_same: equal greedy continuations, of `greedy_texts`.
        answer_loss_base: mean loss on the answers' tokens; None without answers. Likewise
            `answer_loss_trained` and `answer_loss_merged`.
        accuracy_trained: share of right choices; None where not every right answer is known.
            Likewise `accuracy_merged`.
        compute_dtype: format that both models computed in.
        tokens_compared: positions whose predictions were compared.
    """

    argmax_agreement: float
    kl_mean: float
    kl_max: float
    adapter_effect_kl: float
    kl_positions: int
    loss_trained: float
    loss_base: float
    loss_merged: float
    loss_difference_largest: float
    choices: int
    choice_agreement: float | None
    greedy_same: int
    greedy_texts: int
    seconds_per_token_trained: float
    seconds_per_token_merged: float
    answer_loss_base: float | None
    answer_loss_trained: float | None
    answer_loss_merged: float | None
    accuracy_trained: float | None
    accuracy_merged: float | None
    compute_dtype: str
    tokens_compared: int

    def to_record(self) -> dict[str, object]:
        """Return the figures by name. Of those that are None, only `choice_agreement` is listed."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value is not None or name == "choice_agreement"
        }


@dataclass(frozen=True, slots=True)
class GreedyText:
    """One prompt's greedy continuation by both models, and whether the tokens are the same."""

    trained: str
    merged: str
    same: bool


@dataclass(frozen=True, slots=True)
class ProofResult:
    """The proof of a merge.

    Attributes:
        merged_base: the base that the merge says it was made on.
        compared_with: the base of the reference, `dequantized` or `original`.
        fixed_dialogues: number of fixed dialogues in the probe.
        checks: all checks in order.
        figures: what was measured; None where the models could not be compared.
        weights: the comparison of the stored weights; None likewise.
        greedy: the greedy continuations; None likewise.
        not_measured: why nothing was measured, where tokenizer or template differ.
    """

    merged_base: str
    compared_with: str
    fixed_dialogues: int
    checks: tuple[Check, ...]
    figures: ProofFigures | None = None
    weights: WeightCheck | None = None
    greedy: tuple[GreedyText, ...] | None = None
    not_measured: str | None = None

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that do not hold."""
        return tuple(check.name for check in self.checks if not check.ok)

    @property
    def verdict(self) -> Verdict:
        """`pass` where every check holds, else `fail`."""
        return "fail" if self.failed else "pass"

    @property
    def cause(self) -> str | None:
        """Why the proof fails and what helps, in two sentences, if rounding is the only cause.

        It is the only cause if every stored weight is base + adapter, rounded once, none is missing
        or too many, and at least one weight keeps too little of the adapter's change.
        """
        weights = self.weights
        if weights is None or "adapter kept" not in self.failed or set(self.failed) - OF_ROUNDING:
            return None
        if weights.wrong or weights.missing or weights.extra:
            return None
        return (
            "the adapter is so small that storing the merged weights rounds "
            f"{weights.rounding_share:.1%} of its change away; the merge itself is right: every "
            "weight is base + adapter, rounded once"
        )

    def to_record(self) -> dict[str, object]:
        """Return the verdict and the figures as flat JSON values."""
        figures = self.figures.to_record() if self.figures else {}
        known = {name: value for name, value in figures.items() if value is not None}
        return {"verdict": self.verdict, "failed": ", ".join(self.failed), **known}

    def to_report(self) -> dict[str, object]:
        """Return the content of verify.json."""
        report: dict[str, object] = {
            "verdict": self.verdict,
            "failed": list(self.failed),
            "merged_base": self.merged_base,
            "compared_with": self.compared_with,
            "fixed_dialogues": self.fixed_dialogues,
        }
        if self.cause is not None:
            report |= {"cause": self.cause, "remedy": ROUNDING_REMEDY}
        if self.figures is not None:
            report["figures"] = self.figures.to_record()
        if self.weights is not None:
            report["weights"] = self.weights.to_record()
        if self.greedy is not None:
            report["greedy"] = [asdict(text) for text in self.greedy]
        if self.not_measured is not None:
            report["not_measured"] = self.not_measured
        return report | {"checks": [asdict(check) for check in self.checks]}
