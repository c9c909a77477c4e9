"""Find the packages that a run needs to answer: the versions of this environment, with all that
they require on the target machine.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from kofinlaw import UserError
from kofinlaw.recipes.bundling.target import Target

__all__ = ["OWN", "PackageSet", "Pinned", "other_versions", "package_set", "required_by"]

OWN = "kofinlaw"
_USE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9._+!-]*)")
_MANYLINUX = re.compile(r"^Tag: \S*-manylinux_2_(\d+)_\w+$", re.MULTILINE)


@dataclass(frozen=True)
class Pinned:
    """A package and the version of its wheel.

    - `installed` is the version of this environment, which may be another one.
    - `installed_bytes` is what it takes here.
    - `glibc` is the minor version of glibc 2 that the installed wheel needs; 0 for pure Python.
    - `requires_python` is what the installed version says about Python.
    - `allowed` are the versions that the other packages allow. Empty: all.
    - `named` says that the version was named by the user.
    """

    name: str
    version: str
    installed: str = ""
    installed_bytes: int = 0
    glibc: int = 0
    requires_python: str = ""
    allowed: str = ""
    named: bool = False

    @property
    def older(self) -> str:
        """The requirement of an older version, if this one has no wheel for the target.

        Empty for a version that the user named, and for one of a build (`2.13.0+cpu`), which
        another build must not replace.
        """
        try:
            version = Version(self.version)
        except InvalidVersion:
            return ""
        if self.named or version.local:
            return ""
        return f"{self.name}{SpecifierSet(self.allowed) & SpecifierSet(f'<{version}')}"

    @property
    def older_text(self) -> str:
        """What the bundle does if the installed version has no other wheel for the target."""
        if self.older:
            return "pip looks for another one, or for the newest older version that has one"
        return "pip looks for another one"

    def needs(self, target: Target) -> str:
        """Return what the installed wheel needs and the target does not have."""
        if self.glibc > target.glibc:
            return f"glibc 2.{self.glibc}"
        return f"Python {self.requires_python}"

    def fits(self, target: Target) -> bool:
        """Return whether the wheel that is installed here can be installed on the target too."""
        if not self.tested:
            return True
        return self.glibc <= target.glibc and target.runs(self.requires_python)

    @property
    def tested(self) -> bool:
        """Whether the version is the one that is installed here."""
        return self.version == (self.installed or self.version)


@dataclass(frozen=True)
class PackageSet:
    """The packages of a bundle without kofinlaw, by name, and what is missing here."""

    packages: tuple[Pinned, ...]
    problems: tuple[str, ...]

    @property
    def glibc(self) -> int:
        """The minor version of glibc 2 that the wheels installed here need."""
        return max((one.glibc for one in self.packages if one.tested), default=0)

    def version_of(self, name: str) -> str:
        """Return the version of a package; empty if the set does not have it."""
        return next((one.version for one in self.packages if one.name == name), "")


def package_set(
    target: Target,
    packages: Iterable[str],
    extras: Iterable[str] = (),
    use: Mapping[str, str] | None = None,
    find: Callable[[str], Distribution] = distribution,
    sources: Path | None = None,
) -> PackageSet:
    """Return the installed packages that kofinlaw, its `extras` and the `packages` need.

    A requirement counts if its markers hold on the target. `use` gives another version than the
    installed one, by name. A package that is not installed here, or whose version another one
    refuses, is a problem. `sources` is the tree of kofinlaw's sources, whose requirements count if
    there is one. Raises UserError if there is none and kofinlaw is not installed.
    """
    use = use or {}
    found: dict[str, Pinned] = {}
    allowed: dict[str, SpecifierSet] = {}
    problems: list[str] = []
    own, known = _own_requirements(sources, find)
    problems += [f"kofinlaw has no extra {one!r}" for one in extras if one not in known]
    waiting = [(OWN, extra) for extra in ("", *extras)]
    waiting += [(canonicalize_name(name), "") for name in packages]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        lines = own
        if name != OWN:
            try:
                installed = find(name)
            except PackageNotFoundError:
                problems.append(f"{name} is not installed here: pip install {name}")
                continue
            found[name] = Pinned(
                name,
                use.get(name, installed.version),
                installed.version,
                _size(installed),
                _glibc(installed),
                _requires_python(installed),
                named=name in use,
            )
            lines = list(installed.requires or ())
        for needed in required_by(lines, target, extra):
            other = canonicalize_name(needed.name)
            allowed[other] = allowed.get(other, SpecifierSet()) & needed.specifier
            problems += _refused(name, needed, other, use, find)
            waiting += [(other, one) for one in ("", *sorted(needed.extras))]
    problems += [f"--use names {name}, which is not needed" for name in use if name not in found]
    whole = [replace(found[n], allowed=str(allowed.get(n, ""))) for n in sorted(found)]
    return PackageSet(tuple(whole), tuple(dict.fromkeys(sorted(problems))))


def required_by(lines: Iterable[str], target: Target, extra: str = "") -> Iterator[Requirement]:
    """Yield the requirements of a package, or of one of its extras, that hold on the target.

    `lines` are those of its metadata (`Requires-Dist`).
    """
    environment = {**target.environment(), "extra": extra}
    for line in lines:
        needed = Requirement(line)
        if needed.marker is None:
            holds = not extra
        else:
            holds = needed.marker.evaluate(environment)
            if extra and holds:  # without the extra it was yielded before
                holds = not needed.marker.evaluate({**environment, "extra": ""})
        if holds:
            yield needed


def _own_requirements(
    sources: Path | None, find: Callable[[str], Distribution]
) -> tuple[list[str], frozenset[str]]:
    """Return the requirements of kofinlaw, as its metadata has them, and the names of its extras.

    The metadata of an editable installation are those of the day on which it was installed.
    """
    if sources is not None:
        config = tomllib.loads((sources / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = config.get("optional-dependencies", {})
        lines = list(config.get("dependencies", ()))
        for extra, more in extras.items():
            for line in more:
                needed, _, marker = str(line).partition(";")
                also = f"({marker}) and " if marker.strip() else ""
                lines.append(f"{needed}; {also}extra == '{extra}'")
        return lines, frozenset(extras)
    try:
        own = find(OWN)
    except PackageNotFoundError as error:
        raise UserError(
            "kofinlaw is not installed in this environment, so its requirements are not known",
            remedy="pip install -e . in its source tree",
        ) from error
    return list(own.requires or ()), frozenset(own.metadata.get_all("Provides-Extra") or ())


def other_versions(values: Iterable[str]) -> dict[str, str]:
    """Return the versions of `--use NAME==VERSION` by name.

    Raises UserError for another form.
    """
    found: dict[str, str] = {}
    for value in values:
        match = _USE.fullmatch(value)
        if match is None:
            raise UserError(
                f"this is not a package with its version: {value!r}",
                where="--use",
                remedy="write NAME==VERSION, as llguidance==1.6.1",
            )
        found[canonicalize_name(match[1])] = match[2]
    return found


def _refused(
    name: str,
    needed: Requirement,
    other: str,
    use: Mapping[str, str],
    find: Callable[[str], Distribution],
) -> list[str]:
    """Return why the version of a requirement does not do; empty if it does."""
    try:
        version = use.get(other) or find(other).version
    except PackageNotFoundError:
        return []  # reported when it is looked for
    if needed.specifier.contains(version, prereleases=True):
        return []
    where = "named by --use" if other in use else "installed here"
    return [f"{name} needs {needed.name}{needed.specifier}, and {version} is {where}"]


def _requires_python(installed: Distribution) -> str:
    found = installed.metadata.get_all("Requires-Python") or [""]
    return str(found[0])


def _size(installed: Distribution) -> int:
    return sum(file.size or 0 for file in installed.files or ())


def _glibc(installed: Distribution) -> int:
    """Return the oldest glibc for which the installed wheel is tagged."""
    found = _MANYLINUX.findall(installed.read_text("WHEEL") or "")
    return min(map(int, found), default=0)
