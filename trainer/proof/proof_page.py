"""Write the proof of a merge, and the comparison of its exports, as Markdown pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kofinlaw.texts import markdown_text
from kofinlaw.trainer.proof.export_figures import ExportFigures
from kofinlaw.trainer.proof.proof_result import ROUNDING_REMEDY, ProofResult
from kofinlaw.units import MIB

__all__ = ["BASES", "EXPORT_COLUMNS", "exports_page", "verdict_page"]

BASES = {
    "dequantized": "the 4-bit base + adapter, as trained",
    "original": "the 16-bit base + adapter",
}
EXPORT_COLUMNS: dict[str, Callable[[ExportFigures], str]] = {
    "size": lambda row: f"{row.bytes / MIB:.0f} MiB",
    "of the merge": lambda row: f"{row.share_of_merged_bytes:.1%}",
    "same most likely token": lambda row: f"{row.argmax_agreement:.2%}",
    "perplexity, merge": lambda row: f"{row.perplexity_merged:.3f}",
    "perplexity, export": lambda row: f"{row.perplexity_export:.3f}",
    "same choices": lambda row: _share(row.choice_agreement),
    "accuracy, merge": lambda row: _share(row.accuracy_merged),
    "accuracy, export": lambda row: _share(row.accuracy_export),
    "tokens/s, merge": lambda row: f"{row.tokens_per_second_merged:.1f}",
    "tokens/s, export": lambda row: f"{row.tokens_per_second_export:.1f}",
    "corpus in the same tokens": lambda row: _share(row.tokenization_same),
    "dialogues rendered alike": lambda row: _share(row.dialogues_same),
    "verdict": lambda row: row.verdict,
}


def verdict_page(result: ProofResult) -> str:
    """Return the page verify.md of a proof."""
    word = {"pass": "PASS", "fail": "FAIL"}[result.verdict]
    lines = [
        f"# Merge proof: {word}",
        "",
        f"Merged on the {result.merged_base} base, compared with "
        f"{BASES.get(result.compared_with, result.compared_with)}.",
    ]
    if result.failed:
        lines.append(f"Failed: {', '.join(map(markdown_text, result.failed))}.")
    if result.cause is not None:
        lines += [
            "",
            f"**Cause:** {markdown_text(result.cause)}.",
            "",
            f"**What helps:** {ROUNDING_REMEDY}.",
        ]
    if result.not_measured is not None:
        lines.append(f"Not measured: {markdown_text(result.not_measured)}.")
    lines += ["", "| check | found | bound | |", "| --- | --- | --- | --- |"]
    for check in result.checks:
        mark = "ok" if check.ok else "**fails**"
        cells = map(markdown_text, (check.name, check.value, check.bound))
        lines.append(f"| {' | '.join(cells)} | {mark} |")
    if result.figures is not None:
        lines += ["", "| figure | value |", "| --- | --- |"]
        for name, value in result.figures.to_record().items():
            shown = f"{value:.6g}" if isinstance(value, float) else value
            lines.append(f"| {name.replace('_', ' ')} | {shown} |")
    if result.weights is not None:
        share = result.weights.rounding_share
        lines += ["", f"Storing rounds away {share:.1%} of the adapter's change (by norm)."]
    for text in result.greedy or ():
        same = "the same" if text.same else "different"
        lines += ["", f"Greedy text, {same}:", "", f"> trained: {_one_line(text.trained)}", ">"]
        lines.append(f"> merged: {_one_line(text.merged)}")
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return markdown_text(text)


def exports_page(proofs: Mapping[str, ExportFigures]) -> str:
    """Return the page proof.md: what each export lost, one line a form."""
    lines = ["# Exports compared with the merged model", ""]
    lines += [f"| form | {' | '.join(EXPORT_COLUMNS)} |"]
    lines.append(f"| --- {'| --- ' * len(EXPORT_COLUMNS)}|")
    for form, row in proofs.items():
        cells = [markdown_text(form), *(show(row) for show in EXPORT_COLUMNS.values())]
        lines.append(f"| {' | '.join(cells)} |")
    texts = sorted({row.perplexity_on for row in proofs.values()})
    return "\n".join([*lines, "", f"Perplexity on {', '.join(map(markdown_text, texts))}.", ""])


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
