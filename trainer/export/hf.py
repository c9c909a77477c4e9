"""The merged checkpoint as it stands, handed over by bytes that are still those of the merge."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import atomic_folder, sha256_file
from kofinlaw.trainer.base_identity import INDEX_NAME, weight_files
from kofinlaw.trainer.merge.adapter_files import read_object
from kofinlaw.trainer.merge.card import copy_companions

RECORD = "kofinlaw.json"


def to_hf(merged: Path, out: Path, *, progress: Progress = silent) -> dict[str, Any]:
    """Copy the sharded safetensors and what belongs to them into `out`.

    Every file that kofinlaw.json lists must still have the SHA-256 it was written with. Returns
    bytes. Raises UserError for a target that is not empty and a file that was changed.
    """
    if out.exists() and any(out.iterdir()):
        raise UserError("the target folder is not empty", where=str(out))
    shards = weight_files(merged)
    record = read_object(merged / RECORD) if (merged / RECORD).exists() else {}
    with atomic_folder(out) as partial:
        copy_companions(merged, partial)
        for done, path in enumerate(shards):
            progress("export hf", done, len(shards), shard=path.name)
            shutil.copyfile(path, partial / path.name)
        for name in ("config.json", INDEX_NAME):
            if (merged / name).exists():
                shutil.copyfile(merged / name, partial / name)
        for name, digest in record.get("files", {}).items():
            copied = partial / name
            if not copied.exists() or sha256_file(copied) != digest:
                raise UserError(
                    f"{name} is not the file that the merge wrote",
                    where=str(merged),
                    remedy="merge again",
                )
    progress("export hf", len(shards), len(shards))
    return {"folder": out.name, "bytes": sum(path.stat().st_size for path in shards)}
