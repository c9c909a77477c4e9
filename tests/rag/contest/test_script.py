"""The contest script: Python 3.10 syntax, imports, retrieval, submission and clock."""

from __future__ import annotations

import ast
import csv
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.law.former_names import NAMES as NAMES_FILE
from kofinlaw.data.law.former_names import FormerName, read_names
from kofinlaw.files import write_json, write_jsonl
from kofinlaw.rag.contest.folder import ALLOWED, write_index
from kofinlaw.rag.contest.script import load_index, search
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question


def test_the_script_is_python_310_and_imports_what_the_machine_has(script: str) -> None:
    tree = ast.parse(script, feature_version=(3, 10))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert {"torch", "transformers"} <= imported
    assert imported - set(sys.stdlib_module_names) <= ALLOWED
    names = [n.name for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    assert len(names) == len(set(names))


def test_a_python_310_compiles_it(tmp_path: Path, script: str) -> None:
    found = sorted(Path.home().glob(".pyenv/versions/3.10.*/bin/python"))
    if not found:
        pytest.skip("no Python 3.10 on this machine")
    (tmp_path / "answer.py").write_text(script, encoding="utf-8")
    done = subprocess.run([found[0], "-m", "py_compile", tmp_path / "answer.py"])
    assert done.returncode == 0


TEXTS = [
    "전자금융거래법 제9조(책임)\n① 금융회사는 접근매체의 위조로 생긴 손해를 배상한다.",
    "전자금융거래법 제22조(기록)\n① 금융회사는 전자금융거래기록을 5년간 보존한다.",
    "개인정보 보호법 제15조(수집)\n① 개인정보처리자는 동의를 받아 개인정보를 수집한다.",
]

RAG = RagSettings(embedder=None, lexical="bigram")


def chunks_of(texts: Sequence[str]) -> list[Chunk]:
    """One chunk a text; its unit is what the text begins with."""
    units = [text.partition("(")[0] for text in texts]
    titles = [unit.rpartition(" ")[0] for unit in units]
    return [
        Chunk(unit, title, title, "statute", "", unit, text, "", "t", "PD", unit)
        for unit, title, text in zip(units, titles, texts, strict=True)
    ]


QUESTION = "전자금융거래기록의 보존 기간으로 옳은 것은?"


OPTIONS = ("1년", "3년", "5년", "10년")


NAMES = [FormerName("전자거래기록법", ("전자금융거래법",), same=True)]
NAMES += [FormerName("옛 정보법", ("개인정보 보호법", "전자금융거래법"))]
SUPPLEMENT = "전자금융거래법 부칙 제1조(시행일)\n접근매체의 위조에 관한 규정은 5년간 적용한다."
WORDS = [
    "부칙",
    "금융회사",
    "접근매체의 위조",
    "5년간",
    "보존한다",
    "손해",
    "동의",
    "개인정보",
    "것은?",
]
CITED = [
    "전자거래기록법 제9조",
    "옛 정보법",
    "전자금융거래법 제9조",
    "개인정보보호법 제15조제1항",
    "전자금융거래법 제99조",
    "민법 제1조",
]


@pytest.fixture(scope="module")
def found_by(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Search with the script and with the retriever; both return texts."""
    folder = tmp_path_factory.mktemp("found")
    chunks = chunks_of([*TEXTS, SUPPLEMENT])
    chunks[-1] = replace(chunks[-1], path="부칙", title="전자금융거래법")
    write_jsonl(folder / "chunks.jsonl", chunks)
    write_json(folder / NAMES_FILE, [[one.name, one.titles, one.same] for one in NAMES])
    write_index(chunks, range(4), folder / "index", RAG, read_names(folder / NAMES_FILE))
    build_index(folder / "chunks.jsonl", folder / "built", RAG)
    index, built = load_index(folder / "index"), Index.load(folder / "built")

    def both(asked: Question, k: int, added: int) -> tuple[list[str], list[str]]:
        rag = RAG.model_copy(update={"k": k, "option_passages": added})
        (hits,) = Retriever(built, rag).search([asked])
        found = search(index, asked.question, asked.options, k, added)
        return found, [hit.chunk.text for hit in hits]

    return both


def test_retrieval_is_the_lexical_indexs_own(tmp_path: Path, answering: Any) -> None:
    write_index(chunks_of(TEXTS), range(3), tmp_path / "index", RAG)
    index = answering.load_index(tmp_path / "index")
    query = f"{QUESTION} 금융회사"
    scores = answering.scores_of(index, query)
    rows, expected = LexicalIndex.build([bigrams(t) for t in TEXTS]).query(bigrams(query), 3)
    for row, score in zip(rows, expected, strict=True):
        assert scores[row] == pytest.approx(score, rel=1e-5)
    assert answering.search(index, QUESTION, OPTIONS, 1) == [TEXTS[1]]
    assert np.count_nonzero(answering.scores_of(index, "zzz")) == 0


def test_passages_of_the_options_are_those_of_the_retriever(tmp_path: Path, answering: Any) -> None:
    write_jsonl(tmp_path / "chunks.jsonl", chunks_of(TEXTS))
    write_index(chunks_of(TEXTS), range(3), tmp_path / "index", RAG)
    index = answering.load_index(tmp_path / "index")
    rag = RagSettings(k=1, option_passages=1, embedder=None, lexical="bigram")
    build_index(tmp_path / "chunks.jsonl", tmp_path / "built", rag)
    options = ("접근매체의 위조", "전자금융거래기록", "개인정보의 수집")
    asked = Question("1", "5년간 보존하는 것은?", options)
    (hits,) = Retriever(Index.load(tmp_path / "built"), rag).search([asked])
    found = answering.search(index, asked.question, options, 1, 1)
    assert found == [hit.chunk.text for hit in hits]
    assert sorted(found) == sorted(TEXTS)
    assert answering.search(index, asked.question, options, 1) == found[:1]


@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=6),
    cited=st.lists(st.sampled_from(CITED), max_size=2),
    options=st.lists(st.sampled_from([*WORDS, *CITED]), max_size=4, unique=True),
    k=st.integers(1, 3),
    added=st.integers(0, 2),
)
@settings(max_examples=40, deadline=None)
def test_the_script_finds_what_the_retriever_finds(
    found_by: Any, words: list[str], cited: list[str], options: list[str], k: int, added: int
) -> None:
    asked = Question("1", " ".join([*cited, *words]), tuple(options))
    script, retriever = found_by(asked, k, added)
    assert script == retriever


def test_the_article_that_a_question_cites_comes_first(found_by: Any) -> None:
    for name in ("개인정보 보호법 제15조", "개인정보보호법 15조", "개인정보 보허법 제15조"):
        script, retriever = found_by(Question("1", f"{name}에 따라 기록을 보존하면?"), 2, 0)
        assert script == retriever
        assert script[0] == TEXTS[2]


def test_former_names_and_supplements_are_searched_as_by_the_retriever(found_by: Any) -> None:
    script, retriever = found_by(Question("1", "전자거래기록법 제9조의 손해는?"), 4, 0)
    assert script == retriever
    assert script[0] == TEXTS[0]
    assert SUPPLEMENT not in script
    script, retriever = found_by(Question("1", "접근매체의 위조에 관한 부칙의 시행일은?"), 4, 0)
    assert script == retriever
    assert script[0] == SUPPLEMENT


def test_the_submission_is_complete_whatever_the_model_does(
    tmp_path: Path, answering: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(tmp_path / "test.csv", "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["ID", "Question"])
        for number in range(4):
            lines = [QUESTION, *(f"{i} {text}" for i, text in enumerate(OPTIONS, 1))]
            writer.writerow([f"Q{number}", "\n".join(lines)])
        lines = ["보존 기간으로 옳지 않은 것은?", "1 3년간 보존", "2 5년간 보존"]
        writer.writerow(["N0", "\n".join(lines)])
        writer.writerow(["F0", "보존 기간을 설명하시오."])
    write_index(chunks_of(TEXTS), range(3), tmp_path / "index", RAG)
    settings = {"k": 2, "option_passages": 0, "free_max_characters": 160}
    (tmp_path / "contest.json").write_text(json.dumps(settings), encoding="utf-8")
    tried: list[tuple[int, float]] = []

    class Failing:
        def __init__(self, settings: Any, folder: Path) -> None:
            pass

        def answer(self, stem: str, options: Any, passages: Any, share: float) -> str:
            tried.append((len(options), share))
            if options and len(tried) > 2:
                raise RuntimeError("CUDA out of memory")
            return "2" if options else "5년간 보존한다."

    monkeypatch.setattr(answering, "Model", Failing)
    monkeypatch.setattr(answering, "HERE", tmp_path)
    out = tmp_path / "submission.csv"
    arguments = ["answer.py", "--questions", str(tmp_path / "test.csv"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", arguments)
    answering.main()
    with open(out, encoding="utf-8-sig", newline="") as handle:
        rows = {row["ID"]: row["Answer"] for row in csv.DictReader(handle)}
    # The evidence contains 5년: a question that the model could not answer gets that.
    answered = {"Q0": "2", "Q1": "2", "Q2": "3", "Q3": "3"}
    # A question with a negative stem gets the other option.
    assert rows == {**answered, "N0": "1", "F0": "5년간 보존한다."}
    before = len(tried)
    answering.main()
    again = tried[before:]
    assert {count for count, _ in again} == {4, 2}, "answers that are there are not asked again"
    log = [json.loads(r) for r in (tmp_path / "answers.jsonl").read_text("utf-8").split("\n") if r]
    assert [row["id"] for row in log] == ["Q0", "Q1", "F0"]


def test_time_counts_that_was_used_before_any_answer(
    tmp_path: Path, answering: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "BEAT_SECONDS", 0.01)
    clock = tmp_path / "clock.txt"

    def killed_while_loading(started: float) -> None:
        with answering.counted(clock, started):
            while not clock.exists():
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed_while_loading(time.monotonic() - 100)
    with answering.counted(clock, time.monotonic()) as used:
        assert 100 <= used < 160


def test_questions_are_read_as_the_run_reads_them(tmp_path: Path) -> None:
    from kofinlaw.rag.contest.script import read
    from kofinlaw.rag.questions.question_files import read_questions

    path = tmp_path / "test.csv"
    rows = [
        ("a", "옳은 것은? 1) 갑 2) 을 3) 병\n정답: 2"),
        ("b", "의무를 설명하시오.\n1) 보안\n2) 공시"),
        ("c", "다음 중 옳은 것은?<br>가. 갑<br>나. 을"),
    ]
    with path.open("w", encoding="cp949", newline="") as handle:
        csv.writer(handle).writerows([("ID", "Question"), *rows])
    assert tuple(read(path)[2]) == read_questions(path).questions
