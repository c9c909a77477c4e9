"""Build kofinlaw's own wheel from its source tree."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import kofinlaw
from kofinlaw import UserError
from kofinlaw.recipes.bundling.packages import OWN
from kofinlaw.recipes.bundling.pip_calls import last_lines, require_pip, run_pip
from kofinlaw.recipes.bundling.wheels import Wheel, read_wheel

__all__ = ["build_own_wheel", "source_tree"]


def source_tree() -> Path | None:
    """Return the folder of kofinlaw's sources, from which its wheel is built; None without one."""
    folder = Path(kofinlaw.__file__).resolve().parents[1]
    try:
        config = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return None
    return folder if config.get("project", {}).get("name") == OWN else None


def build_own_wheel(folder: Path, sources: Path | None = None) -> Wheel:
    """Build kofinlaw's wheel from its sources, without a network and without writing into them.

    `sources` None is the tree that runs now. Raises UserError without such a tree, or if the build
    fails.
    """
    sources = sources or source_tree()
    if sources is None:
        raise UserError(
            "kofinlaw is installed without its source tree, from which its wheel is built",
            where=str(Path(kofinlaw.__file__).parent),
            remedy="install it with `pip install -e .` in its source tree",
        )
    require_pip()
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / ".kofinlaw.tmp"
    shutil.rmtree(copy, ignore_errors=True)
    _copy_sources(sources, copy)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    done = run_pip(["wheel", *options, str(copy)], copy)
    if done.returncode:
        raise UserError(
            f"kofinlaw's wheel could not be built: {last_lines(done.stderr)}",
            where=str(sources),
            remedy="pip install 'setuptools>=77'",
        )
    shutil.rmtree(copy)
    (found,) = folder.glob(f"{OWN}-*.whl")
    return read_wheel(found, built_here=True)


def _copy_sources(sources: Path, copy: Path) -> None:
    """Copy what the wheel is built from: the files of pyproject.toml and the package folders."""
    config = tomllib.loads((sources / "pyproject.toml").read_text(encoding="utf-8"))
    folders = config["tool"]["setuptools"]["package-dir"].values()
    unused = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    copy.mkdir()
    for name in folders:
        # `kofinlaw/` has links to the other folders for editable installations.
        shutil.copytree(sources / name, copy / name, symlinks=True, ignore=unused)
    for name in ("pyproject.toml", "README.md", *config["project"]["license-files"]):
        shutil.copy2(sources / name, copy / name)
