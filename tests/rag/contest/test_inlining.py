"""Names that a script imports, replaced by their source."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
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
