"""One question to a loaded model, with the evidence it was shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from kofinlaw import UserError
from kofinlaw.data.law.versions import VERSIONED, validity_text
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.agreement import combine
from kofinlaw.rag.answer.batches import turns_of
from kofinlaw.rag.answer.deadline import FULL
from kofinlaw.rag.answer.engine_calls import Asked, ask_engine
from kofinlaw.rag.answer.fallback import fallback_answer
from kofinlaw.rag.answer.prompts import Prompter
from kofinlaw.rag.answer.traced import build_prompts, call_model
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.questions.option_marks import split_options
from kofinlaw.rag.retrieve.evidence import Searcher, search_questions
from kofinlaw.rag.retrieve.in_force import AbsentAct
from kofinlaw.records import Chunk, Question


@dataclass(frozen=True)
class Evidence:
    """A passage found for the question. `shown` says whether the model read it; `by` names the
    retrievers that found it.

    `version` are the days of its text where the corpus knows several versions of the act
    (`시행 2022-06-10 ~ 2024-09-14`), or the day from which it will be in force.
    """

    chunk: str
    unit: str
    text: str
    score: float
    by: str
    shown: bool
    version: str = ""


@dataclass(frozen=True)
class AskedAnswer:
    """The answer, the chosen option's text for multiple choice, and the evidence best first.

    `absent` are acts that the question is about and that had no text on the day it asks for.
    """

    answer: str
    option: str
    confidence: float
    origin: Literal["model", "fallback"]
    evidence: tuple[Evidence, ...]
    absent: tuple[AbsentAct, ...] = ()


def ask_question(
    question: str,
    *,
    engine: Engine,
    template: ChatTemplate,
    retriever: Searcher | None,
    settings: AnswerSettings,
    seed: int = 0,
    as_of: date | None = None,
) -> AskedAnswer:
    """Answer one question; options may follow on lines of their own.

    All permutations and votes of the settings are used. Free text for which nothing is found is
    told so, unless the settings want the model's own answer. `as_of` is the day whose law is asked
    for; None: the retriever's own. Within an open span retrieval, packing and the model's call are
    traced. Raises UserError for an empty question.
    """
    if not question.strip():
        raise UserError("the question is empty")
    stem, options = split_options(question)
    asked = Question("ask", stem, options, as_of=as_of.isoformat() if as_of else "")
    if retriever is not None and retriever.needs_model:
        retriever = retriever.with_model(engine, template)
    hits = search_questions(retriever, [asked])[0] if retriever is not None else []
    absent = retriever.absent(asked) if retriever is not None else ()
    budget = retriever.settings.evidence_tokens if retriever is not None else 0
    prompter = Prompter(template, settings, budget, engine.tokenizer.count)
    chunks = [hit.chunk for hit in hits]
    turns = turns_of(asked, settings)
    wanted = [(asked, chunks, turn) for turn in range(turns)]
    prompts = build_prompts(prompter, wanted, FULL)
    said: list[Asked | None] = []
    if retriever is None or chunks or options or settings.without_evidence == "answer":
        seeds = [(seed, turn) for turn in range(turns)]
        said = call_model(
            lambda: ask_engine(engine, prompts, seeds, settings, stop=template.stop, plan=FULL),
            wanted,
            prompts,
            FULL,
            model=engine.name,
            choose_by=settings.choose_by,
        )
    records = [
        item.turn("ask", turn, FULL.name) for turn, item in enumerate(said) if item is not None
    ]
    ids = [chunk.id for chunk in chunks]
    answer = combine(asked, records, ids, target_characters=settings.target_characters)
    origin: Literal["model", "fallback"] = "fallback" if answer is None else "model"
    if answer is None:
        texts = [chunk.text for chunk in chunks]
        most = settings.free_max_characters
        answer = fallback_answer(asked, texts, ids, most_characters=most)
    return AskedAnswer(
        answer=answer.answer,
        option=options[int(answer.answer) - 1] if options else "",
        confidence=answer.confidence,
        origin=origin,
        evidence=tuple(
            Evidence(
                hit.chunk.id, hit.chunk.unit, hit.chunk.text, hit.score, ", ".join(hit.by),
                place in prompts[0].places, _version(hit.chunk, as_of),
            )
            for place, hit in enumerate(hits)
        ),
        absent=absent,
    )  # fmt: skip


def _version(chunk: Chunk, as_of: date | None) -> str:
    first = chunk.since or chunk.as_of
    if as_of is None and chunk.kind in VERSIONED and first > date.today().isoformat():
        return f"시행 예정 {first}"
    return validity_text(chunk.since, chunk.until)
