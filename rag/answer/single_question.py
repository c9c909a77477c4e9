"""Answer one question with a loaded model, and return the evidence it was shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from kofinlaw import UserError
from kofinlaw.data.korean.words import bigrams, normalise
from kofinlaw.data.law.versions import VERSIONED, validity_text
from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.abstention.decision import Judgement, abstains
from kofinlaw.rag.answer.agreement import combine
from kofinlaw.rag.answer.batches import turns_of
from kofinlaw.rag.answer.deadline import FULL
from kofinlaw.rag.answer.engine_calls import (
    Reply,
    ask_engine,
    call_model,
    missing_bare_scores,
)
from kofinlaw.rag.answer.fallback import fallback_answer
from kofinlaw.rag.answer.free_text import FreeProblem, ends_sentence
from kofinlaw.rag.answer.prompts import Prompt, Prompter, PromptInput, build_prompts
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.bare_scores import BareScores
from kofinlaw.rag.choosing.nearest import nearest_sentences
from kofinlaw.rag.questions.option_marks import read_text
from kofinlaw.rag.reading.candidates import evidence_sentences
from kofinlaw.rag.reading.support import option_support
from kofinlaw.rag.retrieve.evidence import Hit, Searcher, judge_questions, search_questions
from kofinlaw.rag.retrieve.in_force import AbsentAct
from kofinlaw.records import Chunk, Kind, Question

__all__ = ["AskedAnswer", "Evidence", "Origin", "ask_question", "ask_questions"]


Origin = Literal["model", "quotation", "fallback", "abstention"]
_ORIGINS: dict[str, Origin] = {
    "model": "model",
    "quotation": "quotation",
    "fallback": "fallback",
    "abstention": "abstention",
}


@dataclass(frozen=True)
class Evidence:
    """A passage found for the question: the chunk's id, its unit, text and fused score (no unit).

    `by` names the retrievers that found it, and `shown` says whether the model read it. `version`
    are the days of its text where the corpus has several versions of the act
    (`시행 2022-06-10 ~ 2024-09-14`), or the day on which it will come into force. `source` is the
    document's file, `kind` its kind, `day` the ISO day from which the text is in force (empty if it
    is unknown), `pages` its pages in the file and `ocr` the confidence of their recognition (see
    `Chunk`). `read` is the part of the text that the prompt shows, empty if it shows none.
    """

    chunk: str
    unit: str
    text: str
    score: float
    by: str
    shown: bool
    version: str = ""
    source: str = ""
    kind: Kind = "other"
    day: str = ""
    pages: str = ""
    ocr: str = ""
    read: str = ""


@dataclass(frozen=True)
class AskedAnswer:
    """An answer, with the text of the chosen option for multiple choice, and its evidence.

    `answer` is the option's number or the free text, `confidence` is 0..1, `origin` says whether
    the model gave the answer, or it is a quotation of the evidence. `quoted` is the chunk that free
    text is a sentence of, if it is one. `evidence` is best first. `absent` are acts that the
    question is about and that had no text on the day it asks about.

    `question` is the question without its options. `replaced` is why a quotation replaces the
    model's text (see `free_text.shaped`). `decisive` is the sentence of the evidence that bears
    most on the chosen option, from the chunk `decisive_chunk`; both are empty for free text.

    `abstained` says that the question is refused: `answer` is then the sentence that says so,
    `option` and `evidence` are empty, and `judgement` has the reason, the score, the floor and the
    nearest passages. Without a retriever, or under `abstain: never`, `judgement` is None.

    `doubt` says why it is not certain whether the question has options, see `read_text`.

    `prompt_tokens` counts the prompts that the model read (the question alone where it read none).
    `tokens` counts what the model wrote, or the answer's text where it wrote nothing.
    """

    answer: str
    option: str
    confidence: float
    origin: Origin
    evidence: tuple[Evidence, ...]
    absent: tuple[AbsentAct, ...] = ()
    quoted: str = ""
    question: str = ""
    replaced: FreeProblem = ""
    decisive: str = ""
    decisive_chunk: str = ""
    abstained: bool = False
    judgement: Judgement | None = None
    doubt: str = ""
    prompt_tokens: int = 0
    tokens: int = 0


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
    """Answer one question. All permutations and votes of the settings are used.

    Where nothing is found for a free-text question the answer says so, unless the settings let the
    model answer alone. A question on which the index does not bear is refused without the model, as
    `settings.abstain` says. Within an open span, retrieval, packing and model calls are traced.

    Args:
        question: The question; options may follow on their own lines.
        engine: The loaded model.
        template: The model's chat template.
        retriever: Finds the evidence; None: the model answers without evidence.
        settings: How to answer.
        seed: Seed of what is sampled.
        as_of: The day whose law is asked about; None: that of the retriever.

    Raises UserError for an empty question, and where the index or its server cannot be used.
    """
    asked = [(question, as_of)]
    return ask_questions(
        asked, engine=engine, template=template, retriever=retriever, settings=settings, seed=seed
    )[0]


def ask_questions(
    questions: Sequence[tuple[str, date | None]],
    *,
    engine: Engine,
    template: ChatTemplate,
    retriever: Searcher | None,
    settings: AnswerSettings,
    seed: int = 0,
) -> list[AskedAnswer]:
    """Answer several questions, each on its day, with one search and few calls of the engine.

    Each is answered as `ask_question` answers it, which describes the arguments. Prompts of one
    kind (options or free text) share a call. Raises UserError as `ask_question` does, for all
    questions if one of them is wrong.
    """
    asked, doubts = [], []
    for number, (text, as_of) in enumerate(questions):
        text = normalise(text)
        if not text.strip():
            raise UserError("the question is empty")
        read = read_text(text)
        # A datetime is a date too, but its ISO form has a time.
        day = date(as_of.year, as_of.month, as_of.day).isoformat() if as_of else ""
        name = "ask" if len(questions) == 1 else f"ask-{number + 1}"
        asked.append(Question(name, read.stem, read.options, as_of=day))
        doubts.append(read.doubt)
    judgements = judge_questions(retriever, asked, settings.abstain)
    out: list[AskedAnswer | None] = []
    for one, judgement, doubt in zip(asked, judgements, doubts, strict=True):
        if judgement is not None and abstains(judgement, one, settings.abstain):
            absent = retriever.absent(one) if retriever is not None else ()
            out.append(replace(_refusal(one, judgement, absent), doubt=doubt))
        else:
            out.append(None)
    rows = [row for row, done in enumerate(out) if done is None]
    if rows:
        if retriever is not None and retriever.needs_model:
            retriever = retriever.with_model(engine, template)
        kept = [asked[row] for row in rows]
        found = search_questions(retriever, kept) if retriever is not None else [[] for _ in rows]
        evidence_tokens = retriever.settings.evidence_tokens if retriever is not None else 0
        prompter = Prompter(template, settings, evidence_tokens, engine.tokenizer.count)
        parts = [_prompted(one, hits, prompter) for one, hits in zip(kept, found, strict=True)]
        replies = _replies(
            parts,
            engine,
            template,
            settings,
            seed,
            without=retriever is None or settings.without_evidence == "answer",
        )
        for row, part, reply in zip(rows, parts, replies, strict=True):
            absent = retriever.absent(asked[row]) if retriever is not None else ()
            answer = _answered(part, reply, settings, questions[row][1])
            counted = _counted(answer, [one for one in reply if one], engine.tokenizer.count)
            out[row] = replace(counted, absent=absent, judgement=judgements[row], doubt=doubts[row])
    return [
        one if one.tokens else _counted(one, (), engine.tokenizer.count)
        for one in out
        if one is not None
    ]


def _counted(
    answer: AskedAnswer, replies: Sequence[Reply], count: Callable[[str], int]
) -> AskedAnswer:
    """Return the answer with its numbers of tokens."""
    read = sum(reply.prompt.tokens for reply in replies)
    written = sum(reply.tokens for reply in replies)
    return replace(
        answer,
        prompt_tokens=read or count(answer.question),
        tokens=written or count(answer.option or answer.answer),
    )


@dataclass(frozen=True)
class _Prompted:
    """A question, its hits, and the prompts of its turns with what they were built from."""

    asked: Question
    hits: list[Hit]
    inputs: list[PromptInput]
    prompts: list[Prompt]


def _prompted(asked: Question, hits: list[Hit], prompter: Prompter) -> _Prompted:
    chunks = [hit.chunk for hit in hits]
    turns = turns_of(asked, prompter.settings)
    inputs = [PromptInput(asked, chunks, turn) for turn in range(turns)]
    return _Prompted(asked, hits, inputs, build_prompts(prompter, inputs, FULL))


def _replies(
    parts: Sequence[_Prompted],
    engine: Engine,
    template: ChatTemplate,
    settings: AnswerSettings,
    seed: int,
    *,
    without: bool,
) -> list[list[Reply | None]]:
    """Return the replies to each question's prompts, from one call for each kind of prompt.

    A free-text question without evidence is not sent to the model unless `without` says so.
    """
    out: list[list[Reply | None]] = [[] for _ in parts]
    kinds: dict[tuple[bool, bool, bool], list[int]] = {}
    for row, part in enumerate(parts):
        if part.hits or part.asked.options or without:
            first = part.prompts[0]
            kind = (bool(first.choices), bool(first.reasoning), first.contrast is not None)
            kinds.setdefault(kind, []).append(row)
    for rows in kinds.values():
        inputs = [one for row in rows for one in parts[row].inputs]
        prompts = [one for row in rows for one in parts[row].prompts]
        seeds = [(seed, one.turn) for one in inputs]

        def call(
            prompts: list[Prompt] = prompts, seeds: list[tuple[int, int]] = seeds
        ) -> list[Reply | None]:
            bare = BareScores(missing_bare_scores(engine, prompts, BareScores()))
            return ask_engine(
                engine, prompts, seeds, settings, stop=template.stop, plan=FULL, bare=bare
            )

        replies = call_model(
            call, inputs, prompts, FULL, model=engine.name, choose_by=settings.choose_by
        )
        for row in rows:
            count = len(parts[row].prompts)
            out[row], replies = replies[:count], replies[count:]
    return out


def _answered(
    part: _Prompted,
    replies: Sequence[Reply | None],
    settings: AnswerSettings,
    as_of: date | None,
) -> AskedAnswer:
    asked, hits, prompts = part.asked, part.hits, part.prompts
    stem, options = asked.question, asked.options
    chunks = [hit.chunk for hit in hits]
    records = [
        reply.turn(asked.id, turn, FULL.name)
        for turn, reply in enumerate(replies)
        if reply is not None
    ]
    ids = [chunk.id for chunk in chunks]
    answer = combine(asked, records, ids, target_characters=settings.target_characters)
    if answer is None:
        texts = [chunk.text for chunk in chunks]
        limit = settings.free_max_characters
        answer = fallback_answer(asked, texts, ids, max_characters=limit)
    read = dict(zip(prompts[0].passages, prompts[0].evidence, strict=True))
    shown = [chunk for index, chunk in enumerate(chunks) if index in read]
    text, option, decisive = answer.answer, "", ("", "")
    if options:
        option = options[int(text) - 1]
        decisive = _decisive(stem, option, shown or chunks)
    elif answer.origin != "model" and not ends_sentence(text):
        text = _uncut(text, stem, [chunk.text for chunk in chunks])
    quoted = answer.quoted
    if answer.origin == "fallback" and not (options or quoted or text == NO_EVIDENCE):
        quoted = next((chunk.id for chunk in chunks if _holds(chunk.text, text)), "")
    return AskedAnswer(
        answer=text,
        option=option,
        confidence=answer.confidence,
        origin=_ORIGINS[answer.origin],
        evidence=tuple(
            Evidence(
                chunk=hit.chunk.id,
                unit=hit.chunk.unit,
                text=hit.chunk.text,
                score=hit.score,
                by=", ".join(hit.by),
                shown=index in read,
                version=_version(hit.chunk, as_of),
                source=hit.chunk.source,
                kind=hit.chunk.kind,
                day=hit.chunk.since or hit.chunk.as_of,
                pages=hit.chunk.pages,
                ocr=hit.chunk.ocr,
                read=read.get(index, ""),
            )
            for index, hit in enumerate(hits)
        ),
        quoted=quoted,
        question=stem,
        replaced=_replaced(replies) if answer.origin == "fallback" else "",
        decisive=decisive[0],
        decisive_chunk=decisive[1],
    )


def _refusal(asked: Question, judgement: Judgement, absent: tuple[AbsentAct, ...]) -> AskedAnswer:
    """Return the answer to a question on which the index does not bear."""
    return AskedAnswer(
        answer=judgement.text,
        option="",
        confidence=0.0,
        origin="abstention",
        evidence=(),
        absent=absent,
        question=asked.question,
        abstained=True,
        judgement=judgement,
    )


def _replaced(replies: Sequence[Reply | None]) -> FreeProblem:
    """Return why the first usable reply replaces the model's text; empty if none does."""
    return next((reply.replaced for reply in replies if reply is not None), "")


