"""The verdict as a page of Markdown."""

from __future__ import annotations

from typing import Any

BASES = {
    "dequantized": "the 4-bit base + adapter, as trained",
    "original": "the 16-bit base + adapter",
}


def verdict_page(result: dict[str, Any]) -> str:
    """The page for verify.json's content."""
    word = {"pass": "PASS", "fail": "FAIL"}[result["verdict"]]
    lines = [
        f"# Merge proof: {word}",
        "",
        f"Merged on the {result['merged_base']} base, compared with "
        f"{BASES.get(result['compared_with'], result['compared_with'])}.",
    ]
    if result["failed"]:
        lines.append(f"Failed: {', '.join(result['failed'])}.")
    if "not_measured" in result:
        lines.append(f"Not measured: {result['not_measured']}.")
    lines += ["", "| check | found | bound | |", "| --- | --- | --- | --- |"]
    for check in result["checks"]:
        mark = "ok" if check["ok"] else "**fails**"
        lines.append(f"| {check['name']} | {check['value']} | {check['bound']} | {mark} |")
    if "figures" in result:
        lines += ["", "| figure | value |", "| --- | --- |"]
        for name, value in result["figures"].items():
            shown = f"{value:.6g}" if isinstance(value, float) else value
            lines.append(f"| {name.replace('_', ' ')} | {shown} |")
    if "weights" in result:
        share = result["weights"]["rounding_share"]
        lines += ["", f"Storing rounds away {share:.1%} of the adapter's change (by norm)."]
    for text in result.get("greedy", []):
        same = "the same" if text["same"] else "different"
        lines += ["", f"Greedy text, {same}:", "", f"> trained: {_one_line(text['trained'])}", ">"]
        lines.append(f"> merged: {_one_line(text['merged'])}")
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())
