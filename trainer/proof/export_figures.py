"""Define the figures that compare exports with the merged model they were made from."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from kofinlaw.trainer.proof.proof_result import Verdict

__all__ = ["STAGE_FIGURES", "ExportFigures", "ExportProof"]

STAGE_FIGURES = (
    "tokenization_same",
    "dialogues_same",
    "argmax_agreement",
    "perplexity_merged",
    "perplexity_export",
    "choice_agreement",
    "accuracy_merged",
    "accuracy_export",
    "tokens_per_second_merged",
    "tokens_per_second_export",
)


@dataclass(frozen=True, slots=True)
class ExportFigures:
    """How one export differs from the merged model.

    Attributes:
        export: name of the file or folder.
        bytes: size of its weights.
        share_of_merged_bytes: that size divided by the merged model's.
        positions: positions compared.
        argmax_agreement: share of positions with the same most likely next token.
        perplexity_on: the texts that perplexity was measured on.
        perplexity_positions: positions of these texts with a known loss.
        choices: multiple-choice questions compared; None without any.
        choice_agreement: share of questions answered alike; None without any.
        accuracy_merged: share of right choices; None where not every right answer is known.
            Likewise `accuracy_export`.
        verdict: `fail` where the perplexity is over its bound, a text has other tokens, or a
            dialogue is rendered differently.
        texts_tokenized: corpus texts cut with a GGUF's own vocabulary; None for other exports.
        tokenization_same: share of these texts with the merged model's tokens.
        dialogues: dialogues rendered with a GGUF's own chat template; None for other exports.
        dialogues_same: share of them that are rendered as the checkpoint's template does.
    """

    export: str
    bytes: int
    share_of_merged_bytes: float
    positions: int
    argmax_agreement: float
    perplexity_on: str
    perplexity_positions: int
    perplexity_merged: float
    perplexity_export: float
    tokens_per_second_merged: float
    tokens_per_second_export: float
    choices: int | None
    choice_agreement: float | None
    accuracy_merged: float | None
    accuracy_export: float | None
    verdict: Verdict
    texts_tokenized: int | None
    tokenization_same: float | None
    dialogues: int | None = None
    dialogues_same: float | None = None

    def to_record(self) -> dict[str, object]:
        """Return the known figures by name, as proof.json lists them."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class ExportProof:
    """The figures of every export, by form."""

    forms: dict[str, ExportFigures]

    def to_record(self) -> dict[str, object]:
        """Return verdicts and main figures as flat JSON values, named by form."""
        verdicts = {f"{form} verdict": figures.verdict for form, figures in self.forms.items()}
        figures = {
            f"{form} {name}": round(value, 4)
            for form, row in self.forms.items()
            for name in STAGE_FIGURES
            if (value := getattr(row, name)) is not None
        }
        return {**verdicts, **figures}
