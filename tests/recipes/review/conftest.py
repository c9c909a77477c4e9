"""A run with hand-written examples, and the review page on it."""

import json
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "serving"))
sys.path.append(str(Path(__file__).parents[2] / "augment" / "review"))

from review_examples import LAW, choice_example, free_example, statement_example

from kofinlaw.augment.review.review_card import card_texts, review_record
from kofinlaw.augment.review.sample import reading_order
from kofinlaw.files import write_jsonl, write_text
from kofinlaw.recipes.pipeline.integrity.outputs import describe
from kofinlaw.recipes.pipeline.integrity.stage_record import write_record
from kofinlaw.recipes.pipeline.run import reopen
from kofinlaw.recipes.review.session import open_session
from kofinlaw.records import Chunk

RECIPE = """
name: small
policy: open
seed: 3
model: {id: pico/pico-llama, path: model}
data: {sources: [{path: docs, license: Apache-2.0}]}
augment: {items: 12}
evaluate: {questions: questions.jsonl, key: key.jsonl}
"""
MARKUP = "<script>document.title='x'</script><img src=x onerror=document.title=1>"


def write_run(folder):
    """Write the folder of a run whose stage `augment` is finished."""
    examples = [choice_example(f"quantity-{number}") for number in range(24)]
    examples += [free_example(), statement_example()]
    examples[3].choice["options"][0] = MARKUP
    examples[3].messages[0]["content"] = (
        examples[3].messages[0]["content"].replace("1 1년", f"1 {MARKUP}")
    )
    stage = folder / "augment"
    stage.mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    unit, focus = "전자지급 안전법 제4조", "거래기록을 5년간 보존하여야"
    write_jsonl(stage / "examples.jsonl", examples)
    rows = [{"id": e.id, "units": [unit], "focus": [focus]} for e in examples]
    write_jsonl(stage / "examples_focus.jsonl", rows)
    (stage / "card.md").write_text("# Training examples\n\n## Rejected\n", encoding="utf-8")
    (stage / "card.json").write_text("{}", encoding="utf-8")
    for name, text in card_texts(stage, review_record(reading_order(examples, 3), [])).items():
        write_text(stage / name, text)
    chunk = Chunk(
        "전자지급 안전법/제4조", "전자지급 안전법", "전자지급 안전법", "statute", "", unit,
        f"{LAW}\n④ 감독위원회는 제출을 요구할 수 있다.", "2025-01-01", "test", "test", "0" * 64,
    )  # fmt: skip
    write_jsonl(folder / "data" / "chunks.jsonl", [chunk])
    write_record(
        stage,
        {
            "stage": "augment",
            "status": "complete",
            "fingerprint": "x",
            "settings": {},
            "outputs": describe(stage),
        },
    )
    return folder


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "small")


@pytest.fixture
def session(run):
    """Open the review of the run for a reader."""
    return lambda reader="kim": open_session(reopen(run), reader)


@pytest.fixture
def serve(session):
    """Serve the page in this process: (reader, token) -> address."""
    import uvicorn

    from kofinlaw.recipes.review.app import make_review_app
    from kofinlaw.recipes.serving.access import open_access

    stops = []

    def start(reader="kim", token=""):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        app = make_review_app(session(reader), open_access("127.0.0.1", port, token, ()))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()

        def stop():
            server.should_exit = True
            thread.join(20)
            listener.close()

        stops.append(stop)
        while not server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{port}"

    yield start
    for stop in stops:
        stop()


@pytest.fixture
def lines(run):
    """The verdicts in the file, as JSON."""

    def read():
        path = run / "review.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    return read


@pytest.fixture
def exported(session, tmp_path):
    """Export examples for another tool: (form, most, reader) -> session, figures, file."""
    from kofinlaw.recipes.review.export_file import export_examples

    def write(form, most=3, reader="kim"):
        kim = session(reader)
        out = tmp_path / "out" / "review.json"
        return kim, export_examples(kim, form, out, most), out

    return write
