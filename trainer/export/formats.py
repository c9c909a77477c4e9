"""The forms a merged model is handed over in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import write_json
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.export.bnb import to_bnb4
from kofinlaw.trainer.export.compressed import METHODS, calibration_texts, to_compressed
from kofinlaw.trainer.export.gguf import to_gguf
from kofinlaw.trainer.export.hf import to_hf
from kofinlaw.trainer.export.settings import ExportSettings
from kofinlaw.trainer.merge.adapter_files import read_object

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

    Kept only where it was made from this very merge with these settings; `out` holds one merge's.

    GGUF goes to `out/<name>-<type>.gguf`, hf to `out/<name>/`, the others to `out/<name>-<form>/`.
    awq and gptq are calibrated on those of `chunks` that `examples` were made from. Returns bytes
    by form. Raises UserError as the exporters do, and where `out` holds another export.
    """
    out.mkdir(parents=True, exist_ok=True)
    record = read_object(merged / "kofinlaw.json") if (merged / "kofinlaw.json").exists() else {}
    name = str(record.get("name") or merged.resolve().name)
    environments = Path(settings.environments) if settings.environments else None
    done = read_object(out / "export.json") if (out / "export.json").exists() else {}
    identity = record.get("merge", {}).get("fingerprint") or base_sha256(merged)
    if any(facts.get("made_from", {}).get("merge") != identity for facts in done.values()):
        raise _other_export("the target holds another merge's export", out)
    for form in settings.formats:
        kind = "gguf-q8_0" if form == "gguf" else form
        made_from = {"merge": identity, **_heeded(kind, settings)}
        if _still_there(done.get(kind), out):
            if done[kind]["made_from"] != made_from:
                raise _other_export(f"the target holds {kind} made with other settings", out)
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
        done[kind]["made_from"] = made_from
        write_json(out / "export.json", done)
    return {f"{form} bytes": facts["bytes"] for form, facts in done.items()}


def _still_there(facts: dict[str, Any] | None, out: Path) -> bool:
    return facts is not None and (out / str(facts.get("file") or facts.get("folder"))).exists()


def _heeded(kind: str, settings: ExportSettings) -> dict[str, Any]:
    """The settings that decide what is in a form's file."""
    if kind in METHODS:
        return settings.model_dump(include={"calibration_samples", "calibration_tokens"})
    return settings.model_dump(include={"quantizer"}) if kind == "gguf-q4_k_m" else {}


def _other_export(message: str, out: Path) -> UserError:
    return UserError(message, where=str(out), remedy="name another folder, or delete this one")
