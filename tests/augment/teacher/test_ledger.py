import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.augment.teacher.ledger import (
    Ledger,
    generate,
    open_ledger,
    read_ledger,
    request_key,
)
from kofinlaw.cluster.jobs import HERE, Job
from kofinlaw.models.engines.base import Generation, Request

SCRIPT = Path(__file__).parent / "scripted.py"


class Counting:
    """Answers with the prompt's length; dies or fails when a test asks for it."""

    def __init__(self, fails=(), dies_after=None):
        self.asked = []
        self.fails = fails
        self.dies_after = dies_after

    def generate(self, requests):
        for request in requests:
            if self.dies_after is not None and len(self.asked) >= self.dies_after:
                raise KeyboardInterrupt
            if request.prompt in self.fails:
                raise ValueError("too long")
            self.asked.append(request.prompt)
        return [Generation(f"답 {len(r.prompt)}", 1, 1, "stop", 0.0) for r in requests]


def requests(count):
    return [Request(f"질문 {n}", stop=("\n",)) for n in range(count)]


def answered_by(engine):
    return HERE.start(Job("test", lambda: nullcontext(engine), generate))


def ask(path, engine, wanted, batch=4, **options):
    with answered_by(engine) as pool:
        return list(Ledger(path, "m", batch=batch, **options).ask(pool, wanted))


def sent(book, wanted):
    """How many requests the ledger had no line of."""
    engine = Counting()
    with answered_by(engine) as pool:
        list(book.ask(pool, wanted))
    return len(engine.asked)


def test_every_request_gets_a_line_and_is_never_sent_again(tmp_path):
    path = tmp_path / "ledger.jsonl"
    engine = Counting()
    first = ask(path, engine, requests(10))
    assert len(engine.asked) == 10
    again = Counting()
    assert ask(path, again, requests(10)) == first
    assert again.asked == []


def test_the_same_request_twice_is_sent_once(tmp_path):
    engine = Counting()
    entries = ask(tmp_path / "l.jsonl", engine, [*requests(3), *requests(3)])
    assert engine.asked == ["질문 0", "질문 1", "질문 2"]
    assert entries[:3] == entries[3:]


def test_a_run_cut_anywhere_ends_with_the_same_bytes_and_sends_nothing_recorded(tmp_path):
    whole = tmp_path / "whole.jsonl"
    ask(whole, Counting(), requests(17))
    for trial in range(20):
        path = tmp_path / f"{trial}.jsonl"
        with pytest.raises(KeyboardInterrupt):
            ask(path, Counting(dies_after=trial % 16), requests(17))
        if path.exists():
            cut = random.Random(trial).randrange(path.stat().st_size + 1)
            path.write_bytes(path.read_bytes()[:cut])
        recorded = {e.prompt_sha256 for e in read_ledger(path)[0].values()}
        engine = Counting()
        ask(path, engine, requests(17))
        assert len(engine.asked) == 17 - len(recorded)
        assert path.read_bytes() == whole.read_bytes()


def test_whatever_decides_an_answer_makes_another_request():
    base = Request("질문")
    others = [
        Request("질문?"),
        Request("질문", temperature=0.5),
        Request("질문", seed=1),
        Request("질문", stop=("\n",)),
        Request("질문", json_schema={"type": "object"}),
    ]
    keys = {request_key(r, "m") for r in [base, *others]} | {request_key(base, "n")}
    assert len(keys) == 7


def test_a_damaged_line_is_named_and_only_its_request_asked_again(tmp_path):
    path = tmp_path / "ledger.jsonl"
    ask(path, Counting(), requests(4))
    lines = path.read_text("utf-8").splitlines()
    lines[2] = lines[2][:20]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    book = Ledger(path, "m")
    assert book.damaged == [3]
    engine = Counting()
    with answered_by(engine) as pool:
        list(book.ask(pool, requests(4)))
    assert engine.asked == ["질문 2"]
    assert len(read_ledger(path)[0]) == 4


def test_an_error_is_remembered_until_it_is_to_be_tried_again(tmp_path):
    path = tmp_path / "l.jsonl"
    entries = ask(path, Counting(fails=("질문 1",)), requests(3))
    assert [e.finish for e in entries] == ["stop", "error", "stop"]
    assert "too long" in entries[1].text
    engine = Counting()
    assert ask(path, engine, requests(3)) == entries
    assert engine.asked == []
    repaired = ask(path, engine, requests(3), retry_errors=True)
    assert engine.asked == ["질문 1"]
    assert [e.finish for e in repaired] == ["stop"] * 3
    assert ask(path, Counting(), requests(3)) == repaired


