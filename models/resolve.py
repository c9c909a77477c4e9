"""From a model's name to a local folder, without asking the network."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.models import quickstart
from kofinlaw.models.cache import sha256_file
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.folder_checks import check_folder
from kofinlaw.models.settings import ModelSettings

WANTED = ["*.safetensors", "*.json", "*.jinja", "tokenizer.model", "LICENSE*"]


def model_folder(
    settings: ModelSettings,
    *,
    offline: bool = True,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Path:
    """The local folder with the model's weights.

    In this order: `settings.path`; the package that ships the model; the hub's local cache; and,
    with `offline` false, a download of safetensors and configuration only. `cache` is where
    packaged models are prepared. Raises UserError that says how to get the model.
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
            remedy=f"run `hf download {name}{pin}` where there is a network, set `model.path` to a "
            "local folder, or set `offline: false`",
        )
    check_folder(found)
    return found


def local_folder(settings: ModelSettings, *, cache: Path | None = None) -> Path | None:
    """The model's folder where it is ready to use; None where it must be fetched or converted."""
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
    """SHA-256 of each weight file of a model on this machine by file name; empty if it is not.

    Files of the hub's cache are named by their hash, which is taken as it stands; a packaged model
    gives the hash its package was published with.
    """
    card = lookup_model(name)
    if folder is None and card is not None and card.id == quickstart.MODEL_ID:
        return {quickstart.GGUF_NAME: quickstart.GGUF_SHA256}
    pattern, found = "*.safetensors", folder
    if found is None and card is not None and card.ships_as:
        pattern, found = "*.bin", _package_folder(card.ships_as)
    if found is None:
        pattern = "*.safetensors"
        found = local_folder(ModelSettings(id=name), cache=cache)
    if found is None:
        return {}
    hashes = {}
    for file in sorted(found.glob(pattern)):
        blob = file.resolve().name
        published = file.is_symlink() and re.fullmatch("[0-9a-f]{64}", blob)
        hashes[file.name] = blob if published else sha256_file(file)
    return hashes


def _package_folder(package: str) -> Path | None:
    """Where a package that carries weights lies; it is not imported."""
    spec = find_spec(package.replace("-", "_"))
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def hub_folder(name: str, revision: str | None, *, local_only: bool) -> Path | None:
    """A whole snapshot of a hub repository; None where it is not in the local cache.

    Raises UserError where a download fails; what was fetched is kept for the next try.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                name, revision=revision, local_files_only=local_only, allow_patterns=WANTED
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
            remedy="run again: what was fetched is kept; or download it by hand with `hf download`",
        ) from error
    return folder if (folder / "config.json").exists() else None
