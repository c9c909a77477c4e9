"""Which passages stood in the prompt after packing, not merely in the retriever's list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import read_json_lines
from kofinlaw.records import Chunk
from kofinlaw.trace_files import TRACE_FILE, read_traces


def shown_passages(
    folder: Path, evidence: Mapping[str, Sequence[str]], passages: Mapping[str, Chunk]
) -> dict[str, tuple[str, ...]]:
    """Ids of the passages in each question's first prompt; a question of which it cannot be known
    is left out.

    Where `plan.jsonl` says that all passages were shown, these are they; where packing left some
    out, the traced prompt tells: a passage was shown if its header stands there.
    """
    counts = first_shown(folder / "plan.jsonl")
    prompts: dict[str, str] | None = None
    out: dict[str, tuple[str, ...]] = {}
    for name, ids in evidence.items():
        if name not in counts:
            continue
        if counts[name] >= len(ids) or counts[name] == 0:
            out[name] = tuple(ids) if counts[name] else ()
            continue
        if prompts is None:
            prompts = first_prompts(folder / TRACE_FILE)
        prompt = prompts.get(name)
        heads = {one: header(passages[one]) for one in ids if one in passages}
        found = tuple(one for one in ids if prompt and heads.get(one) and heads[one] in prompt)
        if len(found) >= counts[name]:
            out[name] = found
    return out


def header(passage: Chunk) -> str:
    """A passage's first line, which packing keeps above whatever it keeps of the passage."""
    return next((line.strip() for line in passage.text.split("\n") if line.strip()), "")


def first_shown(path: Path) -> dict[str, int]:
    """How many passages the first prompt of each question held; empty without the file."""
    out: dict[str, int] = {}
    try:
        for _, row in read_json_lines(path):
            if row.get("turn") == 0 and isinstance(row.get("shown"), int):
                out.setdefault(str(row.get("id")), row["shown"])
    except (UserError, OSError):
        return out
    return out


def first_prompts(path: Path) -> dict[str, str]:
    """The first traced prompt of each question; empty without traces."""
    out: dict[str, str] = {}
    for _, span in read_traces(path):
        for item in span.get("items") or ():
            if isinstance(item, dict) and isinstance(item.get("prompt"), str):
                out.setdefault(str(item.get("id")), item["prompt"])
    return out
