"""Get the wheels of a bundle with pip, and check that pip can install them without a network."""

from __future__ import annotations

import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import sha256_file, write_text
from kofinlaw.recipes.bundling.packages import Pinned, required_by
from kofinlaw.recipes.bundling.pip_calls import finds_no_wheel, last_lines, require_pip, run_pip
from kofinlaw.recipes.bundling.target import Target

__all__ = [
    "REQUIREMENTS",
    "Wheel",
    "download_wheels",
    "missing_requirements",
    "read_wheel",
    "write_requirements",
]

REQUIREMENTS = "requirements.txt"
AT_ONCE = 2  # processes of pip
GROUP = 16  # packages that one of them downloads


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

    Where the pinned version has no wheel for the target, the newest older one that the other
    packages allow is taken. Raises UserError for a package without any, and for what pip reports.
    """
    require_pip()
    folder.mkdir(parents=True, exist_ok=True)
    # First those whose installed wheel does not fit: one of them may have no other wheel.
    doubtful = [one for one in packages if not one.fits(target)]
    wheels = [wheel for one in doubtful for wheel in _get_wheels([one], target, folder)]
    others = [one for one in packages if one.fits(target)]
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
        done = _download([f"{one.name}=={one.version}" for one in packages], target, own)
        if not done.returncode:
            return [_checked(path, target, folder, False) for path in sorted(own.glob("*.whl"))]
        if not finds_no_wheel(done):
            raise UserError(f"pip could not download wheels: {last_lines(done.stderr)}")
        if len(packages) == 1:
            return [_other_wheel(packages[0], target, own, folder)]
    return [wheel for one in packages for wheel in _get_wheels([one], target, folder)]


def _download(named: Sequence[str], target: Target, own: Path) -> subprocess.CompletedProcess[str]:
    options = ["--no-deps", "--only-binary", ":all:", "--dest", str(own), *target.pip_options()]
    return run_pip(["download", *options, *named], own)


def _other_wheel(package: Pinned, target: Target, own: Path, folder: Path) -> Wheel:
    """Return the wheel of a package of which pip has none for the target: one that is built here,
    or that of an older version.

    Raises UserError if pip does not know the version at all: an older one would hide that.
    """
    named = f"{package.name}=={package.version}"
    done = run_pip(["wheel", "--no-deps", "--wheel-dir", str(own), named], own)
    if finds_no_wheel(done):
        raise UserError(
            f"pip finds no wheel and no source of {named}",
            remedy="let pip use the index that it was installed from: PIP_EXTRA_INDEX_URL or "
            "PIP_FIND_LINKS",
        )
    try:
        return _built_wheel(named, done, target, own, folder)
    except UserError:
        for path in own.glob("*.whl"):
            path.unlink()
        older = package.older
        if not older or _download([older], target, own).returncode:
            raise
        (found,) = own.glob("*.whl")
        return _checked(found, target, folder, False)


def _built_wheel(
    named: str,
    done: subprocess.CompletedProcess[str],
    target: Target,
    own: Path,
    folder: Path,
) -> Wheel:
    """Return the wheel that pip built from a source, or the one that it has for this machine."""
    if done.returncode:
        raise UserError(
            f"{named} is published as source only, and pip could not build its wheel: "
            f"{last_lines(done.stderr)}"
        )
    (found,) = own.glob("*.whl")
    return _checked(found, target, folder, True)


def _checked(found: Path, target: Target, folder: Path, built_here: bool) -> Wheel:
    """Move a wheel into `folder`. Raises UserError if the target cannot install it."""
    name, version, _, tags = parse_wheel_filename(found.name)
    if not tags & target.tags():
        raise UserError(
            f"{name} {version} has no wheel for Python {target.python} on {target.platform}",
            remedy=f"pip gets {found.name} only, which belongs to this machine: name a --platform "
            f"with a newer glibc, or another version with such a wheel: --use {name}==VERSION",
        )
    wanted = str(read_wheel(found).metadata.get("Requires-Python") or "")
    if not target.runs(wanted):
        raise UserError(
            f"{name} {version} needs Python {wanted}, and the target has {target.full_python}",
            remedy=f"name another --python, or another version: --use {name}==VERSION",
        )
    path = folder / found.name
    os.replace(found, path)
    return read_wheel(path, built_here=built_here)


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
