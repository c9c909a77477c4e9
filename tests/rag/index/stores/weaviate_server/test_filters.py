"""What the server lets through is what the mask of the same question lets through."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw.rag.index.admission import EVERYTHING, Admission
from kofinlaw.rag.index.stores.weaviate_server.store import WeaviateStore
from kofinlaw.rag.retrieve.scope import Scopes
from kofinlaw.records import Question

VECTORS = np.ones((1, 8), dtype=np.float32)


def let_through(store: WeaviateStore, admission: Admission) -> set[int]:
    """All passages that a search by vector finds."""
    ((rows, _),) = store.dense(VECTORS, 200, [admission])
    return set(rows.tolist())


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    day=st.sampled_from([None, "any", "2018-01-01", "2019-05-01", "2023-03-03", "2030-12-31"]),
    today=st.sampled_from(["2019-06-01", "2024-01-01", "2032-01-01"]),
    kinds=st.sets(st.sampled_from(["statute", "rule", "guideline", "case"])),
    votes=st.booleans(),
    supplements=st.booleans(),
    share=st.sampled_from([None, 0.0, 0.05, 0.5, 0.95, 1.0]),
    seed=st.integers(0, 1000),
)
def test_every_mask_of_a_question_lets_the_same_passages_through_on_the_server(
    built: Any,
    day: Any,
    today: str,
    kinds: Any,
    votes: bool,
    supplements: bool,
    share: Any,
    seed: int,
) -> None:
    recipe = built.settings.model_copy(
        update={"kinds": tuple(sorted(kinds)), "case_votes": 0.3 if votes else 0.0}
    )
    asked = Question("1", "부칙의 시행일은?" if supplements else "접근매체를 빌려줄 수 있는가")
    as_of = datetime.date.fromisoformat(day) if day not in (None, "any") else day
    random = np.random.default_rng(seed).random(60)
    allowed = None if share is None else lambda _: random < share
    scopes = Scopes(built.index, recipe, datetime.date.fromisoformat(today))
    (scope,) = scopes.of([asked], allowed, as_of)
    store = WeaviateStore.connect(built.index, recipe)
    for admission in (scope.passages, scope.decisions):
        mask = np.ones(60, dtype=bool) if admission.mask is None else admission.mask
        assert let_through(store, admission) == set(np.flatnonzero(mask).tolist())
        assert (admission.rest is None) == (allowed is None), "only the caller's mask remains"
    store.close()


def test_an_index_whose_days_are_no_iso_days_is_masked_here(built: Any) -> None:
    built.index.calendar.__dict__["day_numbers"] = None
    scopes = Scopes(built.index, built.settings, datetime.date(2024, 1, 1))
    for day in (None, datetime.date(2023, 3, 3)):
        (scope,) = scopes.of([Question("1", "부칙")], None, day)
        assert scope.passages.conditions == ()
        assert scope.passages.rest is scope.passages.mask
        store = WeaviateStore.connect(built.index, built.settings)
        assert let_through(store, scope.passages) == set(np.flatnonzero(scope.shown).tolist())
        store.close()


def test_one_request_is_enough_where_conditions_say_all(built: Any) -> None:
    scopes = Scopes(built.index, built.settings, datetime.date(2024, 1, 1))
    (scope,) = scopes.of([Question("1", "접근매체")], None, datetime.date(2023, 3, 3))
    store = WeaviateStore.connect(built.index, built.settings)
    for admission in (EVERYTHING, scope.passages):
        before = len(built.stand_in.calls)
        assert len(store.lexical("bigram", ["접근매체"], 3, [admission])[0][0]) == 3
        assert built.stand_in.calls[before:] == ["Search"]
    store.close()
