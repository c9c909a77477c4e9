"""Find the local folder of a model, offline unless a download is allowed."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import sha256_file
from kofinlaw.models import quickstart
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.folder_checks import check_folder
from kofinlaw.models.licences.texts import DOWNLOADED_TEXTS
from kofinlaw.models.settings import ModelSettings

__all__ = [
    "DOWNLOADED",
    "hub_folder",
    "local_folder",
    "model_folder",
    "package_folder",
    "weight_hashes",
]

# Files of a hub repository to download: no pickled weights and no code.
DOWNLOADED = ["*.safetensors", "*.json", "*.jinja", "tokenizer.model", *DOWNLOADED_TEXTS]


def model_folder(
    settings: ModelSettings,
    *,
    offline: bool = True,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Path:
    """Return the local folder with the model's weights.

    It looks in this order: `settings.path`; the package that contains the model; a local folder of
    this name; the hub's local cache; and, if `offline` is false, a download of safetensors and
    configuration files only. `cache` is the folder of prepared models.

    Raises: UserError that says how to get the model.
    """
    if settings.path is not None:
        check_folder(settings.path)
        return settings.path
    card = lookup_model(settings.id)
    name = card.id if card is not None else settings.id
    if card is not None and card.id == quickstart.MODEL_ID and settings.revision is None:
        return quickstart.quickstart_model(cache, progress)
    if (Path(settings.id) / "config.json").exists():
        check_folder(Path(settings.id))
        return Path(settings.id)
    found = hub_folder(name, settings.revision, local_only=True)
    if found is None and not offline:
        progress(f"download {name}", 0, 1)
        found = hub_folder(name, settings.revision, local_only=False)
        progress(f"download {name}", 1, 1)
    if found is None:
        pin = f" --revision {settings.revision}" if settings.revision else ""
        raise UserError(
            f"the weights of {name} are not on this machine",
            where="model.id",
            remedy=f"run `hf download {name}{pin}` on a machine with a network, set `model.path` "
            "to a local folder, or set `offline: false`",
        )
    check_folder(found)
    return found


def local_folder(settings: ModelSettings, *, cache: Path | None = None) -> Path | None:
    """Return the model's folder, or None if it must be downloaded or converted first."""
    if settings.path is not None:
        return settings.path if (settings.path / "config.json").exists() else None
    card = lookup_model(settings.id)
    if card is not None and card.id == quickstart.MODEL_ID and settings.revision is None:
        return quickstart.converted_folder(cache)
    if (Path(settings.id) / "config.json").exists():
        return Path(settings.id)
    name = card.id if card is not None else settings.id
    return hub_folder(name, settings.revision, local_only=True)


def weight_hashes(
    name: str, *, folder: Path | None = None, cache: Path | None = None
) -> dict[str, str]:
    """Return the SHA-256 of each weight file by file name; empty if it is not on this machine.

    Files in the hub's cache are named by their hash, which is used without computing it again. The
    quickstart model has the hash that its package was published with.
    """
    card = lookup_model(name)
    if folder is None and card is not None and card.id == quickstart.MODEL_ID:
        return {quickstart.GGUF_NAME: quickstart.GGUF_SHA256}
    pattern, found = "*.safetensors", folder
    if found is None and card is not None and card.ships_as:
        pattern, found = "*.bin", package_folder(card.ships_as)
    if found is None:
        pattern = "*.safetensors"
        named = Path(name)
        embedder = (named / "modules.json").is_file()  # without a config.json if it is static
        found = named if embedder else local_folder(ModelSettings(id=name), cache=cache)
    if found is None:
        return {}
    hashes = {}
    # An embedder keeps weights in the folders of its modules too.
    files = found.rglob if (found / "modules.json").is_file() else found.glob
    for file in sorted(files(pattern)):
        blob = file.resolve().name
        published = file.is_symlink() and re.fullmatch("[0-9a-f]{64}", blob)
        hashes[file.relative_to(found).as_posix()] = blob if published else sha256_file(file)
    return hashes


def package_folder(package: str) -> Path | None:
    """Return the folder of an installed package that contains weights, without importing it."""
    spec = find_spec(package.replace("-", "_"))
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def hub_folder(name: str, revision: str | None, *, local_only: bool) -> Path | None:
    """Return a complete snapshot of a hub repository, or None if the local cache has none.

    Raises: UserError if a download fails; the files downloaded so far are kept for the next try.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                name, revision=revision, local_files_only=local_only, allow_patterns=DOWNLOADED
            )
        )
    except (LocalEntryNotFoundError, FileNotFoundError, HFValidationError) as error:
        if local_only:
            return None
        raise UserError(f"downloading {name} failed: {error}", remedy="run again") from error
    except Exception as error:
        if local_only:
            raise
        raise UserError(
            f"downloading {name} failed: {error}",
            remedy="run again (downloaded files are kept), or use `hf download` yourself",
        ) from error
    return folder if (folder / "config.json").exists() else None
