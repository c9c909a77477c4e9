"""A shared model is loaded once and unloaded after its last user."""

from __future__ import annotations

import threading

import pytest

from kofinlaw import UserError
from kofinlaw.models.engines import shared_models
from kofinlaw.models.engines.base import Request
from kofinlaw.models.engines.dummy_engine import DummyEngine
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.settings import EngineSettings


class Loaded(DummyEngine):
    closed = False

    def close(self):
        self.closed = True


def test_the_same_model_is_loaded_once_and_unloaded_by_its_last_user():
    loads = []

    def load():
        loads.append(Loaded())
        return loads[-1]

    first, second = (
        shared_models.lease_engine("model", load),
        shared_models.lease_engine("model", load),
    )
    other = shared_models.lease_engine("other", load)
    assert len(loads) == 2
    first.close()
    first.close()
    assert not loads[0].closed
    assert second.generate([Request("가")])[0].text.startswith("답변")
    second.close()
    assert (loads[0].closed, loads[1].closed) == (True, False)
    other.close()
    assert shared_models.shared_engine_count() == 0
    shared_models.lease_engine("model", load).close()
    assert len(loads) == 3


def test_each_user_counts_its_own_work():
    first, second = (shared_models.lease_engine("model", Loaded) for _ in range(2))
    with first, second:
        first.generate([Request("가나다")])
        second.score(["가", "나"], [["1"], ["2"]])
        assert (first.stats.calls, first.stats.prompt_tokens) == (1, 3)
        assert (second.stats.calls, second.stats.prompt_tokens, second.stats.tokens) == (1, 2, 0)


def test_a_closed_engine_says_so_and_a_failed_load_leaves_nothing():
    engine = shared_models.lease_engine("model", Loaded)
    engine.close()
    with pytest.raises(UserError, match="closed"):
        engine.generate([Request("가")])

    def fails():
        raise UserError("no memory")

    with pytest.raises(UserError, match="no memory"):
        shared_models.lease_engine("model", fails)
    assert shared_models.shared_engine_count() == 0


def test_a_forgotten_engine_is_loaded_afresh_and_closing_it_leaves_the_fresh_one_alone():
    hung = shared_models.lease_engine("model", Loaded)
    shared_models.forget_engine(hung)
    fresh, shared = (
        shared_models.lease_engine("model", Loaded),
        shared_models.lease_engine("model", Loaded),
    )
    hung.close()
    assert shared_models.shared_engine_count() == 1
    fresh.close()
    assert shared.generate([Request("가")])[0].text.startswith("답변")
    shared_models.forget_engine(Loaded())
    shared.close()
    assert shared_models.shared_engine_count() == 0


def test_a_load_that_hangs_keeps_no_other_model_waiting():
    started, end = threading.Event(), threading.Event()

    def hangs():
        started.set()
        end.wait(20)
        return Loaded()

    thread = threading.Thread(target=lambda: shared_models.lease_engine("slow", hangs).close())
    other = threading.Thread(target=lambda: shared_models.lease_engine("other", Loaded).close())
    thread.start()
    started.wait(20)
    other.start()
    other.join(5)
    waited = other.is_alive()
    end.set()
    thread.join(20)
    assert not waited


def test_a_real_model_leaves_memory_with_its_last_user(llama):
    import gc
    import weakref

    settings = EngineSettings(dtype="float32")
    one, two = open_engine(settings, llama), open_engine(settings, llama)
    resident = next(iter(shared_models._registry().engines.values())).engine
    model = weakref.ref(resident.decoder.model)
    del resident
    with two:
        one.close()
        assert two.score(["<s>가"], [["1", "2"]])[0][0].tokens == 1
        assert model() is not None
    gc.collect()
    assert model() is None
