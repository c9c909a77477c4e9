"""The contest's Python 3.10 compiles the patterns of the script."""

from __future__ import annotations

import re
import sys
from re import _parser  # type: ignore[attr-defined]  # what the pattern was parsed tofrom types import ModuleType
from types import ModuleType

import pytest

from kofinlaw.rag.contest.old_patterns import old_pattern, with_old_patterns


@pytest.mark.parametrize(
    ("pattern", "old"),
    [
        (r"\s++$", r"\s+$"),
        (r"(?<!\s)\s*+[(（]", r"(?<!\s)\s*[(（]"),
        (r"a?+b{1,3}+c", r"a?b{1,3}c"),
        (r"(?>ab|c)+", r"(?:ab|c)+"),
        (r"[-*+•]+", r"[-*+•]+"),
        (r"[]*+]+\++", r"[]*+]+\++"),
        (r"(?:a+)+", r"(?:a+)+"),
        (r"\*+", r"\*+"),
    ],
)
def test_only_operators_are_rewritten(pattern: str, old: str) -> None:
    assert old_pattern(pattern) == old
    re.compile(old)


def test_only_raw_strings_of_a_script_are_rewritten() -> None:
    source = 'a = r"x++"\nb = "*+-"\nc = rf"[{a}]++y*+"\nd = 1 ++ 2\n'
    assert with_old_patterns(source) == 'a = r"x+"\nb = "*+-"\nc = rf"[{a}]+y*"\nd = 1 ++ 2\n'


def test_a_raw_string_of_several_lines_is_rewritten() -> None:
    source = 'a = rf"""x++\n  |[+]{b}y?+"""; c = r"z++"\n\nd = r"w*+"\n'
    assert with_old_patterns(source) == 'a = rf"""x+\n  |[+]{b}y?"""; c = r"z+"\n\nd = r"w*"\n'


def test_the_contest_script_has_no_operator_that_python_310_lacks(
    script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patterns: list[str] = []
    original = re.compile

    def noted(pattern: str, flags: int = 0) -> re.Pattern[str]:
        patterns.append(pattern)
        return original(pattern, flags)

    module = ModuleType("contest")
    module.__file__ = "answer.py"
    monkeypatch.setitem(sys.modules, "contest", module)
    monkeypatch.setattr(re, "compile", noted)
    exec(compile(script, "answer.py", "exec"), module.__dict__)
    monkeypatch.undo()
    assert len(patterns) > 50
    for pattern in patterns:
        parsed = str(_parser.parse(pattern))
        assert "POSSESSIVE_REPEAT" not in parsed, pattern
        assert "ATOMIC_GROUP" not in parsed, pattern
    assert script == with_old_patterns(script)
