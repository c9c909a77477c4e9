"""Get the wheels of a bundle with pip, and check that pip can install them without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

import kofinlaw
from kofinlaw import Progress, UserError, silent
from kofinlaw.files import sha256_file, write_text
from kofinlaw.recipes.bundling.packages import OWN, Pinned, required_by
from kofinlaw.recipes.bundling.target import Target

__all__ = [
    "REQUIREMENTS",
    "Wheel",
    "build_own_wheel",
    "download_wheels",
    "missing_requirements",
    "read_wheel",
    "source_tree",
    "write_requirements",
]

REQUIREMENTS = "requirements.txt"
AT_ONCE = 2  # processes of pip
GROUP = 16  # packages that one of them downloads
# What pip says if no wheel fits the target; everything else is an error of its own.
_NO_WHEEL = ("No matching distribution found", "Could not find a version that satisfies")
_QUIET = ["--disable-pip-version-check", "--no-input", "--quiet"]


@dataclass(frozen=True)
class Wheel:
    """A wheel, with the metadata of its package.

    `built_here` says that it is published as source only and was built on this machine.
    """

    path: Path
    name: str
    version: str
    metadata: Message
    sha256: str
    built_here: bool = False

    @property
    def requires(self) -> list[str]:
        """The requirements of the package, with their markers."""
        return [str(line) for line in self.metadata.get_all("Requires-Dist") or ()]


def download_wheels(
    packages: Sequence[Pinned], target: Target, folder: Path, progress: Progress = silent
) -> list[Wheel]:
    """Download the wheel of each package into `folder`, as pip is configured on this machine.

    Raises UserError for a package that has no wheel for the target, and for what pip reports.
    """
    _require_pip()
    folder.mkdir(parents=True, exist_ok=True)
    # First those whose installed wheel does not fit: one of them may have no other wheel.
    doubtful = [one for one in packages if one.glibc > target.glibc]
    wheels = [wheel for one in doubtful for wheel in _get_wheels([one], target, folder)]
    others = [one for one in packages if one.glibc <= target.glibc]
    groups = [others[start : start + GROUP] for start in range(0, len(others), GROUP)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(_get_wheels, group, target, folder) for group in groups]
        try:
            for job in as_completed(jobs):
                wheels += job.result()
                progress("wheels", len(wheels), len(packages))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(wheels, key=lambda wheel: wheel.name)


def _get_wheels(packages: Sequence[Pinned], target: Target, folder: Path) -> list[Wheel]:
    """Download the wheels of some packages; one by one, if pip finds no wheel of one of them."""
    with tempfile.TemporaryDirectory(prefix=".", dir=folder) as made:
        own = Path(made)
        done = _download(packages, target, own)
        if not done.returncode:
            return [_checked(path, target, folder, False) for path in sorted(own.glob("*.whl"))]
        if not _finds_no_wheel(done):
            raise UserError(f"pip could not download wheels: {_last_lines(done.stderr)}")
        if len(packages) == 1:
            return [_built_wheel(packages[0], target, own, folder)]
    return [wheel for one in packages for wheel in _get_wheels([one], target, folder)]


def _download(
    packages: Sequence[Pinned], target: Target, own: Path
) -> subprocess.CompletedProcess[str]:
    options = ["--no-deps", "--only-binary", ":all:", "--dest", str(own), *target.pip_options()]
    named = [f"{one.name}=={one.version}" for one in packages]
    return _pip(["download", *options, *named], own)


def _built_wheel(package: Pinned, target: Target, own: Path, folder: Path) -> Wheel:
    """Let pip build the wheel of a package that is published as source only."""
    named = f"{package.name}=={package.version}"
    done = _pip(["wheel", "--no-deps", "--wheel-dir", str(own), named], own)
    if _finds_no_wheel(done):
        raise UserError(
            f"pip finds no wheel and no source of {named}",
            remedy="let pip use the index that it was installed from: PIP_EXTRA_INDEX_URL or "
            "PIP_FIND_LINKS",
        )
    if done.returncode:
        raise UserError(
            f"{named} is published as source only, and pip could not build its wheel: "
            f"{_last_lines(done.stderr)}"
        )
    (found,) = own.glob("*.whl")
    return _checked(found, target, folder, True)


def _finds_no_wheel(done: subprocess.CompletedProcess[str]) -> bool:
    return done.returncode != 0 and any(words in done.stderr for words in _NO_WHEEL)


def _checked(found: Path, target: Target, folder: Path, built_here: bool) -> Wheel:
    """Move a wheel into `folder`. Raises UserError if the target cannot install it."""
    name, version, _, tags = parse_wheel_filename(found.name)
    if not tags & target.tags():
        raise UserError(
            f"{name} {version} has no wheel for Python {target.python} on {target.platform}",
            remedy=f"pip gets {found.name} only, which belongs to this machine: name a --platform "
            "with a newer glibc, or install a version with such a wheel",
        )
    path = folder / found.name
    os.replace(found, path)
    return read_wheel(path, built_here=built_here)


def _pip(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run pip; its temporary files lie in `folder`, on the disk that was found large enough."""
    environment = {**os.environ, "TMPDIR": str(folder)}
    command = [sys.executable, "-m", "pip", arguments[0], *_QUIET, *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def _require_pip() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True)
    if done.returncode:
        raise UserError(
            "this environment has no pip, which downloads the wheels",
            where=sys.executable,
            remedy="python -m ensurepip, or uv pip install pip",
        )


