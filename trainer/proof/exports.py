"""The export stage's proof: every form that was written, put beside the merged model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.prompting.wording import free_messages
from kofinlaw.files import read_jsonl, write_json, write_text
from kofinlaw.records import Chunk, Example, Key, Question
from kofinlaw.trainer.merge.adapter_files import read_object
from kofinlaw.trainer.proof.export_loss import verify_exports
from kofinlaw.trainer.proof.page import exports_page
from kofinlaw.trainer.proof.settings import VerifySettings

PROOF, PAGE = "proof.json", "proof.md"
STATED = (
    "tokenization_same",
    "argmax_agreement",
    "perplexity_merged",
    "perplexity_export",
    "choice_agreement",
    "accuracy_merged",
    "accuracy_export",
    "tokens_per_second_merged",
    "tokens_per_second_export",
)


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
) -> dict[str, Any]:
    """Compare what `exports/export.json` lists with the merged model; writes proof.json, proof.md.

    Perplexity is taken on the chunks of `chunks` that no example of `examples` was made from, on
    all of them without `examples`; a GGUF must cut all chunks into the merged model's tokens.
    Returns the figures flat, named by form. Raises UserError for an export that does not load,
    or whose perplexity shows that it is broken; other
    tokens are stated (`verdict`), not raised: the file still answers.
    """
    listed = read_object(exports / "export.json") if (exports / "export.json").exists() else {}
    if not listed:
        return {}
    paths = {
        form: exports / str(facts.get("file") or facts["folder"]) for form, facts in listed.items()
    }
    items = list(read_jsonl(questions, Question)) if questions is not None else []
    proofs = verify_exports(
        paths,
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
        for figures in proofs.values():
            figures["perplexity_on"] = "chunks, which may have been trained on"
    write_json(exports / PROOF, proofs)
    write_text(exports / PAGE, exports_page(proofs))
    most = (settings or VerifySettings.model_validate({})).max_export_perplexity_ratio
    broken = [
        form
        for form, figures in proofs.items()
        if figures["perplexity_export"] > most * figures["perplexity_merged"]
    ]
    if broken:
        raise UserError(
            f"the export is not the merged model any more: {', '.join(broken)}",
            where=str(exports / PROOF),
            remedy="leave that form out of export.formats, or raise "
            "verify.max_export_perplexity_ratio if the loss is acceptable",
        )
    stated: dict[str, Any] = {f"{form} verdict": row["verdict"] for form, row in proofs.items()}
    return stated | {
        f"{form} {name}": round(figures[name], 4)
        for form, figures in proofs.items()
        for name in STATED
        if name in figures
    }


def held_out_passages(chunks: Path, examples: Path | None) -> list[str]:
    """Texts of chunks that no training example was made from, spread evenly over the corpus."""
    seen: set[str] = set()
    if examples is not None:
        for example in read_jsonl(examples, Example):
            seen.update(example.provenance.get("chunks") or ())
    texts = [chunk.text for chunk in read_jsonl(chunks, Chunk) if chunk.id not in seen]
    step = max(1, len(texts) // 64)
    return texts[::step]
