"""Morphemes counted once: the same with and without a cache, and Kiwi not asked again."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw.data import korean
from kofinlaw.data.morpheme_cache import caching, current

TEXTS = [
    "전자금융업자는 사고를 보고하여야 한다.",
    "",
    "제9조(손해배상)",
    "전자금융업자는 사고를 보고하여야 한다.",
]


def test_what_was_counted_once_is_not_counted_again(tmp_path, monkeypatch):
    plain = korean.content_morphemes(TEXTS)
    with caching(tmp_path / "m.sqlite"):
        assert korean.content_morphemes(TEXTS) == plain
    monkeypatch.setattr(korean, "_kiwi", lambda workers: pytest.fail("Kiwi was asked again"))
    with caching(tmp_path / "m.sqlite"):
        assert korean.content_morphemes(TEXTS) == plain
        assert korean.content_morphemes([]) == []
    assert current() is None


def test_a_caller_may_change_what_it_got(tmp_path):
    with caching(tmp_path / "m.sqlite"):
        first = korean.content_morphemes(TEXTS[:1])
        first[0].clear()
        assert korean.content_morphemes(TEXTS[:1]) != first


def test_a_damaged_file_is_begun_anew(tmp_path):
    path = tmp_path / "m.sqlite"
    path.write_bytes(b"not a database at all" * 500)
    with caching(path):
        assert korean.content_morphemes(TEXTS[:1])[0]


def test_a_folder_that_cannot_be_written_costs_only_the_cache(tmp_path):
    (tmp_path / "file").write_text("")
    with caching(tmp_path / "file" / "m.sqlite") as cache:
        assert cache is None
        assert korean.content_morphemes(TEXTS[:1])[0]


def test_another_version_of_kiwi_counts_anew(tmp_path, monkeypatch):
    import kiwipiepy

    with caching(tmp_path / "m.sqlite") as cache:
        korean.content_morphemes(TEXTS[:1])
        assert cache.find(TEXTS[:1])
        monkeypatch.setattr(kiwipiepy, "__version__", "0.0.0")
        assert cache.find(TEXTS[:1]) == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.text(max_size=40), max_size=6))
def test_a_cache_changes_nothing(tmp_path, texts):
    plain = korean.content_morphemes(texts)
    with caching(tmp_path / "m.sqlite"):
        assert korean.content_morphemes(texts) == plain
        assert korean.content_morphemes(texts) == plain
