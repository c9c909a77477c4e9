"""Wheels through pip: download, wheels built from source, closed sets, requirements."""

import subprocess
import tarfile

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.bundling.own_wheel import build_own_wheel
from kofinlaw.recipes.bundling.packages import Pinned
from kofinlaw.recipes.bundling.target import target_of
from kofinlaw.recipes.bundling.wheels import (
    download_wheels,
    missing_requirements,
    read_wheel,
    write_requirements,
)

TARGET = target_of("3.11", "manylinux_2_28_x86_64")
SETUP = "from setuptools import setup\nsetup(name='tiny-source', version='1.0', packages=['t'])\n"
COMPILED = """
from setuptools import Extension, setup
setup(name='tiny-compiled', version='1.0', ext_modules=[Extension('fast', ['fast.c'])])
"""
C_CODE = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "fast", 0, -1, 0};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&module); }
"""


def write_source(shelf, folder, name: str, files: dict[str, str]) -> None:
    """Write an sdist of setuptools with these files."""
    top = folder / f"{name}-1.0"
    for where, text in files.items():
        (top / where).parent.mkdir(parents=True, exist_ok=True)
        (top / where).write_text(text, encoding="utf-8")
    (top / "PKG-INFO").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8"
    )
    with tarfile.open(shelf / f"{name}-1.0.tar.gz", "w:gz") as archive:
        archive.add(top, arcname=top.name)


def test_wheels_are_downloaded_by_name_and_version(offline_pip, tmp_path):
    pins = [Pinned("tiny-lexer", "2.1"), Pinned("torch", "2.13.0")]
    found = download_wheels(pins, TARGET, tmp_path / "wheels")
    assert [(one.name, one.version, one.built_here) for one in found] == [
        ("tiny-lexer", "2.1", False),
        ("torch", "2.13.0", False),
    ]
    assert sorted(path.name for path in (tmp_path / "wheels").iterdir()) == [
        "tiny_lexer-2.1-py3-none-any.whl",
        "torch-2.13.0-py3-none-any.whl",
    ]


def test_a_version_that_pip_does_not_find_is_named(offline_pip, tmp_path):
    pins = [Pinned("tiny-lexer", "2.1"), Pinned("tiny-tables", "9.9")]
    with pytest.raises(UserError, match=r"tiny-tables==9\.9") as error:
        download_wheels(pins, TARGET, tmp_path / "wheels")
    assert "PIP_EXTRA_INDEX_URL" in str(error.value)


def test_a_wheel_for_another_platform_is_named(tmp_path, write_wheel, monkeypatch):
    """pip finds it for this machine, but the target cannot install it."""
    from packaging.tags import sys_tags

    here = next(str(tag) for tag in sys_tags() if tag.platform.startswith("manylinux"))
    write_wheel(tmp_path / "shelf", "tiny-fast", "1.0", tag=here)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "shelf"))
    old = target_of("3.11", "manylinux_2_5_x86_64")
    with pytest.raises(UserError, match=r"tiny-fast 1\.0 has no wheel for Python 3\.11"):
        download_wheels([Pinned("tiny-fast", "1.0", glibc=34)], old, tmp_path / "wheels")


@pytest.fixture
def llguidance_like(tmp_path, write_wheel, monkeypatch):
    """A shelf as llguidance's: newer versions have wheels for a newer glibc only."""
    shelf = tmp_path / "shelf"
    for version, glibc in (("1.5", 17), ("1.6.1", 17), ("1.7", 31), ("1.9.1", 31)):
        write_wheel(shelf, "tiny-fast", version, tag=f"cp311-cp311-manylinux_2_{glibc}_x86_64")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return shelf


@pytest.mark.parametrize(
    ("allowed", "expected"), [("", "1.6.1"), (">=1.6", "1.6.1"), ("<1.6,>=1", "1.5")]
)
def test_the_newest_older_version_that_fits_is_taken(llguidance_like, tmp_path, allowed, expected):
    pin = Pinned("tiny-fast", "1.9.1", "1.9.1", glibc=31, allowed=allowed)
    (found,) = download_wheels([pin], TARGET, tmp_path / "wheels")
    assert (found.version, found.built_here) == (expected, False)
    assert [path.name for path in (tmp_path / "wheels").iterdir()] == [found.path.name]


def test_without_an_older_version_that_fits_the_error_says_what_to_name(llguidance_like, tmp_path):
    pin = Pinned("tiny-fast", "1.9.1", "1.9.1", glibc=31, allowed=">=1.7")
    with pytest.raises(UserError, match=r"tiny-fast 1\.9\.1 has no wheel") as error:
        download_wheels([pin], TARGET, tmp_path / "wheels")
    assert "--use tiny-fast==VERSION" in error.value.remedy
    assert list((tmp_path / "wheels").iterdir()) == []


def test_a_version_that_the_user_named_is_not_replaced(llguidance_like, tmp_path):
    pin = Pinned("tiny-fast", "1.7", "1.9.1", named=True)
    with pytest.raises(UserError, match=r"tiny-fast 1\.7 has no wheel"):
        download_wheels([pin], TARGET, tmp_path / "wheels")


def test_another_build_never_replaces_the_installed_one(write_wheel, tmp_path, monkeypatch):
    """An older torch for cards must not take the place of the build for processors."""
    shelf = tmp_path / "shelf"
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    write_wheel(shelf, "torch", "2.13.0+cpu", tag="cp311-cp311-manylinux_2_31_x86_64")
    write_wheel(shelf, "torch", "2.12.0", tag="cp311-cp311-manylinux_2_17_x86_64")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    pin = Pinned("torch", "2.13.0+cpu", "2.13.0+cpu", glibc=31)
    with pytest.raises(UserError, match=r"torch 2\.13\.0\+cpu has no wheel"):
        download_wheels([pin], TARGET, tmp_path / "wheels")


