"""The index folder answers for a server that does not, where questions are answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kofinlaw import UserError
from kofinlaw.rag.index.admission import EVERYTHING
from kofinlaw.rag.index.stores.weaviate_server.failures import ServerUnavailable
from kofinlaw.rag.index.stores.weaviate_server.fallback import REST_SECONDS, ServerOrLocal
from kofinlaw.rag.search_limits import SearchLimits, limit_search


class Named:
    """A store whose results say who found them; `away` makes it fail."""

    fuses = True

    def __init__(self, row: int) -> None:
        self.row, self.away, self.asked = row, False, 0

    def lexical(self, kind: Any, queries: Any, k: int, allowed: Any) -> Any:
        self.asked += 1
        if self.away:
            raise ServerUnavailable("did not answer", where="there")
        return [(np.array([self.row]), np.array([1.0])) for _ in queries]

    def dense(self, vectors: Any, k: int, allowed: Any) -> Any:
        return self.lexical("", vectors, k, allowed)

    def hybrid(self, kind: Any, queries: Any, vectors: Any, k: int, **_: Any) -> Any:
        return self.lexical(kind, queries, k, None)


class Both:
    """A server, the files, a clock that the test sets, and the store over them."""

    def __init__(self, *, instead: bool = True) -> None:
        self.server, self.files, self.now = Named(1), Named(2), 0.0
        self.store = ServerOrLocal(
            lambda: self.server, lambda: self.files, instead=instead, clock=lambda: self.now
        )

    def row(self) -> int:
        ((rows, _),) = self.store.lexical("bigram", ["물음"], 1, [EVERYTHING])
        return int(rows[0])


def test_the_files_answer_until_the_server_does_again(caplog: pytest.LogCaptureFixture) -> None:
    both = Both()
    with limit_search(SearchLimits()) as limits:
        assert (both.row(), limits.searched_locally) == (1, False)
        both.server.away = True
        assert (both.row(), limits.searched_locally) == (2, True)
        asked = both.server.asked
        assert (both.row(), both.server.asked) == (2, asked), "it is left alone for a while"
        both.now += REST_SECONDS
        assert (both.row(), both.server.asked) == (2, asked + 1)
        both.server.away = False
        both.now += REST_SECONDS
        assert both.row() == 1
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3
    assert "the index folder is searched instead" in said[0]
    assert "answers again" in said[2]


def test_every_kind_of_search_is_answered_by_the_files() -> None:
    both = Both()
    both.server.away = True
    vectors = np.ones((1, 8), dtype=np.float32)
    with limit_search(SearchLimits()):
        assert both.store.dense(vectors, 1, [EVERYTHING])[0][0].tolist() == [2]
        found = both.store.hybrid(
            "bigram", ["물음"], vectors, 1, alpha=0.5, fusion="ranked", allowed=[EVERYTHING]
        )
        assert found[0][0].tolist() == [2]


def test_measurements_and_recipes_that_want_an_error_get_it() -> None:
    both = Both()
    both.server.away = True
    with pytest.raises(ServerUnavailable):
        both.row()
    strict = Both(instead=False)
    strict.server.away = True
    with limit_search(SearchLimits()), pytest.raises(ServerUnavailable):
        strict.row()
    assert (both.files.asked, strict.files.asked) == (0, 0)


def test_files_that_cannot_be_searched_leave_the_error_of_the_server() -> None:
    both = Both()
    both.server.away = True

    def damaged(*_: Any) -> Any:
        raise UserError("the index is damaged")

    both.files.lexical = damaged  # type: ignore[method-assign]
    with limit_search(SearchLimits()), pytest.raises(ServerUnavailable):
        both.row()


def test_other_errors_of_the_server_are_raised() -> None:
    both = Both()

    def refused(*_: Any) -> Any:
        raise UserError("the server refuses the API key")

    both.server.lexical = refused  # type: ignore[method-assign]
    with limit_search(SearchLimits()), pytest.raises(UserError, match="API key"):
        both.row()


def test_a_retriever_answers_from_its_folder_while_the_server_is_away(built: Any) -> None:
    from kofinlaw.rag.retrieve.evidence import search_questions
    from kofinlaw.rag.retrieve.retriever import Retriever
    from kofinlaw.records import Question

    asked = [Question("1", "접근매체를 빌려줄 수 있는가")]
    local = built.settings.model_copy(update={"store": "local"})
    built.stand_in.stop()
    retriever = Retriever(built.index, built.changed(call_seconds=0.3))
    with pytest.raises(ServerUnavailable):
        retriever.search(asked)
    found = search_questions(retriever, asked)
    assert [hit.chunk.id for hit in found[0]] == [
        hit.chunk.id for hit in Retriever(built.index, local).search(asked)[0]
    ]
