"""The machine that a bundle is for: tags, markers, wrong names."""

import pytest
from packaging.tags import parse_tag

from kofinlaw import UserError
from kofinlaw.recipes.bundling.target import target_of


def fits(tag: str, python: str = "3.11", platform: str = "manylinux_2_28_x86_64") -> bool:
    return bool(parse_tag(tag) & target_of(python, platform).tags())


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("py3-none-any", True),
        ("cp311-cp311-manylinux_2_28_x86_64", True),
        ("cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64", True),
        ("cp39-abi3-manylinux2014_x86_64", True),
        ("cp311-none-manylinux1_x86_64", True),
        ("cp39-abi3-manylinux_2_31_x86_64", False),
        ("cp312-cp312-manylinux_2_28_x86_64", False),
        ("cp311-cp311-manylinux_2_28_aarch64", False),
        ("cp311-cp311-linux_x86_64", False),
        ("cp311-cp311-musllinux_1_2_x86_64", False),
        ("cp311-cp311-win_amd64", False),
    ],
)
def test_a_wheel_fits_by_its_tag(tag, expected):
    assert fits(tag) is expected


def test_another_python_and_a_newer_glibc_have_their_own_wheels():
    assert fits("cp312-cp312-manylinux_2_28_x86_64", python="3.12")
    assert fits("cp39-abi3-manylinux_2_31_x86_64", platform="manylinux_2_31_x86_64")


def test_markers_are_those_of_the_target():
    environment = target_of("3.12", "manylinux_2_28_aarch64").environment()
    assert environment["python_version"] == "3.12"
    assert environment["platform_machine"] == "aarch64"
    assert environment["sys_platform"] == "linux"


def test_the_oldest_patch_version_is_that_of_the_strictest_package():
    target = target_of("3.11", "manylinux_2_28_x86_64")
    assert target.oldest_patch([">=3.9", ">=3.11.5", ""]) == 5
    assert target.oldest_patch([">=3.12"]) is None


def test_a_patch_version_decides_what_the_target_runs():
    named = target_of("3.11.2", "manylinux_2_28_x86_64")
    assert named.python == "3.11"
    assert named.full_python == "3.11.2"
    assert named.environment()["python_full_version"] == "3.11.2"
    assert named.runs(">=3.9")
    assert named.runs("not a version")  # pip ignores it too
    assert not named.runs(">=3.11.5")
    assert target_of("3.12", "manylinux_2_28_x86_64").runs(">=3.12.5")


@pytest.mark.parametrize("python", ["3.10", "3", "3.11.4.1", "3.10.9", "py311", ""])
def test_a_wrong_python_is_named(python):
    with pytest.raises(UserError, match="Python") as error:
        target_of(python, "manylinux_2_28_x86_64")
    assert error.value.where == "--python"


@pytest.mark.parametrize("platform", ["linux_x86_64", "manylinux_2_4_x86_64", "win_amd64", ""])
def test_a_wrong_platform_is_named(platform):
    with pytest.raises(UserError, match="platform") as error:
        target_of("3.11", platform)
    assert error.value.where == "--platform"
