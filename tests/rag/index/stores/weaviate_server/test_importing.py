"""An import ends with every passage, or with one error; what was cut off is continued."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from corpora import write_chunks

from kofinlaw import UserError
from kofinlaw.rag.index.admission import EVERYTHING
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.stores.weaviate_server.failures import ServerUnavailable
from kofinlaw.rag.index.stores.weaviate_server.importing import import_index
from kofinlaw.rag.index.stores.weaviate_server.store import WeaviateStore


def collection(server: Any) -> Any:
    """The one collection of the stand-in that holds an index."""
    (name,) = [name for name in server.collections if name.startswith("Kofinlaw_")]
    return server.collections[name]


def test_a_full_collection_is_not_sent_again(built: Any) -> None:
    assert len(collection(built.stand_in).objects) == 60
    before = len(built.stand_in.calls)
    assert import_index(built.index, built.settings) == 60
    assert "BatchObjects" not in built.stand_in.calls[before:]


def test_a_half_imported_collection_is_refused_and_then_completed(built: Any) -> None:
    objects = collection(built.stand_in).objects
    whole = {key: one.properties for key, one in objects.items()}
    for key in list(objects)[20:]:
        del objects[key]
    with pytest.raises(UserError, match="holds 20 of 60 passages"):
        WeaviateStore.connect(built.index, built.settings)
    assert import_index(built.index, built.settings) == 20
    assert {key: one.properties for key, one in objects.items()} == whole
    WeaviateStore.connect(built.index, built.settings).close()


def test_a_server_that_dies_for_good_ends_the_import_with_one_error(
    built: Any, stand_in: Any
) -> None:
    stand_in.collections.clear()
    recipe = built.changed(import_seconds=3.0, batch_passages=5)
    stand_in.dies_after = 12
    with pytest.raises(ServerUnavailable, match=r"did not answer within 3 s"):
        import_index(built.index, recipe)
    stand_in.silent = False
    stand_in.stop()
    stand_in.start()
    assert 0 < len(collection(stand_in).objects) < 60
    import_index(built.index, built.settings)
    assert len(collection(stand_in).objects) == 60


def test_an_import_goes_on_where_the_server_comes_back(built: Any, stand_in: Any) -> None:
    stand_in.collections.clear()
    stand_in.dies_after = 12

    def back() -> None:
        stand_in._ended.wait()
        stand_in.silent = False
        stand_in.stop()
        stand_in.start()

    threading.Thread(target=back, daemon=True).start()
    assert import_index(built.index, built.changed(import_seconds=60.0, batch_passages=5)) == 0
    assert len(collection(stand_in).objects) == 60


def test_a_long_wait_is_shown(built: Any, stand_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kofinlaw.rag.index.stores.weaviate_server.connection._NOTICE", 0.1)
    stand_in.collections.clear()
    shown: list[Any] = []

    def progress(*_: Any, note: str = "", **__: Any) -> None:
        if note:
            shown.append(note)
            stand_in.silent = True

    stand_in.dies_after = 12
    recipe = built.changed(import_seconds=1.0, batch_passages=5)
    with pytest.raises(ServerUnavailable):
        import_index(built.index, recipe, progress=progress)
    assert shown
    assert set(shown) == {"the server is slow or away; the import waits for it for at most 1 s"}


def test_passages_that_are_rejected_are_sent_again_and_then_named(
    built: Any, stand_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_pause(_: float) -> None:
        pass

    monkeypatch.setattr("kofinlaw.rag.index.stores.weaviate_server.importing._pause", no_pause)
    stand_in.collections.clear()
    stand_in.rejects = 0
    import_index(built.index, built.settings)
    name = next(iter(stand_in.collections))
    stand_in.collections[name].objects.clear()
    stand_in.rejects = 7
    import_index(built.index, built.settings)
    assert len(stand_in.collections[name].objects) == 60
    stand_in.collections[name].objects.clear()
    stand_in.rejects = 10_000
    with pytest.raises(UserError, match=r"rejected \d+ passages .*read-only"):
        import_index(built.index, built.settings)


def test_a_collection_of_an_older_version_is_left_alone(
    built: Any, stand_in: Any, tmp_path: Path
) -> None:
    """Version 1 had no properties to filter by; its name differs, so it is never searched."""
    name = next(iter(stand_in.collections))
    held = stand_in.collections.pop(name)
    old = f"Kofinlaw_whitespace_{built.index.fingerprint[:12]}"
    stand_in.collections[old] = held
    with pytest.raises(UserError, match="holds 0 of 60 passages"):
        WeaviateStore.connect(built.index, built.settings)
    import_index(built.index, built.settings)
    assert set(stand_in.collections) == {name, old}


def test_the_korean_tokenizer_is_tried_before_anything_is_imported(
    stand_in: Any, recipe: Any, tmp_path: Path, many_chunks: Any
) -> None:
    chunks = write_chunks(tmp_path, many_chunks(12))
    korean = recipe(stand_in, tokenization="kagome_kr")
    with pytest.raises(UserError, match="cannot split Korean by kagome_kr") as error:
        build_index(chunks, tmp_path / "index", korean)
    assert "rag.weaviate.tokenization" in error.value.where
    assert stand_in.collections == {}
    stand_in.korean = True
    build_index(chunks, tmp_path / "index", korean)
    assert [name.split("_")[0] for name in stand_in.collections] == ["Kofinlaw"]
    store = WeaviateStore.connect(Index.load(tmp_path / "index"), korean)
    ((rows, _),) = store.lexical("bigram", ["접근매체의 대여"], 3, [EVERYTHING])
    assert len(rows) == 3


def test_probes_of_two_imports_have_names_of_their_own(built: Any, stand_in: Any) -> None:
    probes = [call for call in stand_in.calls if "DELETE" in call and "Probe" in call]
    stand_in.collections.clear()
    import_index(built.index, built.settings)
    after = [call for call in stand_in.calls if "DELETE" in call and "Probe" in call]
    assert len(set(after)) == 2 * len(set(probes)) == 2
