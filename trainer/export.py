"""The forms a merged model is handed over in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kofinlaw import Progress, silent
from kofinlaw.data.files import write_json
from kofinlaw.trainer.export_bnb import to_bnb4
from kofinlaw.trainer.export_compressed import METHODS, calibration_texts, to_compressed
from kofinlaw.trainer.export_gguf import to_gguf
from kofinlaw.trainer.export_hf import to_hf
from kofinlaw.trainer.merge_adapter import read_object
from kofinlaw.trainer.merge_settings import ExportSettings

__all__ = ["export_stage", "to_bnb4", "to_compressed", "to_gguf", "to_hf"]


def export_stage(
    settings: ExportSettings,
    merged: Path,
    out: Path,
    *,
    chunks: Path | None = None,
    examples: Path | None = None,
    cache: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write every asked form under `out` with an `export.json`; one that is there is kept.

    GGUF goes to `out/<name>-<type>.gguf`, hf to `out/<name>/`, the others to `out/<name>-<form>/`.
    awq and gptq are calibrated on those of `chunks` that `examples` were made from. Returns bytes
    by form. Raises UserError as the exporters do.
    """
    out.mkdir(parents=True, exist_ok=True)
    record = read_object(merged / "kofinlaw.json") if (merged / "kofinlaw.json").exists() else {}
    name = str(record.get("name") or merged.resolve().name)
    environments = Path(settings.environments) if settings.environments else None
    done = read_object(out / "export.json") if (out / "export.json").exists() else {}
    for form in settings.formats:
        kind = "gguf-q8_0" if form == "gguf" else form
        if _still_there(done.get(kind), out):
            continue
        if kind == "bnb-4bit":
            done[kind] = to_bnb4(merged, out / f"{name}-bnb-4bit", progress=progress)
        elif kind == "hf":
            done[kind] = to_hf(merged, out / name, progress=progress)
        elif kind in METHODS:
            texts = calibration_texts(chunks, examples) if chunks and examples else []
            done[kind] = to_compressed(
                merged,
                out / f"{name}-{kind}",
                kind,
                texts,
                samples=settings.calibration_samples,
                tokens=settings.calibration_tokens,
                environments=environments,
                cache=cache,
                progress=progress,
            )
        else:
            out_type = kind.removeprefix("gguf-")
            done[kind] = to_gguf(
                merged,
                out / f"{name}-{out_type}.gguf",
                out_type=out_type,
                quantizer=Path(settings.quantizer) if settings.quantizer else None,
                environments=environments,
                cache=cache,
                progress=progress,
            )
        write_json(out / "export.json", done)
    return {f"{form} bytes": facts["bytes"] for form, facts in done.items()}


def _still_there(facts: dict[str, Any] | None, out: Path) -> bool:
    return facts is not None and (out / str(facts.get("file") or facts.get("folder"))).exists()
