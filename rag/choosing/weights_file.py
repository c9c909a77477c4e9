"""Read and write the weights of the voters: a small JSON file that a fit makes.

{"version": 1,
 "voters": {"contrast": 1.2, "overlap": 0.6},
 "gated": {"overlap": {"level": 0.2}}, "gates": {"level": [0.61, 0.2]},
 "temperature": 0.9,
 "unrelated": {"likelihood": 1.0}, "bearing_from": 0.52,
 "fit": {"items": 300, ...}}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import write_json
from kofinlaw.rag.answer_settings import AnswerSettings, VoterName
from kofinlaw.rag.choosing.preference import BEARING_FROM, GATES, Weights, WeightsRecord

__all__ = ["FILE_VERSION", "read_weights", "weights_of", "weights_record", "write_weights"]

FILE_VERSION = 1


def weights_of(settings: AnswerSettings) -> Weights:
    """Return the weights that `answer.voters` gives or names.

    Raises UserError for a file that cannot be read, and where the weights are to be fitted but were
    not.
    """
    if isinstance(settings.voters, Path):
        return read_weights(settings.voters)
    if settings.voters == "fit":
        raise UserError(
            "the weights of the voters are not fitted yet",
            where="answer.voters",
            remedy="run `kofinlaw fit-voters RECIPE`, and name the file that it writes",
        )
    return Weights(
        {str(name): weight for name, weight in settings.voters.items()},
        temperature=settings.voter_temperature,
        unrelated={str(name): weight for name, weight in settings.unrelated_voters.items()},
        bearing_from=settings.bearing_from,
    )


def weights_record(weights: Weights) -> WeightsRecord:
    """Return weights as JSON values."""
    return {
        "version": FILE_VERSION,
        "voters": dict(weights.voters),
        "gated": {voter: dict(row) for voter, row in weights.gated.items()},
        "gates": {gate: list(pair) for gate, pair in weights.gates.items()},
        "temperature": weights.temperature,
        "unrelated": dict(weights.unrelated),
        "bearing_from": weights.bearing_from,
    }


def write_weights(path: Path, weights: Weights, fit: Mapping[str, object]) -> None:
    """Write weights with the figures of their fit."""
    write_json(path, {**weights_record(weights), "fit": dict(fit)})


def read_weights(path: Path) -> Weights:
    """Return the weights of a file.

    Raises UserError for a file that does not exist, is of another version, names an unknown voter
    or gate, or holds a number that is not finite.
    """
    try:
        record = load_json(path.read_text(encoding="utf-8"))
        if record["version"] != FILE_VERSION:
            raise ValueError(f"it has version {record['version']}, not {FILE_VERSION}")
        weights = Weights(
            {name: _finite(value) for name, value in record["voters"].items()},
            {
                name: {gate: _finite(value) for gate, value in row.items()}
                for name, row in record.get("gated", {}).items()
            },
            {
                gate: (_finite(mean), _positive(deviation))
                for gate, (mean, deviation) in record.get("gates", {}).items()
            },
            _positive(record.get("temperature", 1.0)),
            {name: _finite(value) for name, value in record.get("unrelated", {}).items()},
            _finite(record.get("bearing_from", BEARING_FROM)),
        )
        _check_names(weights)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise_if_machine(error, path)
        raise UserError(
            f"the weights of the voters cannot be read: {error}",
            where=str(path),
            remedy="write them with `kofinlaw fit-voters RECIPE`, or give `answer.voters` as a "
            "table of names and weights",
        ) from error
    return weights


def _check_names(weights: Weights) -> None:
    known = get_args(VoterName)
    unknown = sorted({*weights.voters, *weights.gated, *weights.unrelated} - set(known))
    if unknown:
        raise ValueError(f"unknown voters {', '.join(unknown)}; known: {', '.join(known)}")
    used = {gate for row in weights.gated.values() for gate in row}
    if not used <= set(weights.gates) <= set(GATES):
        raise ValueError(f"the gates must be of {', '.join(GATES)}, each with mean and deviation")
    if not weights.names:
        raise ValueError("no voter has a weight")


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return float(value)


def _positive(value: object) -> float:
    if _finite(value) <= 0:
        raise ValueError(f"{value!r} is not above 0")
    return _finite(value)
