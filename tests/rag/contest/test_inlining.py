"""Names that a script imports, replaced by their source."""

from __future__ import annotations

from typing import Any

import pytest

from kofinlaw import UserError
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.law.actors import read_actors
from kofinlaw.rag.contest.inlining import inline


def test_a_name_is_followed_to_the_module_that_defines_it() -> None:
    source = (
        "from __future__ import annotations\n"
        "from kofinlaw.rag.contest.folder import K1\n"
        "from kofinlaw.data.korean.lexical import B\n"
        "print(K1, B)\n"
    )
    assert "K1 = 1.5" in inline(source)
    with pytest.raises(UserError, match="has no `missing`"):
        inline("from kofinlaw.data.korean.lexical import missing\nprint(missing)\n")


def test_private_names_of_two_modules_stay_apart() -> None:
    script = inline(
        "from kofinlaw.data.korean.words import bigrams\n"
        "from kofinlaw.data.law.actors import read_actors\n"
    )
    assert "_WORD_actors" in script
    assert "kofinlaw" not in script
    alone: dict[str, Any] = {}
    exec(compile(script, "script", "exec"), alone)
    text = "금융회사는 A1 사고를 금융위원회에 신고한다."
    assert alone["bigrams"](text) == bigrams(text)
    found = [(actor.name, actor.role) for actor in alone["read_actors"](text)]
    assert found == [(actor.name, actor.role) for actor in read_actors(text)]
    assert found
