"""Old collections of an index folder are found and removed; all others stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpora import write_chunks

from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.weaviate_server.connection import Server
from kofinlaw.rag.index.stores.weaviate_server.layout import (
    Description,
    collection_name,
    owner_of,
)
from kofinlaw.rag.index.stores.weaviate_server.pruning import list_collections, remove_collection


@pytest.fixture
def server(built: Any) -> Any:
    connected = Server(built.settings.weaviate)
    yield connected
    connected.close()


def states(server: Any, index: Index, recipe: Any) -> dict[str, str]:
    return {one.name: one.state for one in list_collections(server, index, recipe)}


def prune(server: Any, index: Index, recipe: Any) -> None:
    for one in list_collections(server, index, recipe):
        remove_collection(server, one, index)


def rebuilt(built: Any, folder: Path, many_chunks: Any, count: int) -> Index:
    build_index(write_chunks(folder, many_chunks(count)), folder / "index", built.settings)
    return Index.load(folder / "index")


def test_only_the_collections_that_this_folder_alone_used_are_removed(
    built: Any, server: Any, tmp_path: Path, many_chunks: Any
) -> None:
    held, recipe = built.stand_in.collections, built.settings
    first = collection_name(built.index, recipe.weaviate)
    now = rebuilt(built, tmp_path, many_chunks, 12)
    used = collection_name(now, recipe.weaviate)
    other = rebuilt(built, tmp_path / "other", many_chunks, 9)
    foreign = collection_name(other, recipe.weaviate)
    held["Kofinlaw_whitespace_0123456789ab"] = held[first]  # no description: version 1
    plain = {**held[first].schema, "description": None}
    held["Kofinlaw_whitespace_0123456789ab"] = type(held[first])(plain)
    held["Articles"] = type(held[first])({**plain, "class": "Articles"})
    held["Kofinlaw_whitespace_0123456789ab"].schema["class"] = "Kofinlaw_whitespace_0123456789ab"
    probe = Description("probe", (owner_of(now.folder),)).to_text()
    held["KofinlawProbe_1"] = type(held[first])(
        {**plain, "class": "KofinlawProbe_1", "description": probe}
    )
    assert states(server, now, recipe) == {
        first: "old",
        used: "in use",
        foreign: "foreign",
        "Kofinlaw_whitespace_0123456789ab": "unknown",
        "KofinlawProbe_1": "probe",
    }
    prune(server, now, recipe)
    assert set(held) == {used, foreign, "Kofinlaw_whitespace_0123456789ab", "Articles"}
    prune(server, now, recipe)
    assert len(held) == 4


def test_a_collection_that_two_folders_use_is_released_by_one_and_removed_by_the_last(
    built: Any, server: Any, tmp_path: Path, many_chunks: Any
) -> None:
    held, recipe = built.stand_in.collections, built.settings
    shared = collection_name(built.index, recipe.weaviate)
    twin = rebuilt(built, tmp_path / "twin", many_chunks, 60)
    assert collection_name(twin, recipe.weaviate) == shared
    now = rebuilt(built, tmp_path, many_chunks, 12)
    assert states(server, now, recipe)[shared] == "shared"
    assert states(server, twin, recipe)[shared] == "in use"
    prune(server, now, recipe)
    assert states(server, now, recipe)[shared] == "foreign"
    later = rebuilt(built, tmp_path / "twin", many_chunks, 9)
    assert states(server, later, recipe)[shared] == "old"
    prune(server, later, recipe)
    assert shared not in held


def test_a_description_is_read_as_written_and_others_are_none_of_ours() -> None:
    made = Description("abc", ("one", "two"))
    assert Description.from_text(made.to_text()) == made
    for text in (None, "", "notes", "[]", "3", '{"by": "x"}', '{"by": "kofinlaw"}', "{" * 9):
        assert Description.from_text(text) is None


def test_a_folder_that_a_stage_is_still_working_in_has_the_mark_of_the_finished_one() -> None:
    assert owner_of(Path("run/.index.partial")) == owner_of(Path("run/index"))
    assert owner_of(Path("run/other")) != owner_of(Path("run/index"))
