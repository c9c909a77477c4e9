"""Errors in the recipe's data section."""

from __future__ import annotations

import pytest

from kofinlaw.data.settings import DataSettings


def test_settings_say_what_is_wrong():
    with pytest.raises(ValueError, match="listed twice"):
        DataSettings(sources=["a", "a"])
    with pytest.raises(ValueError, match="at least 64 tokens"):
        DataSettings(sources=["a"], chunks={"max_tokens_by_kind": {"rule": 5}})
    with pytest.raises(ValueError, match="Extra inputs"):
        DataSettings(sources=["a"], sorces=1)
    assert DataSettings(sources="a").sources[0].path == "a"
