"""A small bundle made by the real code: a pico run, a tiny kofinlaw and two tiny packages."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kofinlaw.recipes.bundling.plan import Environment, Wanted
from kofinlaw.recipes.bundling.write import write_bundle
from kofinlaw.recipes.pipeline.run import reopen

PYPROJECT = """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "kofinlaw"
version = "0.1.0"
requires-python = ">=3.11"
license = "Apache-2.0"
license-files = ["LICENSE"]
dependencies = ["tiny-lexer>=2", "torch", "tiny-windows; sys_platform == 'win32'"]

[project.optional-dependencies]
serve = ["tiny-server"]

[project.scripts]
kofinlaw = "kofinlaw.program:main"

[tool.setuptools]
packages = ["kofinlaw"]

[tool.setuptools.package-dir]
kofinlaw = "kofinlaw"
"""
PROGRAM = """
import sys

import tiny_lexer


def main():
    print("program", tiny_lexer.VERSION, *sys.argv[1:])
"""


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: tuple[str, ...] = (),
    licence: str | None = "MIT License\n",
    tag: str = "py3-none-any",
    more: str = "",
) -> Path:
    """Write a wheel with one module, as pip installs it."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {one}" for one in requires]
    files = {
        f"{module}/__init__.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": "\n".join(lines) + f"\n{more}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    if licence is not None:
        files[f"{info}/licenses/LICENSE"] = licence
    files[f"{info}/RECORD"] = "".join(f"{one},,\n" for one in [*files, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for where, text in files.items():
            archive.writestr(where, text)
    return path


def installed(folder: Path) -> Environment:
    """Return the packages whose wheels lie in `folder` as an environment that has them."""
    place = folder.parent / "installed-packages"
    shutil.rmtree(place, ignore_errors=True)
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)

    def find(name: str) -> importlib.metadata.Distribution:
        context = importlib.metadata.DistributionFinder.Context(name=name, path=[str(place)])
        found = next(iter(importlib.metadata.MetadataPathFinder.find_distributions(context)), None)
        if found is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return found

    return Environment(find, folder.parent / "sources")


@pytest.fixture(name="write_wheel", scope="session")
def _write_wheel():
    return write_wheel


@pytest.fixture(name="installed", scope="session")
def _installed():
    return installed


@pytest.fixture(scope="session")
def shelf(tmp_path_factory) -> Path:
    """A folder with the wheels that pip finds, and next to it the sources of a tiny kofinlaw."""
    root = tmp_path_factory.mktemp("shelf")
    sources = root / "sources"
    (sources / "kofinlaw").mkdir(parents=True)
    (sources / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (sources / "README.md").write_text("# tiny\n", encoding="utf-8")
    (sources / "LICENSE").write_text("Apache License 2.0\n", encoding="utf-8")
    (sources / "kofinlaw" / "__init__.py").write_text('__version__ = "0.1.0"\n', encoding="utf-8")
    (sources / "kofinlaw" / "program.py").write_text(PROGRAM, encoding="utf-8")
    wheels = root / "wheels"
    more = "Requires-Python: >=3.11.1\nLicense-Expression: MIT"
    write_wheel(wheels, "tiny-lexer", "2.1", requires=("tiny-tables>=1",), more=more)
    write_wheel(wheels, "tiny-tables", "1.0", licence=None)
    write_wheel(wheels, "tiny-server", "1.0")
    write_wheel(wheels, "torch", "2.13.0", licence="BSD\n")
    write_wheel(
        wheels,
        "kofinlaw",
        "0.1.0",
        requires=("tiny-lexer>=2", "torch", "tiny-server; extra == 'serve'"),
        more="Provides-Extra: serve",
    )
    return wheels


@pytest.fixture
def offline_pip(shelf, monkeypatch):
    """pip finds the wheels of the shelf alone, as a user may configure it."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return shelf


@pytest.fixture(scope="session")
def asking_run(pico, tmp_path_factory) -> Path:
    """A run with an index whose base model answers."""
    from kofinlaw.recipes.api import run_recipe

    runs = tmp_path_factory.mktemp("runs")
    overrides = {"ask_only": True, "evaluate.systems": ["base", "base-rag"], "name": "asking"}
    opened = run_recipe(
        pico / "recipe.yaml",
        overrides=overrides,
        runs=runs,
        until="index",
        say=lambda line: None,
    )
    return opened.folder


@pytest.fixture(scope="session")
def whole_bundle(asking_run, shelf, tmp_path_factory) -> Path:
    """A bundle of the run; tests that change it copy it."""
    out = tmp_path_factory.mktemp("bundles") / "asking"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(shelf))
        write_bundle(
            reopen(asking_run),
            out,
            Wanted("3.11", "manylinux_2_28_x86_64"),
            environment=installed(shelf),
        )
    return out


@pytest.fixture
def bundle(whole_bundle, tmp_path) -> Path:
    """A copy of the bundle at another path, with a blank and Hangul in it."""
    folder = tmp_path / "옮긴 번들"
    shutil.copytree(whole_bundle, folder)
    return folder


@pytest.fixture
def shell():
    """Runs `sh install.sh` of a bundle without a network and with an empty environment.

    `python` is the value of PYTHON; empty: the script finds one itself, without PATH.
    """

    def call(
        bundle: Path, *arguments: object, python: str = sys.executable
    ) -> subprocess.CompletedProcess[str]:
        alone = subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0
        words = ["unshare", "-rn"] if alone else []
        words += ["env", "-i", *([f"PYTHON={python}"] if python else [])]
        words += ["sh", str(bundle / "install.sh")]
        return subprocess.run(
            [*words, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
        )

    return call
