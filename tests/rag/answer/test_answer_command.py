"""`kofinlaw answer` and `kofinlaw export --contest` from the command line, with the dummy engine."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from commands import Typed, finish_run

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.models.engines.base import ChoiceScore
from kofinlaw.models.engines.dummy_engine import DummyEngine
from kofinlaw.records import Chunk, Key


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with an index of three articles and a model that only has a template."""
    folder = tmp_path / "runs" / "small"
    chunks = folder / "data" / "chunks.jsonl"
    chunks.parent.mkdir(parents=True)
    rows = [
        Chunk(f"법/제{n}조", "법", "법", "statute", f"제{n}조", f"법 제{n}조",
              f"법 제{n}조(기록)\n금융회사는 기록을 {n}년간 보존한다.", "2024-01-01", "t", "PD", str(n))
        for n in (1, 3, 5)
    ]  # fmt: skip
    write_jsonl(chunks, rows)
    return finish_run(folder)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "test.csv"
    with open(path, "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["ID", "Question"])
        for number in range(3):
            writer.writerow([f"Q{number}", f"기록 {number}의 보존 기간은?\n1 1년\n2 3년\n3 5년"])
        writer.writerow(["F", "보존 기간을 설명하시오."])
    return path


def test_a_plan_recorded_by_one_run_is_followed_by_another(
    tmp_path: Path,
    run: Path,
    questions: Path,
    typed: Typed,
) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    assert typed("answer", questions, "--run", run, "--out", first)[0] == 0
    words = ("answer", questions, "--run", run, "--out", again)
    code, shown = typed(*words, "--replay-plan", first / "plan.jsonl")
    assert (code, "4 answers" in shown) == (0, True), shown
    for name in ("answers.jsonl", "plan.jsonl", "submission.csv"):
        assert (first / name).read_bytes() == (again / name).read_bytes(), name
    code, shown = typed(*words, "--replay-plan", tmp_path / "none.jsonl")
    assert (code, "the plan does not exist" in shown or "changed since it started" in shown) == (
        1,
        True,
    )


def test_five_runs_say_their_mean_and_spread(
    tmp_path: Path,
    run: Path,
    questions: Path,
    typed: Typed,
) -> None:
    write_jsonl(tmp_path / "key.jsonl", [Key(f"Q{n}", "2") for n in range(3)])
    words = ("answer", questions, "--run", run, "--out", tmp_path / "five", "--runs", 5)
    code, shown = typed(*words, "--key", tmp_path / "key.jsonl")
    assert code == 0, shown
    assert "5 runs:" in shown
    assert "with the same answer in two runs: 100.0%" in shown
    found = json.loads((tmp_path / "five" / "repeats.json").read_text("utf-8"))
    assert found["accuracy"]["deviation"] == 0.0


def test_a_model_trained_again_does_not_resume_the_answers_of_the_one_before(
    tmp_path: Path,
    run: Path,
    questions: Path,
    typed: Typed,
) -> None:
    words = ("answer", questions, "--run", run, "--out", tmp_path / "out")
    weights = run / "merge" / "model" / "model.safetensors"
    weights.write_bytes(b"first")
    assert typed(*words)[0] == 0
    assert typed(*words)[0] == 0
    weights.write_bytes(b"again")
    code, shown = typed(*words)
    assert (code, "model changed since it started" in shown) == (1, True), shown


def test_every_run_asks_its_own_engine_to_rerank(
    tmp_path: Path,
    run: Path,
    questions: Path,
    typed: Typed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    class Closing(DummyEngine):
        closed = False

        def score(
            self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
        ) -> list[list[ChoiceScore]]:
            if self.closed:
                raise UserError("this engine is closed")
            asked.append(id(self))
            return super().score(prompts, choices)

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr("kofinlaw.models.engines.dummy_engine.DummyEngine", Closing)
    recipe = run / "recipe.yaml"
    text = recipe.read_text("utf-8").replace(
        "{lexical: bigram}", "{lexical: bigram, reranker: llm}"
    )
    recipe.write_text(text, encoding="utf-8")
    words = ("answer", questions, "--run", run, "--out", tmp_path / "two", "--runs", 2)
    code, shown = typed(*words)
    assert (code, "2 runs:" in shown) == (0, True), shown
    halves = asked[: len(asked) // 2], asked[len(asked) // 2 :]
    assert [len(set(half)) for half in halves] == [1, 1]


def test_answering_needs_no_network_interface(tmp_path: Path, run: Path, questions: Path) -> None:
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        pytest.skip("this machine does not allow a network namespace")
    command = [
        "-c",
        "from kofinlaw.recipes.cli.entry import main; main()",
        "answer",
        str(questions),
    ]
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, *command, "--run", run, "--out", tmp_path / "out"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len((tmp_path / "out" / "answers.jsonl").read_text("utf-8").splitlines()) == 4


# Runs `kofinlaw` with the arguments after the first, which names the submission. Prints whether the
# submission existed each time that torch was imported, and the exit status.
RECORDING = """
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

submission, *words = sys.argv[1:]
existed = []

class Recorder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != "torch":
            return None
        spec = super().find_spec(name, path, target)
        run = spec.loader.exec_module

        def exec_module(module):
            existed.append(Path(submission).exists())
            run(module)

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Recorder)
from kofinlaw.models.engines import factory

def open_engine(*arguments, **options):
    import torch

    return opened(*arguments, **options)

opened, factory.open_engine = factory.open_engine, open_engine
from kofinlaw.recipes.cli.entry import main
from kofinlaw.recipes.pipeline.evaluation.leaving import leaving

leaving._end = lambda code: None  # this process prints what it saw
sys.argv, code = ["kofinlaw", *words], 0
try:
    main()
except SystemExit as error:
    code = error.code or 0
print(existed, code, flush=True)
os._exit(0)  # as the command does: threads may still load a model
"""


@pytest.mark.parametrize("reranker", ["none", "a cross-encoder"])
def test_the_first_submission_is_written_before_torch_is_imported(
    tmp_path: Path, run: Path, questions: Path, reranker: str
) -> None:
    """torch takes seconds to import, and the deadline may be closer than that."""
    if reranker != "none":
        folder = tmp_path / "cross-encoder"
        folder.mkdir()
        (folder / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
        (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
        recipe = run / "recipe.yaml"
        text = recipe.read_text("utf-8")
        recipe.write_text(
            text.replace("{lexical: bigram}", f"{{lexical: bigram, reranker: {folder}}}"),
            encoding="utf-8",
        )
    out = tmp_path / "out"
    words = (out / "submission.csv", "answer", questions, "--run", run, "--out", out)
    done = subprocess.run(
        [sys.executable, "-c", RECORDING, *words], capture_output=True, text=True, check=True
    )
    # A cross-encoder without weights of its layers is refused, after the first submission.
    ended = "[True] 0" if reranker == "none" else "[True] 1"
    assert done.stdout.splitlines()[-1] == ended, done.stdout + done.stderr
    with open(out / "submission.csv", encoding="utf-8-sig", newline="") as handle:
        assert len(list(csv.DictReader(handle))) == 4
    if reranker == "none":
        assert len((out / "answers.jsonl").read_text("utf-8").splitlines()) == 4


def test_a_contest_folder_needs_weights(tmp_path: Path, run: Path, typed: Typed) -> None:
    words = ("export", run / "merge" / "model", "--contest", "--run", run, "--out", tmp_path / "c")
    code, shown = typed(*words)
    assert (code, "no checkpoint" in shown) == (1, True), shown


HEAVY = {"torch", "transformers", "numpy", "kiwipiepy", "scipy"}
# Runs `kofinlaw` and writes the order of imports, submissions and the end to the first argument.
CHILD = """
import atexit, json, os, sys
log, *arguments = sys.argv[1:]
events = []
def hook(event, given):
    if event == "import" and given[0].partition(".")[0] in HEAVY | {"kofinlaw"}:
        events.append(["import", given[0]])
    elif event == "os.rename" and str(given[1]).endswith("submission.csv"):
        events.append(["submission", ""])
sys.addaudithook(hook)
atexit.register(lambda: events.append(["atexit", ""]))
from kofinlaw.recipes.pipeline.evaluation.leaving import leaving
def end(code):
    with open(log, "w") as handle:
        json.dump([*events, ["end", str(code)]], handle)
    os._exit(code)
leaving._end = end
sys.argv = ["kofinlaw", *arguments]
from kofinlaw.recipes.cli.entry import main
main()
"""


def test_a_real_process_submits_before_heavy_imports_and_ends_behind_the_last_write(
    tmp_path: Path,
    run: Path,
    questions: Path,
) -> None:
    """The order of events in a real child process: no time is measured."""
    log, out = tmp_path / "events.json", tmp_path / "out"
    script = f"HEAVY = {HEAVY!r}\n{CHILD}"
    command = ["answer", questions, "--run", run, "--out", out]
    done = subprocess.run(
        [sys.executable, "-c", script, log, *map(str, command)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "4 answers" in done.stdout  # printed before the process ended
    events = json.loads(log.read_text("utf-8"))
    kinds = [kind for kind, _ in events]
    first = kinds.index("submission")
    before = {name for kind, name in events[:first] if kind == "import"}
    assert not HEAVY & {name.partition(".")[0] for name in before}
    assert not {name for name in before if name.startswith("kofinlaw.rag.index")}
    assert "numpy" in {name for _, name in events[first:]}
    assert events[-1] == ["end", "0"]
    assert "atexit" not in kinds
    last = len(kinds) - 1 - kinds[::-1].index("submission")
    assert not HEAVY & {name.partition(".")[0] for _, name in events[last:]}
