"""Describe the machine that a bundle is for: Python version, platform, tags of its wheels."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags

from kofinlaw import UserError

__all__ = ["Target", "default_python", "target_of"]

OLDEST_PYTHON = (3, 11)
LATE_PATCH = 99
OLDEST_GLIBC = {"x86_64": 5, "aarch64": 17}  # minor versions for which wheels are published
# The names of earlier standards (PEP 513, 571, 599) with the glibc that they mean.
LEGACY = ((17, "manylinux2014"), (12, "manylinux2010"), (5, "manylinux1"))
_PLATFORM = re.compile(r"manylinux_2_(\d{1,3})_(x86_64|aarch64)")
_PYTHON = re.compile(r"3\.(\d{1,3})(?:\.(\d{1,2}))?")


@dataclass(frozen=True)
class Target:
    """CPython 3.`minor` on Linux with glibc 2.`glibc` or newer, on `machine`.

    `patch` is the patch version of that Python, None if it was not named.
    """

    minor: int
    glibc: int
    machine: str
    patch: int | None = None

    @property
    def python(self) -> str:
        """The Python version, such as `3.11`."""
        return f"3.{self.minor}"

    @property
    def full_python(self) -> str:
        """A whole version: as named, else the one that runs now, or a late one of another minor
        version. Some packages refuse the first patch versions of a minor version.
        """
        here = sys.version_info
        if self.patch is not None:
            return f"3.{self.minor}.{self.patch}"
        return f"3.{self.minor}.{here.micro if self.minor == here.minor else LATE_PATCH}"

    @property
    def platform(self) -> str:
        """The platform of the newest wheels that are allowed."""
        return f"manylinux_2_{self.glibc}_{self.machine}"

    @property
    def platforms(self) -> list[str]:
        """All platforms whose wheels the machine runs, newest first."""
        found = []
        for minor in range(self.glibc, OLDEST_GLIBC[self.machine] - 1, -1):
            found.append(f"manylinux_2_{minor}_{self.machine}")
            found += [f"{name}_{self.machine}" for glibc, name in LEGACY if glibc == minor]
        return found

    def tags(self) -> frozenset[Tag]:
        """Return the tags of the wheels that the machine can install."""
        version = (3, self.minor)
        own = cpython_tags(version, platforms=self.platforms)
        return frozenset([*own, *compatible_tags(version, f"cp3{self.minor}", self.platforms)])

    def runs(self, requires_python: str) -> bool:
        """Return whether the target's Python is one that a package's `Requires-Python` allows."""
        return _allowed(requires_python).contains(self.full_python)

    def pip_options(self) -> list[str]:
        """Return the options with which pip chooses wheels for this machine."""
        options = ["--python-version", self.full_python, "--implementation", "cp"]
        options += ["--abi", f"cp3{self.minor}"]
        return options + [word for one in self.platforms for word in ("--platform", one)]

    def environment(self) -> dict[str, str]:
        """Return the values of the markers in requirements (PEP 508), without `extra`."""
        full = self.full_python
        return {
            "implementation_name": "cpython",
            "implementation_version": full,
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": full,
            "python_version": self.python,
            "sys_platform": "linux",
        }

    def oldest_patch(self, requirements: Iterable[str]) -> int | None:
        """Return the first patch version that all `Requires-Python` allow; None if none does."""
        wanted = [_allowed(one) for one in requirements]
        return next(
            (
                patch
                for patch in range(LATE_PATCH + 1)
                if all(one.contains(f"{self.python}.{patch}") for one in wanted)
            ),
            None,
        )


def _allowed(requires_python: str) -> SpecifierSet:
    """Return the versions that `Requires-Python` allows; pip ignores a value of another form."""
    try:
        return SpecifierSet(requires_python)
    except InvalidSpecifier:
        return SpecifierSet()


def default_python() -> str:
    """Return the Python version that runs now."""
    return f"3.{sys.version_info.minor}"


def target_of(python: str, platform_name: str | None = None) -> Target:
    """Return the target for `--python` and `--platform`; None is glibc 2.28 on this processor.

    Raises UserError for a Python version or a platform that bundles are not made for.
    """
    version = _PYTHON.fullmatch(python)
    if version is None or (3, int(version[1])) < OLDEST_PYTHON:
        raise UserError(
            f"no bundle is made for Python {python!r}",
            where="--python",
            remedy="name 3.11 or a newer version, as 3.11 or 3.11.2",
        )
    if platform_name is None:
        machine = platform.machine()
        platform_name = f"manylinux_2_28_{machine if machine in OLDEST_GLIBC else 'x86_64'}"
    found = _PLATFORM.fullmatch(platform_name)
    if found is None or int(found[1]) < OLDEST_GLIBC[found[2]]:
        raise UserError(
            f"no bundle is made for the platform {platform_name!r}",
            where="--platform",
            remedy="name manylinux_2_28_x86_64 or manylinux_2_28_aarch64; the numbers are the "
            "oldest glibc of the machine",
        )
    patch = int(version[2]) if version[2] is not None else None
    return Target(int(version[1]), int(found[1]), found[2], patch)
