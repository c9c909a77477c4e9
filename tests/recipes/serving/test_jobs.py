"""What a loaded run answers, without a server."""

import numpy as np
import pytest

from kofinlaw.models import embedders
from kofinlaw.recipes.serving.jobs import Embed, load_run


class Silent:
    """Nobody follows the batch, and it is wanted."""

    def text(self, job, text):
        pass

    def stopped(self):
        return False


def test_the_embedder_is_opened_once_and_stores_no_text_of_a_client(run, monkeypatch):
    opened, real = [], embedders.open_embedder
    written, store = [], embedders.VectorStore.write

    def open_embedder(name, **options):
        opened.append(name)
        return real(name, **options)

    def write(self, vectors):
        written.extend(vectors)
        store(self, vectors)

    monkeypatch.setattr(embedders, "open_embedder", open_embedder)
    answer = load_run(run)
    monkeypatch.setattr(embedders.VectorStore, "write", write)
    first = answer([Embed(("보관 기간",)), Embed(("벌금", "보관 기간"))], Silent())
    again = answer([Embed(("벌금",))], Silent())
    assert [len(rows) for rows in (*first, *again)] == [1, 2, 1]
    assert first[0][0] == first[1][1]
    assert again[0][0] == first[1][0] != first[0][0]
    assert np.linalg.norm(again[0][0]) == pytest.approx(1, abs=1e-3)
    assert len(opened) == 1
    assert written == []
