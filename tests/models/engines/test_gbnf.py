"""Patterns and choices in llama.cpp's notation; test_engine_contract runs them."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.models.engines.gbnf import choices_grammar, pattern_grammar, quoted


def test_literals_are_escaped():
    assert quoted('가"나\\\n') == '"가\\"나\\\\\\n"'
    assert choices_grammar(("1", "2")) == 'root ::= "1" | "2"'


@pytest.mark.parametrize(
    ("pattern", "grammar"),
    [
        ("^[0-9]{4}년$", '([0-9]){4,4} "년"'),
        ("(옳다|그르다)", '(("옳" "다" | "그" "르" "다"))'),
        ("제[1-9][0-9]*조(의[2-9])?", '"제" [1-9] ([0-9])* "조" (("의" [2-9])){0,1}'),
        ("[가-힣]{3,9}다\\.", '([가-힣]){3,9} "다" "."'),
        ("\\d+(?:\\.\\d+)?%", '([0-9])+ ("." ([0-9])+){0,1} "%"'),
        ('[^\\]"]+', "([^\\x5D\\x22])+"),
        (".", "[^\\n]"),
        ("[^가]", "[^가]"),
        ("가|나다|", '("가" | "나" "다" | "")'),
        ("", '""'),
    ],
)
def test_a_pattern_becomes_a_grammar(pattern, grammar):
    assert pattern_grammar(pattern) == f"root ::= {grammar}"


@pytest.mark.parametrize(
    "pattern", ["(?=a)b", "(a)\\1", "\\bx", "[\\D]", "(", "a{2000}", "(?i:a)", "a^b"]
)
def test_what_a_grammar_cannot_say_is_refused(pattern):
    with pytest.raises(UserError, match=r"cannot apply this pattern|invalid pattern"):
        pattern_grammar(pattern)
