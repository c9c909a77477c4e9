"""Write a merged model in every format that the settings name."""

from __future__ import annotations

from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import write_json
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.export.bnb import to_bnb4
from kofinlaw.trainer.export.compressed import METHODS, calibration_texts, to_compressed
from kofinlaw.trainer.export.export_result import (
    EXPORT_LIST,
    ExportFacts,
    ExportResult,
    exported_path,
    read_export_list,
)
from kofinlaw.trainer.export.gguf import to_gguf
from kofinlaw.trainer.export.hf import to_hf
from kofinlaw.trainer.export.modelfile import modelfile_path, write_modelfile
from kofinlaw.trainer.export.settings import ExportSettings
from kofinlaw.trainer.merge.adapter_files import RECORD
from kofinlaw.trainer.merge.json_objects import (
    JsonObject,
    object_at,
    read_object_if_present,
    text_at,
)

__all__ = ["export_model"]


def export_model(
    settings: ExportSettings,
    merged: Path,
    out: Path,
    *,
    chunks: Path | None = None,
    examples: Path | None = None,
    cache: Path | None = None,
    progress: Progress = silent,
) -> ExportResult:
    """Write every form that the settings name under `out`, with an `export.json`.

    GGUF goes to `out/<name>-<type>.gguf` with a Modelfile and SERVING.md next to it, hf to
    `out/<name>/`, the others to `out/<name>-<form>/`. A form that is already there is kept if it
    was made from this merge with these settings. `out` holds the exports of one merge only.

    Args:
        settings: the formats, and what some of them need.
        merged: the merged checkpoint's folder.
        out: target folder.
        chunks: the corpus's chunks, for awq and gptq.
        examples: the training examples; awq and gptq are calibrated on the chunks they come from.
        cache: folder of the exporters' environments; None: the user's.
        progress: receives the steps done of each form.

    Returns the bytes of each form.

    Raises UserError as the exporters do, and where `out` holds another export.
    """
    out.mkdir(parents=True, exist_ok=True)
    record = read_object_if_present(merged / RECORD)
    name = text_at(record, "name") or merged.resolve().name
    merge = text_at(object_at(record, "merge"), "fingerprint") or base_sha256(merged)
    done = read_export_list(out)
    if any(facts.get("made_from", {}).get("merge") != merge for facts in done.values()):
        raise _other_export("the target holds another merge's export", out)
    for form in settings.formats:
        kind = "gguf-q8_0" if form == "gguf" else form
        made_from: JsonObject = {"merge": merge, **_content_settings(kind, settings)}
        if kind in done and exported_path(out, done[kind]).exists():
            if done[kind]["made_from"] != made_from:
                raise _other_export(f"the target holds {kind} made with other settings", out)
            path = exported_path(out, done[kind])
            if path.suffix == ".gguf" and not modelfile_path(path).exists():
                _add_modelfile(done[kind], merged, path)
                write_json(out / EXPORT_LIST, done)
            continue
        if kind == "bnb-4bit":
            facts = to_bnb4(merged, out / f"{name}-bnb-4bit", progress=progress)
        elif kind == "hf":
            facts = to_hf(merged, out / name, progress=progress)
        elif kind in METHODS:
            facts = to_compressed(
                merged,
                out / f"{name}-{kind}",
                kind,
                calibration_texts(chunks, examples) if chunks and examples else [],
                samples=settings.calibration_samples,
                tokens=settings.calibration_tokens,
                environments=_path(settings.environments),
                cache=cache,
                progress=progress,
            )
        else:
            out_type = kind.removeprefix("gguf-")
            facts = to_gguf(
                merged,
                out / f"{name}-{out_type}.gguf",
                out_type=out_type,
                quantizer=_path(settings.quantizer),
                environments=_path(settings.environments),
                cache=cache,
                progress=progress,
            )
        if kind.startswith("gguf"):
            _add_modelfile(facts, merged, exported_path(out, facts))
        done[kind] = {**facts, "made_from": made_from}
        write_json(out / EXPORT_LIST, done)
    return ExportResult({form: facts["bytes"] for form, facts in done.items()})


def _add_modelfile(facts: ExportFacts, merged: Path, gguf: Path) -> None:
    facts["modelfile"], facts["modelfile_template"] = write_modelfile(merged, gguf)


def _path(named: str | None) -> Path | None:
    return Path(named) if named else None


def _content_settings(kind: str, settings: ExportSettings) -> JsonObject:
    """Return the settings that decide the content of a form's file."""
    if kind in METHODS:
        return settings.model_dump(include={"calibration_samples", "calibration_tokens"})
    return settings.model_dump(include={"quantizer"}) if kind == "gguf-q4_k_m" else {}


def _other_export(message: str, out: Path) -> UserError:
    return UserError(message, where=str(out), remedy="name another folder, or delete this one")
