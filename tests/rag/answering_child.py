"""Answer a file with a slow dummy engine, in a separate process that a test can kill."""

import sys
import time
from pathlib import Path

import simulation

from kofinlaw.models.engines.dummy_engine import DummyEngine
from kofinlaw.rag.answer.answer_file import answer_questions
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer_settings import AnswerSettings


class Slow(DummyEngine):
    def score(self, prompts, choices):
        time.sleep(0.02)
        return super().score(prompts, choices)

    def generate(self, requests):
        time.sleep(0.02)
        return super().generate(requests)


if __name__ == "__main__":
    started = time.monotonic()
    answer_questions(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        open_engine=Slow,
        template=simulation.TEMPLATE,
        retriever=simulation.FakeSearcher(simulation.Clock()),
        settings=AnswerSettings(
            permutations=4, votes=3, batch_questions=3, budget_minutes=60, stall_seconds=60
        ),
        context=RunContext(
            started=started,
            progress=lambda *_, **__: sys.stdout.write("batch\n") and sys.stdout.flush(),
        ),
    )
