"""Complete the merged model's card after its run: add data, proof and scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from kofinlaw.files import write_text
from kofinlaw.scoring.scores_record import FigureRecord, ScoreName, ScoresRecord
from kofinlaw.texts import NOT_PROVEN, markdown_text
from kofinlaw.tolerant_files import read_json

__all__ = ["FIRST", "NEXT", "SCORES", "complete_card"]

FIRST, NEXT = "## Data\n", "## Licence\n"
SCORES: dict[ScoreName, str] = {"choice": "multiple choice", "free": "free text", "blend": "both"}


def complete_card(run: Path, *, tested: bool = True) -> bool:
    """Write data, proof and scores of a finished run into `merge/model/README.md`.

    Sections that are already there are replaced. The card of a run that was not `tested` says that
    it is not proven. Returns whether there was a card to complete.
    """
    path = run / "merge" / "model" / "README.md"
    if not path.exists():
        return False
    text = path.read_text(encoding="utf-8")
    if NEXT not in text:
        return False
    head, _, tail = text.partition(NEXT)
    head = head.partition(FIRST)[0].rstrip()
    scores = cast("ScoresRecord | None", read_json(run / "score" / "scores.json"))
    sections = [
        _data(read_json(run / "data" / "card.json"), read_json(run / "augment" / "stage.json")),
        _proof(read_json(run / "verify" / "verify.json")),
        _scores(scores) if scores or tested else f"## Scores\n\n{NOT_PROVEN[1]}\n\n",
    ]
    write_text(path, f"{head}\n\n{''.join(sections)}{NEXT}{tail}")
    return True


def _data(card: Mapping[str, Any] | None, augment: Mapping[str, Any] | None) -> str:
    lines = [FIRST]
    examples = ((augment or {}).get("counts") or {}).get("examples")
    if examples is not None:
        lines.append(f"{examples} training examples.\n")
    rows = [
        f"| {markdown_text(source['title'])} | {markdown_text(source.get('as_of') or 'unknown')} "
        f"| {markdown_text(source.get('day_from') or '–')} | {markdown_text(source['license'])} |"
        for source in (card or {}).get("sources", [])
    ]
    if rows:
        lines += [
            "| document | as of | day from | licence |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    return "\n".join([*lines, ""])


def _proof(verify: Mapping[str, Any] | None) -> str:
    if verify is None:
        return ""
    figures = verify.get("figures") or {}
    lines = ["## Proof\n", f"Compared with base + adapter: {verify['verdict']}."]
    if figures:
        lines[-1] += (
            f" The same most likely token at {figures['argmax_agreement']:.2%} of "
            f"{figures['tokens_compared']} places, mean KL {figures['kl_mean']:.2g} nats."
        )
    return "\n".join([*lines, "", ""])


def _scores(scores: ScoresRecord | None) -> str:
    systems = scores["systems"] if scores else {}
    rows = [
        f"| {markdown_text(name)} | {label} | {_shown(figure)} |"
        for name, system in systems.items()
        for key, label in SCORES.items()
        if (figure := system.get(key))
    ]
    if not rows:
        return ""
    head = ["## Scores\n", "| system | task | score (95 % interval) |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, "", ""])


def _shown(figure: FigureRecord) -> str:
    count = f", {figure['n']} items" if "n" in figure else ""
    return f"{figure['value']:.3f} ({figure['low']:.3f}–{figure['high']:.3f}{count})"
