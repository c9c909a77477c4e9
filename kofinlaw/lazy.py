"""Export public names from a package without importing their modules (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["lazy_exports"]


def lazy_exports(
    package: str, exports: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the functions `__getattr__` and `__dir__` of a package.

    Args:
        package: Name of the package, its `__name__`.
        exports: Public name to `module`, or to `module:name` where the name there is another one.

    A name is imported when it is first used; `dir` lists the package's `__all__`. Raises nothing;
    the returned `__getattr__` raises AttributeError for a name that is not exported.
    """

    def get(name: str) -> object:
        if name not in exports:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, _, real = exports[name].partition(":")
        return getattr(import_module(module), real or name)

    def names() -> list[str]:
        return sorted(sys.modules[package].__all__)

    return get, names
