"""Upload an export to the Hugging Face Hub, only with an explicitly named repository and token."""

from __future__ import annotations

import os
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.trainer.export.export_result import exported_path, read_export_list

__all__ = ["check_push", "push_export", "upload"]


def check_push(repository: str | None, token: str | None) -> None:
    """Raise UserError without an explicit repository (`owner/name`) and token, and offline."""
    if not repository or repository.count("/") != 1 or not token:
        raise UserError(
            "nothing is uploaded without an explicit repository and token",
            where="--push",
            remedy="name both: --push OWNER/NAME --token TOKEN",
        )
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        raise UserError("this run is offline: nothing is uploaded", where="--push")


def push_export(exports: Path, form: str, repository: str, token: str) -> str:
    """Upload one form that `exports/export.json` lists, as `upload` does; returns the address."""
    return upload(exported_path(exports, read_export_list(exports)[form]), repository, token)


def upload(source: Path, repository: str | None, token: str | None, *, private: bool = True) -> str:
    """Upload `source` (a checkpoint, an export's folder or a .gguf file); returns the address.

    An absent repository is created, `private` by default. A token saved on this machine or in the
    environment is never used. Raises UserError as `check_push` does, where there is nothing to
    upload, and where the Hub refuses.
    """
    check_push(repository, token)
    if not source.exists():
        raise UserError("there is nothing to upload", where=str(source))
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    hub = HfApi(token=token)
    name = str(repository)
    try:
        address = hub.create_repo(name, private=private, exist_ok=True)
        if source.is_dir():
            hub.upload_folder(repo_id=name, folder_path=source)
        else:
            hub.upload_file(repo_id=name, path_or_fileobj=source, path_in_repo=source.name)
    except (HfHubHTTPError, OSError) as error:
        raise UserError(f"the upload failed: {error}", where=name) from error
    return str(address)
