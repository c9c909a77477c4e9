import json
import zlib

import pytest

from kofinlaw import UserError
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.files import read_jsonl
from kofinlaw.models.engines.base import ChoiceScore, EngineStats
from kofinlaw.models.templates import built_in_template
from kofinlaw.records import Example

SETTINGS = AugmentSettings(
    items=20,
    free_share=0,
    most_by_article=50,
    select="student",
    student_pool=3.0,
    negative_share=0,
    numeric_share=0,
)


class Student:
    """Scores an option high where `knows` says so."""

    def __init__(self, knows):
        self.knows = knows
        self.asked = []
        self.stats = EngineStats()

    def score(self, prompts, choices):
        self.asked += prompts
        return [
            [ChoiceScore(-1.0 if self.knows(p, c) else -2.0, 1) for c in row]
            for p, row in zip(prompts, choices, strict=True)
        ]

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def by_chance(prompt, choice):
    return zlib.crc32(choice.encode()) % 2


def run(corpus, out, student, settings=SETTINGS):
    template = built_in_template("chatml")
    generate_examples(settings, corpus, out, seed=7, student=lambda: (student, template))
    return list(read_jsonl(out / "examples.jsonl", Example))


def test_what_the_student_gets_wrong_is_taken_first(corpus, tmp_path):
    settings = SETTINGS.model_copy(update={"items": 3, "generators": {"quantity": 1.0}})
    student = Student(by_chance)
    taken = run(corpus, tmp_path, student, settings)
    rows = [json.loads(line) for line in open(tmp_path / "student.jsonl", encoding="utf-8")]
    margins = {row["id"].split("-")[1]: row["margin"] for row in rows}
    assert len(margins) > len(taken) == 3
    wrong = sum(margin < 0 for margin in margins.values())
    assert 0 < wrong < len(margins)
    # Options are put in another order after the choice, so ids may differ: compare by count.
    again = Student(by_chance)
    least = sorted(margins.values())[:3]
    assert _margins_of(taken, again) == least


def _margins_of(examples, student):
    out = []
    for example in examples:
        right = example.messages[1]["content"]
        body = example.messages[0]["content"].split("[문제]")[1]
        options = [line[2:] for line in body.split("\n")[1:] if line[:1].isdigit()]
        scores = {o: -1.0 if student.knows("", o) else -2.0 for o in options}
        out.append(scores[right] - max(v for o, v in scores.items() if o != right))
    return sorted(out)


def test_a_resumed_run_asks_the_student_nothing_twice(corpus, tmp_path):
    first = Student(by_chance)
    run(corpus, tmp_path, first)
    before = (tmp_path / "examples.jsonl").read_bytes()
    lines = (tmp_path / "student.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "student.jsonl").write_bytes(b"".join(lines[:7]) + lines[7][:9])
    again = Student(by_chance)
    run(corpus, tmp_path, again)
    assert len(again.asked) == len(first.asked) - 7
    assert (tmp_path / "examples.jsonl").read_bytes() == before


def test_no_student_to_ask_is_an_error(corpus, tmp_path):
    with pytest.raises(UserError, match="no student"):
        generate_examples(SETTINGS, corpus, tmp_path, seed=7)
