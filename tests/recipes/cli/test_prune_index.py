"""`kofinlaw index --prune` shows every collection, and removes only old ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kofinlaw import UserError
from kofinlaw.rag.index.stores.weaviate_server import connection, pruning
from kofinlaw.rag.index.stores.weaviate_server.pruning import Held
from kofinlaw.recipes.cli import prune_index

HELD = [
    Held("Kofinlaw_2_a", 60, "in use"),
    Held("Kofinlaw_2_b", 1234, "old"),
    Held("Kofinlaw_2_c", 9, "foreign"),
    Held("KofinlawProbe_d", 1, "probe"),
    Held("Kofinlaw_e", 5, "unknown"),
    Held("Kofinlaw_2_f", 5, "shared"),
]


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The collections that were removed; the server and the index are none."""
    names: list[str] = []
    server = SimpleNamespace(url="http://localhost:8080", close=lambda: names.append("closed"))
    monkeypatch.setattr(connection, "Server", lambda _: server)
    monkeypatch.setattr(pruning, "list_collections", lambda *_: HELD)
    monkeypatch.setattr(pruning, "remove_collection", lambda _, one, __: names.append(one.name))
    monkeypatch.setattr("kofinlaw.rag.Index.load", lambda _: None)
    return names


def run(store: str = "weaviate") -> Any:
    from pathlib import Path

    rag = SimpleNamespace(store=store, weaviate=None)
    return SimpleNamespace(recipe=SimpleNamespace(rag=rag), folder=Path("run"))


def test_without_yes_the_collections_are_shown_and_stay(removed, capsys) -> None:
    prune_index.prune_collections(run(), yes=False)
    shown = capsys.readouterr().out
    assert "remove  Kofinlaw_2_b  1,234 passages: of an earlier index of this recipe" in shown
    assert "keep    Kofinlaw_2_c  9 passages: another recipe uses it" in shown
    assert "nothing removed; `--prune --yes` removes 3" in shown
    assert removed == ["closed"]


def test_with_yes_only_the_removable_ones_go(removed, capsys) -> None:
    prune_index.prune_collections(run(), yes=True)
    assert removed == ["Kofinlaw_2_b", "KofinlawProbe_d", "Kofinlaw_2_f", "closed"]
    assert "removed: 3" in capsys.readouterr().out


def test_a_recipe_without_a_server_has_nothing_to_prune(removed) -> None:
    with pytest.raises(UserError, match=r"`rag\.store` is local"):
        prune_index.prune_collections(run("local"), yes=True)
    assert removed == []