def _last_lines(text: str) -> str:
    return " ".join(text.strip().splitlines()[-3:])


def read_wheel(path: Path, *, built_here: bool = False) -> Wheel:
    """Read name, version and metadata of a wheel.

    Raises UserError for a file that is no wheel.
    """
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
        with zipfile.ZipFile(path) as archive:
            entries = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
            text = archive.read(entries[0]).decode("utf-8", "replace")
    except (InvalidWheelFilename, zipfile.BadZipFile, IndexError) as error:
        raise UserError(f"this is not a wheel: {error}", where=str(path)) from error
    return Wheel(path, name, str(version), Parser().parsestr(text), sha256_file(path), built_here)


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
    _require_pip()
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / ".kofinlaw.tmp"
    shutil.rmtree(copy, ignore_errors=True)
    _copy_sources(sources, copy)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    done = _pip(["wheel", *options, str(copy)], copy)
    if done.returncode:
        raise UserError(
            f"kofinlaw's wheel could not be built: {_last_lines(done.stderr)}",
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


def missing_requirements(wheels: Iterable[Wheel], target: Target) -> list[str]:
    """Return what the wheels require on the target and the set does not hold, one line each.

    The requirements are those in the wheels themselves, with the extras that other wheels ask for.
    """
    held = {canonicalize_name(wheel.name): wheel for wheel in wheels}
    waiting = [(name, "") for name in held]
    seen: set[tuple[str, str]] = set()
    lines = []
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for needed in required_by(held[canonicalize_name(name)].requires, target, extra):
            other = canonicalize_name(needed.name)
            if other not in held:
                lines.append(f"{name} needs {needed.name}{needed.specifier}, which is not there")
                continue
            if not needed.specifier.contains(held[other].version, prereleases=True):
                lines.append(
                    f"{name} needs {needed.name}{needed.specifier}, and {held[other].version} "
                    "is there"
                )
            waiting += [(other, one) for one in sorted(needed.extras)]
    return sorted(set(lines))


def write_requirements(wheels: Iterable[Wheel], path: Path) -> None:
    """Write the list from which pip installs the wheels, each with its SHA-256."""
    lines = [
        f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}"
        for wheel in sorted(wheels, key=lambda wheel: wheel.name)
    ]
    write_text(path, "\n".join(lines) + "\n")
