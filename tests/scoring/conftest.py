"""A small run folder with the files that the other rooms write, and an embedder without a model."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from pathlib import Path

import numpy as np
import pytest

from kofinlaw.files import write_json, write_jsonl
from kofinlaw.records import Answer, Chunk, Key, Question
from kofinlaw.scoring.settings import ScoreSettings

SYSTEMS = {"base": 0.28, "base-rag": 0.42, "trained-rag": 0.55}


class BigramEmbedder:
    """Character bigrams hashed into 64 dimensions: real cosines without a model."""

    name = "bigram-64"
    dimensions = 64

    def encode_queries(self, texts):
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for pair in itertools.pairwise(text):
                row[hashlib.sha256("".join(pair).encode()).digest()[0] % self.dimensions] += 1
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(norms == 0, 1, norms)


def make_chunks(count: int) -> list[Chunk]:
    topics = ["접근매체의 발급", "손해배상", "전산자료의 보호", "이용자 정보의 관리", "위탁의 보고"]
    out = []
    for number in range(1, count + 1):
        unit = f"가람은행 전자금융규정 제{number}조"
        topic = topics[number % len(topics)]
        out.append(
            Chunk(
                id=f"가람은행 전자금융규정/제{number}조",
                document_id="가람은행 전자금융규정",
                title="가람은행 전자금융규정",
                kind="rule",
                path=f"제{1 + number // 10}장 > 제{number}조({topic})",
                unit=unit,
                text=f"가람은행 전자금융규정 제{number}조({topic}) 은행은 {topic}에 관하여 "
                f"{number}일 이내에 이용자에게 통지하고 그 기록을 {number % 7 + 1}년간 보존하여야 한다.",
                as_of="2026-01-01",
                source="data/sample",
                license="Apache-2.0",
                sha256="0" * 64,
            )
        )
    return out


def make_questions(choice: int, free: int) -> tuple[list[Question], list[Key]]:
    random_ = random.Random(7)
    questions, keys = [], []
    for number in range(1, choice + 1):
        size = 4 + number % 2
        if number % 4 == 0:
            options = tuple(f"{number + step}일" for step in range(size))
            stem = f"가람은행 전자금융규정 제{number}조에 따른 통지 기한은 며칠인가?"
        elif number % 3 == 0:
            options = tuple(
                f"{word}에게 서면으로 통지한다."
                for word in ["이용자", "위탁자", "감독자", "보증인", "대리인"][:size]
            )
            stem = f"{number}번 사고에 대한 은행의 의무로 옳지 않은 것은?"
        else:
            options = tuple(f"기록을 {step + 1}년간 보존한다." for step in range(size))
            stem = f"{number}번 거래기록의 보존에 관한 설명으로 옳은 것은?"
        questions.append(Question(f"MC-{number:03d}", stem, options))
        keys.append(
            Key(
                f"MC-{number:03d}",
                answer=str(random_.randint(1, size)),
                units=(f"가람은행 전자금융규정 제{number % 60 + 1}조",),
                slices=("numeric", "hard") if number % 4 == 0 else ("look_up",),
            )
        )
    for number in range(1, free + 1):
        questions.append(
            Question(f"FR-{number:02d}", f"전자금융사고의 통지 절차 {number}을 설명하시오.")
        )
        keys.append(
            Key(
                f"FR-{number:02d}",
                reference=f"은행은 사고를 안 날부터 {number}일 이내에 이용자에게 통지하여야 한다.",
                keywords=("이용자 통지", "전자금융사고"),
                units=(f"가람은행 전자금융규정 제{number}조",),
            )
        )
    return questions, keys


def make_answers(questions, keys, chunks, *, skill: float, rag: bool, seed: int) -> list[Answer]:
    random_ = random.Random(seed)
    by_unit = {chunk.unit: chunk.id for chunk in chunks}
    out = []
    for question, key in zip(questions, keys, strict=True):
        right = random_.random() < skill
        evidence: tuple[str, ...] = ()
        if rag:
            picked = random_.sample([chunk.id for chunk in chunks], 5)
            if random_.random() < 0.8:
                picked[random_.choice([0, 0, 0, 1, 2])] = by_unit[key.units[0]]
            evidence = tuple(dict.fromkeys(picked))
        if question.options:
            other = [str(i) for i in range(1, len(question.options) + 1) if str(i) != key.answer]
            text = key.answer if right else random_.choice(other)
        else:
            text = key.reference if right else "해당 내용은 규정에서 확인할 수 없습니다."
        confidence = round(random_.uniform(0.3, 0.9), 3)
        out.append(Answer(question.id, text, evidence, confidence, random_.randint(1, 40)))
    return out


def timing(name: str, rag: bool, plan: str, random_: random.Random) -> dict:
    retrieve = round(random_.uniform(0.01, 0.05), 4) if rag else 0.0
    prefill, decode = round(random_.uniform(0.3, 1.2), 4), round(random_.uniform(0, 0.4), 4)
    total = round(retrieve + prefill + decode, 6)
    return {
        "id": name,
        "retrieve": retrieve,
        "prefill": prefill,
        "decode": decode,
        "total": total,
        "turns": 1,
        "plan": plan,
    }


def build_run(folder: Path, *, choice: int = 60, free: int = 12, embedder=None) -> Path:
    """Write every stage's folder; the score stage really runs."""
    from kofinlaw.scoring.score import score_answers

    questions, keys = make_questions(choice, free)
    chunks = make_chunks(80)
    write_jsonl(folder / "questions" / "questions.jsonl", questions)
    write_jsonl(folder / "questions" / "key.jsonl", keys)
    write_jsonl(folder / "data" / "chunks.jsonl", chunks)
    random_ = random.Random(3)
    systems = {}
    for name, skill in SYSTEMS.items():
        out = folder / f"answer-{name}"
        rag = name.endswith("rag")
        answers = make_answers(questions, keys, chunks, skill=skill, rag=rag, seed=len(name))
        write_jsonl(out / "answers.jsonl", answers)
        write_jsonl(
            out / "timings.jsonl",
            (
                timing(answer.id, rag, "full" if place < 50 else "half-context", random_)
                for place, answer in enumerate(answers)
            ),
        )
        systems[name] = out
    (folder / "train").mkdir(parents=True, exist_ok=True)
    write_jsonl(
        folder / "train" / "metrics.jsonl",
        (
            {
                "step": step,
                "loss": round(3.2 * 0.97**step + random_.uniform(0, 0.2), 4),
                "tokens": 400 * step,
            }
            for step in range(1, 51)
        ),
    )
    score_answers(
        folder / "questions" / "questions.jsonl",
        folder / "questions" / "key.jsonl",
        systems,
        folder / "data" / "chunks.jsonl",
        folder / "score",
        settings=ScoreSettings(bootstrap_samples=1000),
        embedder=embedder or BigramEmbedder(),
        seed=42,
    )
    counts = json.loads((folder / "score" / "scores.json").read_text())["counts"]
    stages = ["data", "questions", "train", "score", *(f"answer-{name}" for name in SYSTEMS)]
    for place, stage in enumerate(stages):
        write_json(
            folder / stage / "stage.json",
            {
                "stage": stage,
                "status": "complete",
                "fingerprint": f"{place:064x}",
                "seconds": 12.5 * (place + 1),
                "peak_memory_gib": 1.234,
                "version": "0.1.0",
                "counts": counts if stage == "questions" else {"rows": 10},
            },
        )
    return folder


@pytest.fixture
def embedder() -> BigramEmbedder:
    return BigramEmbedder()


@pytest.fixture
def settings() -> ScoreSettings:
    return ScoreSettings(bootstrap_samples=1000)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory) -> Path:
    return build_run(tmp_path_factory.mktemp("runs") / "quickstart")
