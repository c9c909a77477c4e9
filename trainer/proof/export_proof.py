"""Prove the exports of a merge: compare every written form with the merged model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.prompting.wording import free_messages
from kofinlaw.files import read_jsonl, write_json, write_text
from kofinlaw.records import Chunk, Example, Key, Question
from kofinlaw.trainer.export.export_result import exported_path, read_export_list
from kofinlaw.trainer.proof.export_figures import ExportProof
from kofinlaw.trainer.proof.export_loss import compare_exports
from kofinlaw.trainer.proof.proof_page import exports_page
from kofinlaw.trainer.proof.settings import VerifySettings

__all__ = ["PAGE", "PROOF", "held_out_passages", "prove_exports"]

PROOF, PAGE = "proof.json", "proof.md"


def prove_exports(
    exports: Path,
    merged: Path,
    *,
    questions: Path | None = None,
    key: Path | None = None,
    chunks: Path | None = None,
    examples: Path | None = None,
    settings: VerifySettings | None = None,
    threads: int | None = None,
    progress: Progress = silent,
) -> ExportProof:
    """Compare the forms in `exports/export.json` with the merged model; write proof.json, proof.md.

    A GGUF that cuts a chunk into other tokens only gets a failing verdict, because it still
    answers.

    Args:
        exports: the export's folder.
        merged: the merged checkpoint's folder.
        questions: file of held-out questions.
        key: file of their right answers.
        chunks: file of the corpus's chunks. Perplexity is measured on those that no example was
            made from, and a GGUF must cut all of them into the merged model's tokens.
        examples: file of the training examples; without it, perplexity is measured on all chunks.
        settings: what is compared, and the thresholds; None takes the defaults.
        threads: of llama.cpp; None takes as many as cores.
        progress: receives the number of models done.

    Raises UserError for an export that does not load, and for one whose perplexity shows that it
    is broken.
    """
    settings = settings or VerifySettings()
    listed = read_export_list(exports)
    if not listed:
        return ExportProof({})
    items = list(read_jsonl(questions, Question)) if questions is not None else []
    proofs = compare_exports(
        {form: exported_path(exports, facts) for form, facts in listed.items()},
        merged,
        prompts=[free_messages(item.question) for item in items if not item.options],
        passages=held_out_passages(chunks, examples) if chunks is not None else (),
        corpus=[chunk.text for chunk in read_jsonl(chunks, Chunk)] if chunks is not None else (),
        questions=[item for item in items if item.options],
        keys=list(read_jsonl(key, Key)) if key is not None else (),
        settings=settings,
        threads=threads,
        progress=progress,
    )
    if chunks is not None and examples is None:
        texts = "chunks, which may have been trained on"
        proofs = {form: replace(row, perplexity_on=texts) for form, row in proofs.items()}
    write_json(exports / PROOF, {form: row.to_record() for form, row in proofs.items()})
    write_text(exports / PAGE, exports_page(proofs))
    most = settings.max_export_perplexity_ratio
    broken = [
        form for form, row in proofs.items() if row.perplexity_export > most * row.perplexity_merged
    ]
    if broken:
        raise UserError(
            "the export no longer predicts what the merged model predicts: " + ", ".join(broken),
            where=str(exports / PROOF),
            remedy="remove that form from export.formats, or raise "
            "verify.max_export_perplexity_ratio if the loss is acceptable",
        )
    return ExportProof(proofs)


def held_out_passages(chunks: Path, examples: Path | None) -> list[str]:
    """Return the texts of chunks that no training example was made from,
    spread evenly over the corpus.
    """
    trained_on: set[str] = set()
    if examples is not None:
        for example in read_jsonl(examples, Example):
            trained_on.update(example.provenance.get("chunks") or ())
    texts = [chunk.text for chunk in read_jsonl(chunks, Chunk) if chunk.id not in trained_on]
    step = max(1, len(texts) // 64)
    return texts[::step]
