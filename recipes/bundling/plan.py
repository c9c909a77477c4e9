"""Say what a bundle will hold, how large it is and what is missing, before any work."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import Distribution, distribution
from pathlib import Path

from kofinlaw import Progress, silent
from kofinlaw.recipes.bundling.own_wheel import source_tree
from kofinlaw.recipes.bundling.packages import PackageSet, package_set
from kofinlaw.recipes.bundling.place import free_parent
from kofinlaw.recipes.bundling.run_parts import RunParts, run_parts
from kofinlaw.recipes.bundling.target import Target, target_of
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.units import GIB

__all__ = ["BundlePlan", "Environment", "Wanted", "make_plan"]

# Wheels take less than half of the installed files; pip holds each twice while it downloads.
_WHEEL_SHARE = 0.45
_MOST_NAMED = 10


@dataclass(frozen=True)
class Wanted:
    """What a user wants of a bundle.

    - `python` is the version of the target (3.11 or 3.11.2), `platform` that of its wheels. Without
      a platform it is the oldest one, from glibc 2.28 on, that the wheels installed here fit.
    - `extras` of kofinlaw are added.
    - `use` gives other versions than the installed ones, by name.
    """

    python: str
    platform: str | None = None
    extras: tuple[str, ...] = ()
    use: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Environment:
    """Where packages are looked up by name, and kofinlaw's sources; this environment by default."""

    find: Callable[[str], Distribution] = distribution
    sources: Path | None = field(default_factory=source_tree)


@dataclass(frozen=True)
class BundlePlan:
    """What a bundle takes from the run and from this environment, and what is missing.

    `wheel_bytes` is an estimate; `free_bytes` are those of the disk that the bundle is written to.
    """

    target: Target
    parts: RunParts
    packages: PackageSet
    wheel_bytes: int
    free_bytes: int
    problems: tuple[str, ...]

    @property
    def needed_bytes(self) -> int:
        """The space that is needed while the bundle is written."""
        return self.parts.bytes + 2 * self.wheel_bytes

    def lines(self) -> list[str]:
        """Return the plan as lines for a terminal."""
        torch = self.packages.version_of("torch")
        packages = self.packages.packages
        found = [
            f"for Python {self._oldest_python()} and newer on {self.target.platform} and newer",
            f"wheels: {len(packages) + 1}, about {self.wheel_bytes / GIB:.1f} GiB; "
            f"torch {torch or 'is missing'}"
            + (", which uses no card" if torch.endswith("+cpu") else ""),
            f"files of the run: {len(self.parts.files)}, {self.parts.bytes / GIB:.2f} GiB",
        ]
        found += [f"  {one.role}: {one.name} → {one.place}" for one in self.parts.models]
        found += [f"  {note}" for note in self.parts.notes]
        found += [
            f"  {one.name} {one.version}: not the version that is installed here ({one.installed})"
            for one in packages
            if not one.tested
        ]
        found += [
            f"  {one.name} {one.version}: the wheel that is installed here needs "
            f"{one.needs(self.target)}; {one.older_text}"
            for one in packages
            if not one.fits(self.target)
        ]
        found += [f"  left out, not loaded: {name}" for name in self.parts.left_out]
        found.append(
            f"disk: about {self.needed_bytes / GIB:.1f} GiB needed, "
            f"{self.free_bytes / GIB:.1f} GiB free"
        )
        return found + [f"MISSING: {one}" for one in self.problems]

    def _oldest_python(self) -> str:
        """Return the oldest Python that all installed wheels of the plan run on."""
        fitting = [one for one in self.packages.packages if one.tested and one.fits(self.target)]
        patch = self.target.oldest_patch(one.requires_python for one in fitting)
        return f"{self.target.python}.{patch or 0}"

    def to_record(self) -> dict[str, object]:
        """Return the plan for JSON."""
        return {
            "ok": not self.problems,
            "python": self.target.python,
            "platform": self.target.platform,
            "wheels": len(self.packages.packages) + 1,
            "wheel_bytes": self.wheel_bytes,
            "run_files": len(self.parts.files),
            "run_bytes": self.parts.bytes,
            "needed_bytes": self.needed_bytes,
            "free_bytes": self.free_bytes,
            "torch": self.packages.version_of("torch"),
            "packages": {one.name: one.version for one in self.packages.packages},
            "replaced": [one.name for one in self.packages.packages if not one.fits(self.target)],
            "notes": list(self.parts.notes),
            "left_out": list(self.parts.left_out),
            "problems": list(self.problems),
        }


def make_plan(
    run: Run,
    out: Path,
    wanted: Wanted,
    *,
    prepare: bool = False,
    environment: Environment | None = None,
    progress: Progress = silent,
) -> BundlePlan:
    """Return the plan of a bundle of a run in the folder `out`.

    `prepare` converts the base model if that is needed; without it nothing is written. Raises
    UserError for a Python version or a platform that bundles are not made for.
    """
    environment = environment or Environment()
    target = target_of(wanted.python, wanted.platform)
    parts = run_parts(run, prepare=prepare, progress=progress)
    packages = package_set(
        target,
        parts.packages,
        wanted.extras,
        wanted.use,
        environment.find,
        environment.sources,
    )
    if wanted.platform is None:
        target = replace(target, glibc=max(target.glibc, packages.glibc))
    size = int(_WHEEL_SHARE * sum(one.installed_bytes for one in packages.packages))
    parent = free_parent(out)
    free = shutil.disk_usage(parent).free
    problems = [*parts.problems, *packages.problems]
    if environment.sources is None:
        problems.append("kofinlaw is installed without its source tree: `pip install -e .` there")
    needed = parts.bytes + 2 * size
    if free < needed:
        problems.append(
            f"the disk of {parent} has {free / GIB:.1f} GiB free, and about {needed / GIB:.1f} GiB "
            "are needed"
        )
    return BundlePlan(target, parts, packages, size, free, tuple(problems))
