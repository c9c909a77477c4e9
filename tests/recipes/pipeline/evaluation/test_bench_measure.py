"""Which systems answer an evaluation set, and which questions."""

import pytest

from kofinlaw import UserError
from kofinlaw.rag.benches.bench_files import read_bench
from kofinlaw.rag.benches.sets import bench_set
from kofinlaw.recipes.pipeline.evaluation.bench_measure import sampled, systems_of


def test_each_model_answers_with_each_kind_of_evidence_that_there_is():
    assert systems_of(("base", "trained"), (), gold=True, search=True) == (
        "base", "base-gold", "base-rag", "trained", "trained-gold", "trained-rag",
    )  # fmt: skip
    assert systems_of(("model",), (), gold=False, search=True) == ("model", "model-rag")
    wanted = ("trained-rag", "base")
    assert systems_of(("base", "trained"), wanted, gold=False, search=True) == (
        "base", "trained-rag",
    )  # fmt: skip
    with pytest.raises(UserError, match="`base-gold` cannot answer") as error:
        systems_of(("base",), ("base-gold",), gold=False, search=True)
    assert "the systems are base, base-rag" in error.value.remedy


def test_a_sample_is_the_same_every_time_and_in_order(tmp_path):
    rows = "".join(f"질문 {n}은 무엇인가?,1,가{n},나,다,라\n" for n in range(30))
    path = tmp_path / "a.csv"
    path.write_text("question,answer,A,B,C,D\n" + rows, encoding="utf-8")
    whole = read_bench(bench_set("kmmlu"), [path])
    part = sampled(whole, 7)
    assert part == sampled(whole, 7)
    assert len(part.exam.questions) == len(part.exam.keys) == 7
    assert list(part.exam.rows) == sorted(part.exam.rows)
    assert [q.id for q in part.exam.questions] == [k.id for k in part.exam.keys]
    assert sampled(whole, 30) is sampled(whole, None) is whole
