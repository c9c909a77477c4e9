"""Show the figures of a review as lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.augment.review.review_card import ReviewRecord, share_text, state_text

__all__ = ["summary_lines"]

MOST_NAMED = 10  # ids in a line; the card has all


def summary_lines(record: ReviewRecord) -> list[str]:
    """Return the figures as lines for a terminal."""
    wide = max((len(kind) for kind in record["kinds"]), default=4)
    head = ("examples", "read", "wrong", "unclear", "rate", "at least", "at most")
    titles = [name.rjust(6) for name in head]
    lines = ["  ".join(["kind".ljust(wide), *titles, f"at most {record['limit']:.0%} wrong"])]
    for kind, row in record["kinds"].items():
        counts = (row["examples"], row["read"], row["wrong"], row["unclear"])
        shares = (row["rate"], row["least"], row["most"])
        cells = [*map(str, counts), *map(share_text, shares)]
        aligned = [cell.rjust(max(6, len(name))) for cell, name in zip(cells, head, strict=True)]
        lines.append("  ".join([kind.ljust(wide), *aligned, state_text(row)]))
    read = ", ".join(f"{name} {n}" for name, n in record["readers"].items())
    lines += ["", f"readers: {read or 'none, not reviewed'}"]
    for one in record["agreement"]:
        kappa = "undefined" if one["kappa"] is None else f"{one['kappa']:.2f}"
        if one["low"] is not None:
            kappa += f" ({one['low']:.2f} to {one['high']:.2f})"
        names = " and ".join(one["readers"])
        lines.append(f"{names}: {one['equal']} of {one['n']} equal, kappa {kappa}")
    if record["differ"]:
        lines.append(f"to settle on the page: {_named(record['differ'])}")
    for key, text in (("other_text", "have another text now"), ("not_made", "are no longer made")):
        names_of: list[str] = record[key]  # type: ignore[literal-required]
        if names_of:
            lines.append(f"not used, because the examples {text}: {_named(names_of)}")
    return lines


def _named(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
