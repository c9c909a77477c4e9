"""Build the compliance record: URL, date, licence and hash of every model and source of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from kofinlaw import __version__
from kofinlaw.models.catalogue import licenses, lookup_model
from kofinlaw.models.policy.rules import Verdict, policy_named
from kofinlaw.models.policy.trained_from import bases_of
from kofinlaw.models.resolve import weight_hashes

__all__ = ["policy_record"]


def policy_record(
    policy: str,
    *,
    models: Mapping[str, str],
    sources: Sequence[Mapping[str, object]],
    verdicts: Sequence[Verdict],
    folders: Mapping[str, Path] | None = None,
    cache: Path | None = None,
) -> dict[str, object]:
    """Return the record that the contest requires, ready for JSON.

    Args:
        policy: the policy's name.
        models: the role (student, teacher, embedder ...) of each model by its name.
        sources: one record per data source; they are copied unchanged.
        verdicts: all verdicts of the run.
        folders: weight folders by model name, for models that cannot be found by their name.
        cache: folder of prepared models.

    A model whose weights are not on this machine has no hashes. Raises UserError for an unknown
    policy.
    """
    rows = []
    for name, role in models.items():
        card = lookup_model(name)
        license_ = licenses().get(card.license) if card else None
        folder = (folders or {}).get(name)
        bases = [base for base in bases_of(name) if base != name and (not card or base != card.id)]
        rows.append(
            {
                "id": card.id if card else name,
                "role": role,
                "url": card.url if card else "",
                "released": card.released if card else "",
                "license": card.license if card else "",
                "clauses": dict(license_.clauses) if license_ else {},
                "sha256": weight_hashes(name, folder=folder, cache=cache),
                **({"trained_from": bases} if bases else {}),
            }
        )
    return {
        "policy": policy_named(policy).to_record(),
        "ok": all(verdict.ok for verdict in verdicts),
        "models": rows,
        "sources": [dict(source) for source in sources],
        "verdicts": [asdict(verdict) for verdict in verdicts],
        "kofinlaw": __version__,
    }
