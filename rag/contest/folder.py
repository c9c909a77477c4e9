"""Write the folder that answers on the contest's machine: weights, index and one script.

That machine (Python 3.10, torch 2.1, CUDA 11.8) cannot run this stack. The folder therefore does
not use LanceDB, bm25s and Kiwi: retrieval is BM25 over Hangul bigrams, and the script answers one
question after another.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.korean.lexical import K1, B
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.law.former_names import NAMES, FormerName, read_names
from kofinlaw.data.law.supplements import is_supplement
from kofinlaw.data.law.versions import read_chunks
from kofinlaw.files import atomic_write_bytes, write_json
from kofinlaw.models.rendering.control_tokens import control_tokens
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.preference import Weights
from kofinlaw.rag.choosing.weights_file import weights_of, weights_record
from kofinlaw.rag.contest.contest_model import ContestSettings
from kofinlaw.rag.contest.inlining import inline
from kofinlaw.rag.index.calendar import Calendar
from kofinlaw.rag.index.version_merge import merge_versions
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk

__all__ = ["ALLOWED", "SCRIPT", "ContestCounts", "export_contest", "shown_rows", "write_index"]

SCRIPT = Path(__file__).with_name("script.py")
# Packages that the script may import: what the contest's machine has.
ALLOWED = frozenset({"numpy", "torch", "transformers"})
_PROBE = "\u241fquestion\u241f"


@dataclass(frozen=True)
class ContestCounts:
    """The counts of a contest folder: passages, distinct bigrams and bytes on disk."""

    passages: int
    terms: int
    bytes: int


def export_contest(
    model: Path,
    chunks: Path,
    out: Path,
    *,
    template: ChatTemplate,
    rag: RagSettings,
    answer: AnswerSettings,
    dtype: str = "bfloat16",
    progress: Progress = silent,
) -> ContestCounts:
    """Write `answer.py`, `contest.json`, `index/` and `model/` (hard links where possible).

    Args:
        model: Folder of the merged checkpoint.
        chunks: `chunks.jsonl` of the corpus.
        out: The folder to write.
        template: The model's chat template.
        rag: Which passages are shown, how many, and in how many tokens.
        answer: How answers are written, and their lengths.
        dtype: torch's name of the type in which the script loads the model.
        progress: Called before the index is built.

    Raises UserError for a model folder without safetensors or a tokenizer, a template that does not
    show the question, a corpus without a passage to show, and a voter that needs Kiwi.
    """
    missing = [name for name in ("config.json", "tokenizer.json") if not (model / name).exists()]
    if missing or not list(model.glob("*.safetensors")):
        raise UserError(
            f"no checkpoint: {', '.join(missing) or 'safetensors'} missing",
            where=str(model),
            remedy="name a merged checkpoint",
        )
    (out / "model").mkdir(parents=True, exist_ok=True)
    for file in sorted(model.iterdir()):
        if file.is_file():
            _link(file, out / "model" / file.name)
    progress("index", 0)
    passages = list(merge_versions(read_chunks(chunks)))
    shown = shown_rows(passages, rag)
    if not shown:
        raise UserError(
            "the corpus has no passage to show",
            where=str(chunks),
            remedy="check rag.as_of and rag.kinds of the recipe",
        )
    names = read_names(chunks.with_name(NAMES))
    terms = write_index(passages, shown, out / "index", rag, names)
    before, after = _frame(template)
    by_contrast = answer.choose_by == "contrast"
    weights = weights_of(answer) if by_contrast else Weights({})
    if "morphemes" in weights.names:
        raise UserError(
            "the contest's machine has no Kiwi for the voter `morphemes`",
            where="answer.voters",
            remedy="give its weight to `overlap`, or fit the weights (`fit` does not use it)",
        )
    settings: ContestSettings = {
        "bos": template.bos,
        "choose_by": "contrast" if by_contrast else "generate",
        "contrast_decoding": answer.contrast_decoding,
        "contrast_form": answer.contrast_form,
        "weights": weights_record(weights),
        "before": before,
        "after": after,
        "controls": list(template.controls.texts or control_tokens(model).texts),
        "stop_ids": _stop_ids(model, template),
        "dtype": dtype,
        "k": rag.k,
        "option_passages": rag.option_passages,
        "evidence_tokens": rag.evidence_tokens,
        "answer_form": answer.answer_form,
        "context_tokens": answer.context_tokens,
        "free_by": answer.free_by,
        "free_candidates": answer.free_candidates,
        "free_voters": {str(name): weight for name, weight in answer.free_voters.items()},
        "free_replace": answer.free_replace,
        "free_max_tokens": answer.free_max_tokens,
        "free_max_characters": answer.free_max_characters,
    }
    write_json(out / "contest.json", settings)
    with atomic_write_bytes(out / "answer.py") as handle:
        handle.write(inline(SCRIPT.read_text(encoding="utf-8")).encode("utf-8"))
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    return ContestCounts(passages=len(shown), terms=terms, bytes=size)


def shown_rows(passages: Sequence[Chunk], rag: RagSettings) -> list[int]:
    """Return the rows of the passages that a retriever with these settings shows, in order.

    They are of `rag.as_of` or, where that is None, of today: the script knows neither days nor
    kinds.
    """
    calendar = Calendar(passages)
    shown = calendar.in_force(rag.as_of) if rag.as_of else calendar.shown_on(datetime.date.today())
    return [
        row
        for row, chunk in enumerate(passages)
        if (shown is None or shown[row]) and (not rag.kinds or chunk.kind in rag.kinds)
    ]


def write_index(
    passages: Sequence[Chunk],
    shown: Sequence[int],
    out: Path,
    rag: RagSettings,
    names: Sequence[FormerName] = (),
) -> int:
    """Write the shown passages, their units and the BM25 weights of their bigrams; returns the
    number of distinct bigrams.

    How rare a bigram is, and the mean length, are those of all passages, as in the index of the
    run, whose retriever leaves out the ones that are not shown afterwards.

    The weights have Lucene's form, as in `kofinlaw.data.korean.lexical`. In `postings.npz` term t
    is in `passages[starts[t]:starts[t + 1]]` with these `weights`.
    """
    out.mkdir(parents=True, exist_ok=True)
    counted = [Counter(bigrams(chunk.text)) for chunk in passages]
    lengths = [sum(count.values()) for count in counted]
    mean = sum(lengths) / max(len(lengths), 1) or 1.0
    holding = Counter(token for count in counted for token in count)
    found: dict[str, list[tuple[int, int]]] = {}
    for number, row in enumerate(shown):
        for token, times in counted[row].items():
            found.setdefault(token, []).append((number, times))
    starts, numbers, weights = [0], [], []
    for token in sorted(found):
        idf = math.log(1 + (len(passages) - holding[token] + 0.5) / (holding[token] + 0.5))
        for number, times in found[token]:
            length = lengths[shown[number]] / mean
            numbers.append(number)
            weights.append(idf * times / (times + K1 * (1 - B + B * length)))
        starts.append(len(numbers))
    np.savez(
        out / "postings.npz",
        starts=np.array(starts, dtype=np.int64),
        passages=np.array(numbers, dtype=np.int32),
        weights=np.array(weights, dtype=np.float32),
    )
    write_json(out / "terms.json", {token: term for term, token in enumerate(sorted(found))})
    write_json(out / "passages.json", [passages[row].text for row in shown])
    rows: dict[str, list[int]] = {}
    for number, row in enumerate(shown):
        rows.setdefault(passages[row].unit, []).append(number)
    titles = sorted({chunk.title for chunk in passages})
    cited = rag.weights.citation if rag.citation_lookup else 0.0
    units = {
        "rows": rows,
        "titles": titles,
        "cited": cited,
        "supplements": [n for n, row in enumerate(shown) if is_supplement(passages[row])],
        "names": [[one.name, one.titles, one.same] for one in names],
    }
    write_json(out / "units.json", units)
    return len(found)


def _frame(template: ChatTemplate) -> tuple[str, str]:
    """Return the text that the template writes before and after the user's message."""
    text = template.render([{"role": "user", "content": _PROBE}], add_generation_prompt=True)
    before, probe, after = text.partition(_PROBE)
    if not probe:
        raise UserError(f"chat template {template.name} does not show the question")
    return before, after


def _stop_ids(model: Path, template: ChatTemplate) -> list[int]:
    """Return the ids that end an answer: the template's stop token first,
    then the configurations' EOS.
    """
    from kofinlaw.models.tokenizer import load_tokenizer

    ids = load_tokenizer(model).encode(template.stop)[-1:]
    for name in ("generation_config.json", "config.json"):
        path = model / name
        if path.exists():
            value = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id")
            ids += value if isinstance(value, list) else [] if value is None else [value]
    return list(dict.fromkeys(ids))


def _link(source: Path, target: Path) -> None:
    """Make a hard link, or a copy on another disk."""
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
