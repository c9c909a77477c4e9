"""Which packages a bundle needs: the closure of what is installed, for the target."""

import pytest
from packaging.requirements import Requirement

from kofinlaw import UserError
from kofinlaw.recipes.bundling.packages import other_versions, package_set, required_by
from kofinlaw.recipes.bundling.target import target_of

TARGET = target_of("3.11", "manylinux_2_28_x86_64")


def names(found) -> dict[str, str]:
    return {one.name: one.version for one in found.packages}


def test_the_set_is_closed_and_without_kofinlaw(shelf, installed):
    found = package_set(TARGET, ["torch"], find=installed(shelf).find)
    assert names(found) == {"tiny-lexer": "2.1", "tiny-tables": "1.0", "torch": "2.13.0"}
    assert found.problems == ()


def test_an_extra_adds_its_packages(shelf, installed):
    found = package_set(TARGET, ["torch"], ["serve"], find=installed(shelf).find)
    assert "tiny-server" in names(found)


def test_an_unknown_extra_and_a_missing_package_are_problems(shelf, installed):
    found = package_set(TARGET, ["xllamacpp"], ["train"], find=installed(shelf).find)
    assert found.problems == (
        "kofinlaw has no extra 'train'",
        "xllamacpp is not installed here: pip install xllamacpp",
    )


def test_another_version_replaces_the_installed_one(shelf, installed):
    find = installed(shelf).find
    found = package_set(TARGET, [], use={"tiny-tables": "1.4"}, find=find)
    assert names(found)["tiny-tables"] == "1.4"
    assert [one.name for one in found.packages if not one.tested] == ["tiny-tables"]


def test_a_version_that_another_package_refuses_is_a_problem(shelf, installed):
    found = package_set(TARGET, [], use={"tiny-tables": "0.9"}, find=installed(shelf).find)
    assert found.problems == ("tiny-lexer needs tiny-tables>=1, and 0.9 is named by --use",)


def test_a_version_for_a_package_that_is_not_needed_is_a_problem(shelf, installed):
    found = package_set(TARGET, [], use={"numpy": "2"}, find=installed(shelf).find)
    assert found.problems == ("--use names numpy, which is not needed",)


def test_the_glibc_of_an_installed_wheel_is_read_from_its_tags(tmp_path, write_wheel, installed):
    write_wheel(tmp_path / "wheels", "kofinlaw", "1", requires=("fast",))
    write_wheel(tmp_path / "wheels", "fast", "1", tag="cp311-cp311-manylinux_2_31_x86_64")
    assert package_set(TARGET, [], find=installed(tmp_path / "wheels").find).glibc == 31


def test_the_packages_of_this_environment_are_closed():
    """The real set: every package that is imported to answer is in it."""
    found = package_set(TARGET, ["torch"])
    assert found.problems == ()
    assert {"torch", "transformers", "lancedb", "kiwipiepy", "numpy"} <= set(names(found))
    assert not {"pytest", "mypy", "ruff"} & set(names(found))


def test_requirements_hold_by_their_markers():
    lines = [
        "a",
        "b; python_version < '3.11'",
        "c; platform_machine == 'x86_64'",
        "d; extra == 'fast'",
        "e; extra == 'fast' and sys_platform == 'win32'",
    ]
    assert [one.name for one in required_by(lines, TARGET)] == ["a", "c"]
    assert [one.name for one in required_by(lines, TARGET, "fast")] == ["d"]
    assert next(required_by(["a>=2"], TARGET)) == Requirement("a>=2")


def test_versions_of_use_are_read_or_refused():
    assert other_versions(["LLGuidance==1.6.1", "torch==2.13.0+cpu"]) == {
        "llguidance": "1.6.1",
        "torch": "2.13.0+cpu",
    }
    for wrong in ("llguidance", "llguidance>=1.6", "==1", ""):
        with pytest.raises(UserError, match="NAME==VERSION"):
            other_versions([wrong])


def test_an_older_version_is_one_that_the_other_packages_allow(tmp_path, write_wheel, installed):
    shelf = tmp_path / "wheels"
    write_wheel(shelf, "kofinlaw", "1", requires=("fast>=1.6", "user"))
    write_wheel(shelf, "user", "1", requires=("fast!=1.8",))
    write_wheel(shelf, "fast", "1.9.1", tag="cp311-cp311-manylinux_2_31_x86_64")
    find = installed(shelf).find
    (fast,) = [one for one in package_set(TARGET, [], find=find).packages if one.name == "fast"]
    assert not fast.fits(TARGET)
    assert set(fast.older.removeprefix("fast").split(",")) == {">=1.6", "!=1.8", "<1.9.1"}
    used = package_set(TARGET, [], use={"fast": "1.7"}, find=find).packages
    assert [one.older for one in used if one.name == "fast"] == [""]
