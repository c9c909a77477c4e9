"""The merged model's card, completed when its run is over: data, proof and scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kofinlaw.files import write_text
from kofinlaw.scoring.report.gather import read_json

FIRST, NEXT = "## Data\n", "## Licence\n"
SCORES = {"choice": "multiple choice", "free": "free text", "blend": "both"}


def complete_card(run: Path) -> bool:
    """Write data, proof and scores of a finished run into `merge/model/README.md`.

    Doing it again replaces them. Returns whether there was a card to complete.
    """
    path = run / "merge" / "model" / "README.md"
    if not path.exists():
        return False
    text = path.read_text(encoding="utf-8")
    if NEXT not in text:
        return False
    head, _, tail = text.partition(NEXT)
    head = head.partition(FIRST)[0].rstrip()
    sections = [
        _data(read_json(run / "data" / "card.json"), read_json(run / "augment" / "stage.json")),
        _proof(read_json(run / "verify" / "verify.json")),
        _scores(read_json(run / "score" / "scores.json")),
    ]
    write_text(path, f"{head}\n\n{''.join(sections)}{NEXT}{tail}")
    return True


def _data(card: Mapping[str, Any] | None, augment: Mapping[str, Any] | None) -> str:
    lines = [FIRST]
    examples = ((augment or {}).get("counts") or {}).get("examples")
    if examples is not None:
        lines.append(f"{examples} training examples.\n")
    rows = [
        f"| {source['title']} | {source.get('as_of') or '–'} | {source['license']} |"
        for source in (card or {}).get("sources", [])
    ]
    if rows:
        lines += ["| document | as of | licence |", "| --- | --- | --- |", *rows, ""]
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


def _scores(scores: Mapping[str, Any] | None) -> str:
    rows = [
        f"| {name} | {words} | {_shown(system[key])} |"
        for name, system in ((scores or {}).get("systems") or {}).items()
        for key, words in SCORES.items()
        if system.get(key)
    ]
    if not rows:
        return ""
    head = ["## Scores\n", "| system | task | score (95 % interval) |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, "", ""])


def _shown(interval: Mapping[str, Any]) -> str:
    count = f", {interval['n']} items" if "n" in interval else ""
    return f"{interval['value']:.3f} ({interval['low']:.3f}–{interval['high']:.3f}{count})"
