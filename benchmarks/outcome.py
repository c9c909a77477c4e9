"""Write the last line of a benchmark: figures, targets and whether all targets hold."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping, Sequence
from typing import Any

SIGNS = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
}
Target = tuple[str, float]


def outcome(
    figures: Mapping[str, Any],
    targets: Mapping[str, tuple[Any, Target]],
    not_run: Sequence[str] = (),
) -> str:
    """Return one JSON object on one line: unchanged `figures`, `targets` and `meets`.

    Args:
        figures: what was measured.
        targets: each target's measured value (None: not measured in this run), sign and bound.
        not_run: what needs another machine; each becomes a target with the value null.

    `meets` is true only if every target is measured and holds.
    """
    rows = {
        name: {
            "value": value,
            "target": f"{sign} {bound:g}",
            "meets": None if value is None else bool(SIGNS[sign](value, bound)),
        }
        for name, (value, (sign, bound)) in targets.items()
    }
    for name in not_run:
        rows[name] = {"value": None, "target": None, "meets": None}
    missing = [name for name, row in rows.items() if row["value"] is None]
    record = {
        "figures": figures,
        "targets": rows,
        "not_run": missing,
        "meets": all(row["meets"] is True for row in rows.values()),
    }
    return json.dumps(record, ensure_ascii=False)
