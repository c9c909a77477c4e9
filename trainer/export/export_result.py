"""Define the record of an export: the facts of each form, as `export.json` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Required, TypedDict, cast

from kofinlaw.trainer.merge.json_objects import JsonObject, read_object_if_present

__all__ = ["EXPORT_LIST", "ExportFacts", "ExportResult", "exported_path", "read_export_list"]

EXPORT_LIST = "export.json"


class ExportFacts(TypedDict, total=False):
    """One written form. It is a `folder` or a `file`, relative to the export's folder.

    `bytes` are those of the weights; `made_from` is the merge and the settings that decide the
    content. `modelfile` is the Modelfile of a GGUF, `modelfile_template` what was verified of it.
    """

    folder: str
    file: str
    out_type: str
    bytes: Required[int]
    sha256: str
    vocabulary: str
    calibration_texts: int
    modelfile: str
    modelfile_template: str
    made_from: JsonObject


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The size in bytes of every form in the export's folder, by the form's name."""

    bytes_by_form: dict[str, int]

    def to_record(self) -> dict[str, object]:
        """Return the sizes as flat JSON values."""
        return {f"{form} bytes": size for form, size in self.bytes_by_form.items()}


def read_export_list(folder: Path) -> dict[str, ExportFacts]:
    """Return the forms that `export.json` of a folder lists; empty where there is no such file."""
    listed = read_object_if_present(folder / EXPORT_LIST)
    return cast("dict[str, ExportFacts]", listed)  # only `export_model` writes this file


def exported_path(folder: Path, facts: ExportFacts) -> Path:
    """Return the path of a form that `export.json` lists."""
    return folder / (facts.get("file") or facts["folder"])