def test_a_version_for_a_newer_python_is_replaced_too(write_wheel, tmp_path, monkeypatch):
    """pip on this machine would take it: the target's Python counts."""
    import sys

    shelf = tmp_path / "shelf"
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    write_wheel(shelf, "tiny-sieve", "4.1", more=f"Requires-Python: >={here}.1")
    write_wheel(shelf, "tiny-sieve", "2.8", more="Requires-Python: >=3.9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    first = target_of(f"{here}.0", "manylinux_2_28_x86_64")
    pin = Pinned("tiny-sieve", "4.1", "4.1", requires_python=f">={here}.1")
    assert not pin.fits(first)
    (found,) = download_wheels([pin], first, tmp_path / "wheels")
    assert found.version == "2.8"
    named = Pinned("tiny-sieve", "4.1", "2.8", named=True)
    with pytest.raises(UserError, match=r"tiny-sieve 4\.1 needs Python >=3") as error:
        download_wheels([named], first, tmp_path / "others")
    assert "--python" in error.value.remedy


def test_constraints_do_not_hide_that_no_wheel_fits(llguidance_like, tmp_path, monkeypatch):
    """pip then speaks of a conflict. A constraint that allows an older version is respected."""
    (tmp_path / "constraints.txt").write_text("tiny-fast<1.6\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONSTRAINT", str(tmp_path / "constraints.txt"))
    pin = Pinned("tiny-fast", "1.5", "1.5", glibc=17)
    (found,) = download_wheels([pin], TARGET, tmp_path / "wheels")
    assert found.version == "1.5"
    (tmp_path / "constraints.txt").write_text("tiny-fast==1.9.1\n", encoding="utf-8")
    pin = Pinned("tiny-fast", "1.9.1", "1.9.1", glibc=31)
    with pytest.raises(UserError, match=r"tiny-fast 1\.9\.1 has no wheel"):
        download_wheels([pin], TARGET, tmp_path / "others")


@pytest.fixture
def no_build_isolation(monkeypatch):
    """pip builds with this environment's setuptools: without it, it would need the network."""
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip reads 0 as "no isolation"


def test_a_pure_source_package_is_built_here(
    tmp_path, write_wheel, monkeypatch, no_build_isolation
):
    shelf = tmp_path / "shelf"
    write_wheel(shelf, "tiny-other", "1.0")
    write_source(shelf, tmp_path, "tiny-source", {"setup.py": SETUP, "t/__init__.py": ""})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    pins = [Pinned("tiny-other", "1.0"), Pinned("tiny-source", "1.0")]
    found = download_wheels(pins, TARGET, tmp_path / "wheels")
    assert [(one.name, one.built_here) for one in found] == [
        ("tiny-other", False),
        ("tiny-source", True),
    ]


def test_a_compiled_source_package_is_one_error_with_its_name(
    tmp_path, monkeypatch, no_build_isolation
):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    write_source(shelf, tmp_path, "tiny-compiled", {"setup.py": COMPILED, "fast.c": C_CODE})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    with pytest.raises(UserError, match=r"tiny-compiled"):
        download_wheels([Pinned("tiny-compiled", "1.0")], TARGET, tmp_path / "wheels")
    assert list((tmp_path / "wheels").iterdir()) == []


def test_the_own_wheel_is_built_without_writing_into_the_sources(shelf, offline_pip, tmp_path):
    sources = shelf.parent / "sources"
    before = sorted(sources.rglob("*"))
    wheel = build_own_wheel(tmp_path / "wheels", sources)
    assert (wheel.name, wheel.version) == ("kofinlaw", "0.1.0")
    assert [path.name for path in (tmp_path / "wheels").iterdir()] == [wheel.path.name]
    assert sorted(sources.rglob("*")) == before


def test_a_set_with_a_gap_is_reported(shelf, tmp_path, write_wheel):
    lexer = read_wheel(shelf / "tiny_lexer-2.1-py3-none-any.whl")
    tables = read_wheel(shelf / "tiny_tables-1.0-py3-none-any.whl")
    old = read_wheel(write_wheel(tmp_path, "tiny-tables", "0.5"))
    assert missing_requirements([lexer, tables], TARGET) == []
    assert missing_requirements([lexer], TARGET) == [
        "tiny-lexer needs tiny-tables>=1, which is not there"
    ]
    assert missing_requirements([lexer, old], TARGET) == [
        "tiny-lexer needs tiny-tables>=1, and 0.5 is there"
    ]


def test_requirements_pin_every_wheel_by_its_hash(shelf, tmp_path):
    wheel = read_wheel(shelf / "torch-2.13.0-py3-none-any.whl")
    write_requirements([wheel], tmp_path / "requirements.txt")
    text = (tmp_path / "requirements.txt").read_text(encoding="utf-8")
    assert text == f"torch==2.13.0 --hash=sha256:{wheel.sha256}\n"
    sums = subprocess.run(["sha256sum", wheel.path], capture_output=True, text=True, check=True)
    assert sums.stdout.startswith(wheel.sha256)


def test_a_file_that_is_no_wheel_is_named(tmp_path):
    bad = tmp_path / "tiny-1.0-py3-none-any.whl"
    bad.write_bytes(b"not a zip")
    with pytest.raises(UserError, match="not a wheel") as error:
        read_wheel(bad)
    assert error.value.where == str(bad)
