"""The morpheme cache: the same result as without it, and each text analysed once."""

from __future__ import annotations

import sqlite3

import kiwipiepy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw.data.korean import words as korean
from kofinlaw.data.korean.morpheme_cache import caching, current

TEXTS = [
    "전자금융업자는 사고를 보고하여야 한다.",
    "",
    "제9조(손해배상)",
    "전자금융업자는 사고를 보고하여야 한다.",
]


def test_a_text_is_analysed_once(tmp_path, monkeypatch):
    plain = korean.content_morphemes(TEXTS)
    with caching(tmp_path / "m.sqlite"):
        assert korean.content_morphemes(TEXTS) == plain
    monkeypatch.setattr(korean, "_kiwi", lambda workers: pytest.fail("Kiwi was asked again"))
    with caching(tmp_path / "m.sqlite"):
        assert korean.content_morphemes(TEXTS) == plain
        assert korean.content_morphemes([]) == []
    assert current() is None


def test_a_caller_may_change_its_result(tmp_path):
    with caching(tmp_path / "m.sqlite"):
        first = korean.content_morphemes(TEXTS[:1])
        first[0].clear()
        assert korean.content_morphemes(TEXTS[:1]) != first


def test_a_damaged_file_is_created_again(tmp_path):
    path = tmp_path / "m.sqlite"
    path.write_bytes(b"not a database at all" * 500)
    with caching(path):
        assert korean.content_morphemes(TEXTS[:1])[0]


def test_a_folder_that_cannot_be_written_costs_only_the_cache(tmp_path):
    (tmp_path / "file").write_text("")
    with caching(tmp_path / "file" / "m.sqlite") as cache:
        assert cache is None
        assert korean.content_morphemes(TEXTS[:1])[0]


def test_a_file_that_proves_damaged_while_in_use_costs_only_what_it_held(tmp_path):
    path = tmp_path / "m.sqlite"
    texts = [f"제{n}조에 따라 은행은 손해를 배상한다." for n in range(900)]
    plain = korean.content_morphemes(texts)
    with caching(path):
        korean.content_morphemes(texts)
    data = path.read_bytes()
    path.write_bytes(data[:8192] + b"\xff" * (len(data) - 8192))
    with caching(path) as cache:
        assert cache is not None
        assert korean.content_morphemes(texts) == plain
    with caching(path):
        assert korean.content_morphemes(texts) == plain
    with caching(path) as cache:
        assert len(cache.find(texts, korean._variant())) == len(texts)


def test_a_file_that_another_run_has_locked_is_left_alone(tmp_path, monkeypatch):
    path = tmp_path / "m.sqlite"
    with caching(path):
        korean.content_morphemes(TEXTS)
    connect = sqlite3.connect
    other = connect(path)
    other.execute("PRAGMA journal_mode=DELETE")
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite3, "connect", lambda path, timeout: connect(path, timeout=0.01))
    with caching(path) as cache:
        assert cache is None
    other.rollback()
    other.close()
    with caching(path) as cache:
        assert set(cache.find(TEXTS, korean._variant())) == set(TEXTS)


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (kiwipiepy, "__version__", "0.0.0"),
        (korean, "CONTENT_TAGS", frozenset(["NNG"])),
        (korean, "MAX_PIECE_CHARACTERS", 12),
    ],
)
def test_another_variant_of_the_analysis_is_not_read_from_the_cache(
    tmp_path, monkeypatch, module, name, value
):
    with caching(tmp_path / "m.sqlite") as cache:
        korean.content_morphemes(TEXTS[:1])
        assert cache.find(TEXTS[:1], korean._variant())
        monkeypatch.setattr(module, name, value)
        assert cache.find(TEXTS[:1], korean._variant()) == {}
        again = korean.content_morphemes(TEXTS[:1])
    assert again == korean.content_morphemes(TEXTS[:1])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.text(max_size=40), max_size=6))
def test_a_cache_changes_nothing(tmp_path, texts):
    plain = korean.content_morphemes(texts)
    with caching(tmp_path / "m.sqlite"):
        assert korean.content_morphemes(texts) == plain
        assert korean.content_morphemes(texts) == plain
