"""Which sets of requirements are resolved, and what a resolver's error says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from checks import resolve
from checks.page import PAGE, replace_section
from checks.wheels import PACKAGES
from kofinlaw.models.doctor import APART

ROOT = Path(__file__).parents[2]


def cases():
    return resolve.cases_of(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))


def test_every_extra_and_every_documented_set_is_resolved():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    alone = {case.extras[0] for case in cases() if len(case.extras) == 1 and not case.conflict}
    assert alone == set(extras)
    known = {extra for case in cases() for extra in case.extras}
    assert known == set(extras)
    assert any(set(case.extras) == set(extras) for case in cases())


def test_the_page_has_a_row_for_each_set_and_each_library():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = {tuple(line.split(" | ")) for line in lines if line.startswith("| ")}
    assert {row[0].removeprefix("| ") for row in rows} >= {case.name for case in cases()}
    assert {(f"| {one.name}", one.version) for one in PACKAGES} <= {row[:2] for row in rows}


def test_doctor_and_the_check_name_the_same_extras_apart():
    conflicting = {case.extras for case in resolve.CONFLICTS if case.constrained}
    assert conflicting == {(name,) for name in APART}


UV = """error: No solution found when resolving dependencies
  cause: Because vllm==0.32.0 depends on llguidance{platform_machine == 'x86_64'}>=1.7.0,<1.8.0 and \
kofinlaw depends on llguidance>=1.9, we can conclude that kofinlaw[vllm] cannot be used.
         And because you require it, we can conclude that your requirements are unsatisfiable.
"""
PIP = """ERROR: Cannot install kofinlaw[vllm]==0.1.0 because these package versions have conflicting \
dependencies.
ERROR: ResolutionImpossible: for help visit the page
"""


@pytest.mark.parametrize(
    ("stderr", "begins", "holds"),
    [
        (UV, "Because vllm==0.32.0 depends on llguidance>=1.7.0,<1.8.0", "llguidance>=1.9"),
        (PIP, "ERROR", "ResolutionImpossible"),
        ("", "", ""),
    ],
)
def test_a_reason_names_the_packages(stderr, begins, holds):
    found = resolve.reason(stderr)
    assert found.startswith(begins)
    assert holds in found


@pytest.mark.parametrize(
    ("conflict", "why_not", "expected"),
    [("", "", True), ("", "no", False), ("known", "no", True), ("known", "", False)],
)
def test_a_conflict_that_is_gone_is_reported_too(conflict, why_not, expected):
    outcome = resolve.Outcome(resolve.Case("x", conflict=conflict), 3, why_not, 0.0)
    assert outcome.expected is expected
    assert ("**differs**" in resolve.report([outcome])) is not expected


def test_a_section_is_replaced_and_the_rest_stays():
    text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    once = replace_section(text, "x", "new")
    assert once == "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n"
    assert replace_section(once, "x", "new") == once
    with pytest.raises(ValueError, match="no section y"):
        replace_section(text, "y", "")
    assert "<!-- resolve -->" in PAGE.read_text(encoding="utf-8")
