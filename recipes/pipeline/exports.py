"""Export a run's merged model to the recipe's formats, and compare each export with the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kofinlaw import Progress
from kofinlaw.recipes.pipeline.run import Run, corpus_files, question_files
from kofinlaw.results import StageResult

__all__ = ["ExportFigures", "gguf_converter_ready", "write_exports"]


@dataclass(frozen=True)
class ExportFigures:
    """The written exports, their comparison with the merged model, and the formats left out."""

    written: StageResult
    proof: StageResult
    skipped: tuple[str, ...]

    def to_record(self) -> dict[str, object]:
        """Return all figures in one level, with the list `skipped`."""
        figures = {**self.written.to_record(), **self.proof.to_record()}
        return {**figures, "skipped": list(self.skipped)}


def write_exports(run: Run, out: Path, progress: Progress) -> ExportFigures:
    """Write the exports into `out` and compare each with the merged model.

    GGUF is left out if the run is offline and the GGUF converter is not installed. Raises UserError
    if an export cannot be written or does not load.
    """
    from kofinlaw.trainer.export.export_formats import export_model
    from kofinlaw.trainer.proof.export_proof import prove_exports

    settings = run.recipe.export
    if run.recipe.offline and not gguf_converter_ready(run):
        wanted = tuple(name for name in settings.formats if not name.startswith("gguf"))
        unwanted = sorted(set(settings.formats) - set(wanted))
        if unwanted:
            # Not an error: installing the converter needs a connection, which this run forbids.
            progress(f"skipped {', '.join(unwanted)}: run `make gguf` once with a connection", 0)
        settings = settings.model_copy(update={"formats": wanted})
    corpus, asked = corpus_files(run), question_files(run)
    merged = run.folder / "merge" / "model"
    written = export_model(
        settings,
        merged,
        out,
        chunks=corpus.get("chunks"),
        examples=corpus.get("examples"),
        cache=run.cache,
        progress=progress,
    )
    proof = prove_exports(
        out,
        merged,
        chunks=corpus.get("chunks"),
        examples=corpus.get("examples"),
        questions=asked.get("questions"),
        key=asked.get("key"),
        settings=run.recipe.verify,
        progress=progress,
    )
    skipped = sorted(set(run.recipe.export.formats) - set(settings.formats))
    return ExportFigures(written, proof, tuple(skipped))


def gguf_converter_ready(run: Run) -> bool:
    """Return whether the GGUF converter's environment is on this machine,
    complete and up to date.
    """
    from kofinlaw.trainer.export.environment import GGUF, is_ready

    named = run.recipe.export.environments
    return is_ready(GGUF, Path(named) if named else None, run.cache)