def test_resume_never_forgets_and_always_wants_a_whole_ledger(tmp_path):
    path = tmp_path / "l.jsonl"
    with pytest.raises(UserError, match="no ledger"):
        open_ledger(path, "m", resume="always")
    ask(path, Counting(), requests(2))
    assert sent(open_ledger(path, "m", resume="always"), requests(2)) == 0
    path.write_text(path.read_text("utf-8") + "{broken\n", "utf-8")
    with pytest.raises(UserError, match=r"jsonl:3.*damaged"):
        open_ledger(path, "m", resume="always")
    assert sent(open_ledger(path, "m", resume="if-possible"), requests(3)) == 1
    assert sent(open_ledger(path, "m", resume="never"), requests(2)) == 2


def test_a_disk_that_fills_up_keeps_what_was_recorded(tmp_path):
    path = tmp_path / "ledger.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A limit on a file's size cuts a line in the middle, as a full disk does.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(UserError, match="no space left"):
            ask(path, Counting(), requests(10))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    kept = len(read_ledger(path)[0])
    assert 0 < kept < 10
    engine = Counting()
    assert len(ask(path, engine, requests(10))) == 10
    assert engine.asked == [f"질문 {n}" for n in range(kept, 10)]


def teach(corpus, folder, kill_after=None):
    """Run a teaching process and kill it a given time after its first request."""
    sent = folder / "sent.txt"
    command = [sys.executable, str(SCRIPT), str(corpus), str(folder / "out")]
    before = sent.stat().st_size if sent.exists() else 0
    process = subprocess.Popen([*command, str(folder / "ledger.jsonl"), str(sent), "18"])
    if kill_after is not None:
        while process.poll() is None and (sent.stat().st_size if sent.exists() else 0) == before:
            time.sleep(0.01)
        time.sleep(kill_after)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
    return process.wait(timeout=120)


def test_a_killed_teacher_goes_on_without_loss_or_repeat(corpus, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    assert teach(corpus, whole) == 0
    rng = random.Random(5)
    for _ in range(2):
        recorded = {e.prompt_sha256 for e in read_ledger(killed / "ledger.jsonl")[0].values()}
        known = _sent(killed)
        teach(corpus, killed, kill_after=rng.uniform(0.05, 0.4))
        assert not recorded & set(_sent(killed)[len(known) :])
    assert teach(corpus, killed) == 0
    for name in ("examples.jsonl", "rejected.jsonl", "ledger.jsonl", "card.json"):
        assert (killed / "out" / name).read_bytes() == (whole / "out" / name).read_bytes(), name
    keys = [json.loads(line)["key"] for line in open(killed / "ledger.jsonl", encoding="utf-8")]
    assert len(keys) == len(set(keys))


def _sent(folder):
    path = folder / "sent.txt"
    return path.read_text("utf-8").splitlines() if path.exists() else []


class Shuffled:
    """A pool whose answers arrive in another order than they were given."""

    def __init__(self, engine, seed):
        self.engine, self.draw = engine, random.Random(seed)

    def results(self, items, *, ahead=None):
        found = [(number, generate(self.engine, item)) for number, item in enumerate(items)]
        self.draw.shuffle(found)
        yield from found


@pytest.mark.parametrize("seed", range(5))
def test_answers_in_any_order_give_the_file_of_one_process(tmp_path, seed):
    whole, mixed = tmp_path / "whole.jsonl", tmp_path / "mixed.jsonl"
    other = '{"of": "another version"}\n'
    for path in (whole, mixed):
        path.write_text(other, encoding="utf-8")
    entries = ask(whole, Counting(fails=("질문 5",)), requests(17))
    book = Ledger(mixed, "m", batch=4)
    assert list(book.ask(Shuffled(Counting(fails=("질문 5",)), seed), requests(17))) == entries
    assert mixed.read_bytes() == whole.read_bytes()
    assert mixed.read_text("utf-8").startswith(other)


def test_a_killed_driver_loses_no_answer_that_arrived(tmp_path):
    path = tmp_path / "l.jsonl"
    answers = Ledger(path, "m", batch=4).ask(Shuffled(Counting(), 1), requests(17))
    next(answers)
    answers.close()
    recorded = {e.prompt_sha256 for e in read_ledger(path)[0].values()}
    assert recorded
    engine = Counting()
    list(Ledger(path, "m", batch=4).ask(Shuffled(engine, 2), requests(17)))
    assert len(engine.asked) == 17 - len(recorded)
    whole = tmp_path / "whole.jsonl"
    ask(whole, Counting(), requests(17))
    assert path.read_bytes() == whole.read_bytes()