def _decisive(stem: str, option: str, chunks: Sequence[Chunk]) -> tuple[str, str]:
    """Return the sentence that bears most on an option and the id of its chunk; empty texts where
    no line shares a word with the option.
    """
    best = option_support(stem, [option], [chunk.text for chunk in chunks])[0]
    if best.line is None or best.coverage <= 0:
        return "", ""
    line = best.line
    chunk = next((one for one in chunks if line.text in one.text), chunks[0])
    text = "\n".join(filter(None, [line.header or chunk.unit, line.parent, line.text]))
    found = nearest_sentences(f"{stem} {option}", [text], 1, lambda _: True)
    return (found[0][0].text if found else line.text), chunk.id


def _uncut(text: str, question: str, passages: Sequence[str]) -> str:
    """Return the whole sentence of the passages of which a quotation is the beginning.

    A quotation is cut to the length that answers of a file may have; one answer may be longer.
    """
    found = evidence_sentences(question, passages, lambda _: True)
    return min((one.text for one in found if _holds(one.text, text)), key=len, default=text)


def _holds(text: str, quotation: str) -> bool:
    """Return whether a text has all bigrams of a quotation, which may leave out words."""
    return set(bigrams(quotation)) <= set(bigrams(text))


def _version(chunk: Chunk, as_of: date | None) -> str:
    first = chunk.since or chunk.as_of
    if as_of is None and chunk.kind in VERSIONED and first > date.today().isoformat():
        return f"시행 예정 {first}"
    return validity_text(chunk.since, chunk.until)
