"""Write the figures of forced evidence as Markdown."""

from __future__ import annotations

from kofinlaw.scoring.abstention.abstention_record import AbstentionRecord, AbstentionRow

__all__ = ["abstention_lines", "difference_text", "share", "verdict_text"]


def abstention_lines(record: AbstentionRecord) -> list[str]:
    """Return the table as lines of Markdown."""
    lines = ["", f"Forced evidence (confident: {record['threshold']:g} or more)", ""]
    lines.append(
        "| evidence | questions | system | n | refused | risk % | AURC % (least) "
        "| confident wrong % |"
        + "".join(f" risk at {100 * c:.0f} % |" for c in record["coverages"])
        + " trained − base, points | not worse |"
    )
    lines.append("| --- " * (10 + len(record["coverages"])) + "|")
    for row in record["rows"]:
        for model, one in row["systems"].items():
            cells = [row["evidence"], row["part"], model, str(one["n"]), str(one["refused"])]
            cells += [share(one["risk"]), f"{share(one['aurc'])} ({share(one['optimal'])})"]
            cells += [share(one["confident_wrong"]), *map(share, one["risk_at"])]
            last = model == "trained"
            cells += [difference_text(row), verdict_text(row)] if last else ["", ""]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def share(value: float | None) -> str:
    """Return a share in percent; a dash for None."""
    return "–" if value is None else f"{100 * value:.1f}"


def difference_text(row: AbstentionRow) -> str:
    """Return the difference of mean risk at equal coverage with its interval, in points."""
    found = row["difference"]
    if found is None or not found["covered"]:
        return "–"
    return f"{100 * found['value']:+.1f} [{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"


def verdict_text(row: AbstentionRow) -> str:
    """Return `meets` or `does not meet` where the trained model must not be worse."""
    if row["meets"] is None:
        return "–"
    return "meets" if row["meets"] else "does not meet"
