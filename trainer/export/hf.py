"""Copy a merged checkpoint and check that its files still have the bytes that the merge wrote."""

from __future__ import annotations

import shutil
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import atomic_folder, sha256_file
from kofinlaw.models.weight_headers import INDEX_NAME, weight_files
from kofinlaw.trainer.export.export_result import ExportFacts
from kofinlaw.trainer.merge.adapter_files import RECORD
from kofinlaw.trainer.merge.json_objects import object_at, read_object_if_present
from kofinlaw.trainer.merge.merged_card import copy_companions

__all__ = ["to_hf"]


def to_hf(merged: Path, out: Path, *, progress: Progress = silent) -> ExportFacts:
    """Copy the safetensors shards and their companion files into the folder `out`.

    Every file that kofinlaw.json lists must still have the SHA-256 it was written with. Raises
    UserError for a target that is not empty, and for a file that was changed.
    """
    if out.exists() and any(out.iterdir()):
        raise UserError("the target folder is not empty", where=str(out))
    shards = weight_files(merged)
    record = read_object_if_present(merged / RECORD)
    with atomic_folder(out) as partial:
        copy_companions(merged, partial)
        for done, path in enumerate(shards):
            progress("export hf", done, len(shards), shard=path.name)
            shutil.copyfile(path, partial / path.name)
        for name in ("config.json", INDEX_NAME):
            if (merged / name).exists():
                shutil.copyfile(merged / name, partial / name)
        for name, digest in object_at(record, "files").items():
            copied = partial / name
            if not copied.exists() or sha256_file(copied) != digest:
                raise UserError(
                    f"{name} is not the file that the merge wrote",
                    where=str(merged),
                    remedy="merge again",
                )
    progress("export hf", len(shards), len(shards))
    return {"folder": out.name, "bytes": sum(path.stat().st_size for path in shards)}
