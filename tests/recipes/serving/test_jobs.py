"""What a loaded run answers, without a server."""

import numpy as np
import pytest

from kofinlaw.models import embedders
from kofinlaw.recipes.api import Limits, open_run
from kofinlaw.recipes.serving.faults import lost_or_refused
from kofinlaw.recipes.serving.jobs import Complete, Embed, load_run


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
    assert [len(one.rows) for one in (*first, *again)] == [1, 2, 1]
    assert first[0].rows[0] == first[1].rows[1]
    assert again[0].rows[0] == first[1].rows[0] != first[0].rows[0]
    assert first[1].tokens == first[0].tokens + again[0].tokens > 8
    assert np.linalg.norm(again[0].rows[0]) == pytest.approx(1, abs=1e-3)
    assert len(opened) == 1
    assert written == []


def said(words, most=5):
    return Complete(({"role": "user", "content": words},), Limits(max_tokens=most))


def test_a_dialogue_that_fills_the_context_is_refused_and_the_others_are_answered(run):
    answer = load_run(run)
    short, long, last = answer([said("보관"), said("보관 기간 " * 4096), said("기간")], Silent())
    fault = lost_or_refused(long)
    assert (fault.status, fault.code, fault.param) == (400, "context_length_exceeded", "messages")
    assert [short.finish != "error", last.finish != "error"] == [True, True]
    assert short.tokens <= 5


def test_no_request_asks_the_engine_for_more_than_its_context(run, monkeypatch):
    seen = []
    with open_run(run) as opened:
        opened.load()
        engine, template = opened._asking.engine, opened._asking.template
        monkeypatch.setattr(engine, "generate", lambda requests: seen.extend(requests) or [])
        turns = [({"role": "user", "content": "보관 " * count},) for count in (1, 200, 400)]
        opened.complete(turns, [Limits(max_tokens=10), *[Limits(max_tokens=4096)] * 2])
        prompts = [template.render(one, add_generation_prompt=True) for one in turns]
        tokens = [engine.tokenizer.count(prompt) for prompt in prompts]
    assert [one.prompt for one in seen] == prompts
    assert [one.max_tokens for one in seen] == [10, 2048 - tokens[1], 2048 - tokens[2]]
