"""Send one batch of prompts to the engine and validate its output."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kofinlaw.data.prompting.wording import NO_EVIDENCE, REASONED_CUE
from kofinlaw.models.engines.base import ChoiceScore, Engine, Generation, Request
from kofinlaw.rag.answer.agreement import choice_probabilities, written_choice
from kofinlaw.rag.answer.deadline import DECODE_EFFORT, Plan
from kofinlaw.rag.answer.free_text import FreeProblem, shaped
from kofinlaw.rag.answer.journal import Turn
from kofinlaw.rag.answer.prompts import Prompt, PromptInput, Quote
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.bare_scores import BareScore, BareScores, score_bare
from kofinlaw.rag.choosing.contrast import ContrastPrompt, model_votes, question_vote
from kofinlaw.rag.choosing.preference import Vote, option_probabilities, preferences
from kofinlaw.tracing import child_span

__all__ = ["Reply", "ask_engine", "call_model", "missing_bare_scores"]


@dataclass(frozen=True)
class Reply:
    """The engine's reply to a prompt: `scores` for a choice, `text` for generated text.

    `tokens` counts what was written (reasoning included), `logprob` is the mean of one token;
    `effort` weighs the prompt's share of the call's time, in prompt tokens. `votes` are the values
    of each voter, for a choice by contrast. `quoted` is the id of the passage from which a sentence
    was taken as the text; `replaced` is why it replaces generated text (empty: it was chosen).
    """

    prompt: Prompt
    scores: list[float]
    text: str
    tokens: int
    logprob: float
    effort: float
    reasoning: str = ""
    votes: list[Vote] = field(default_factory=list)
    quoted: str = ""
    replaced: FreeProblem = ""

    def turn(self, identity: str, number: int, plan: str) -> Turn:
        """Return the record of this reply, for a question's id and turn number."""
        return Turn(
            identity,
            number,
            plan,
            self.prompt.shown,
            self.prompt.tokens,
            self.tokens,
            self.prompt.cut,
            self.scores,
            self.text,
            self.logprob,
            reasoning=self.reasoning,
            texts=list(self.prompt.evidence),
            votes=self.votes,
            bearing=self.prompt.contrast.bearing if self.prompt.contrast else 0.0,
            candidates=[quote.text for quote in self.prompt.quotes] if self.votes else [],
            quoted=self.quoted,
            replaced=self.replaced,
        )


def ask_engine(
    engine: Engine,
    prompts: Sequence[Prompt],
    seeds: Sequence[tuple[int, int]],
    settings: AnswerSettings,
    *,
    stop: str,
    plan: Plan,
    bare: BareScores | None = None,
) -> list[Reply | None]:
    """Ask prompts of one kind; None for each prompt that got nothing usable.

    Where the prompts want reasoning it is written first, and the choice follows it. The call keeps
    no state: it may be abandoned and end later.

    Args:
        engine: The engine.
        prompts: Prompts of one kind, built under `plan`.
        seeds: (seed of the run, turn) of each prompt.
        settings: How choices are made and how long texts may be.
        stop: The token that ends an answer.
        plan: The plan of the prompts.
        bare: The options' scores without context, for choices by contrast. See
            `missing_bare_scores`.

    Raises RuntimeError where the engine returns another number of results than it got prompts.
    """
    by_contrast = [prompt.contrast is not None for prompt in prompts]
    if all(by_contrast):
        return _contrasted(engine, prompts, bare or BareScores())
    if any(by_contrast):  # free text: some questions have no sentence to choose
        out: list[Reply | None] = [None] * len(prompts)
        for kind in (True, False):
            rows = [i for i, one in enumerate(by_contrast) if one is kind]
            replies = ask_engine(
                engine,
                [prompts[i] for i in rows],
                [seeds[i] for i in rows],
                settings,
                stop=stop,
                plan=plan,
                bare=bare,
            )
            for i, reply in zip(rows, replies, strict=True):
                out[i] = reply
        return out
    if not prompts[0].reasoning:
        return _replies(engine, prompts, seeds, settings, stop, plan)
    cues = (stop, REASONED_CUE.strip())
    requests = [
        replace(_request(prompt, seed, settings, settings.reasoning_tokens, cues), logprob=False)
        for prompt, seed in zip(prompts, seeds, strict=True)
    ]
    thoughts = engine.generate(requests)
    _check_count(len(thoughts), len(prompts))
    reasoned = [
        replace(prompt, text=prompt.text + thought.text.strip() + REASONED_CUE)
        for prompt, thought in zip(prompts, thoughts, strict=True)
    ]
    replies = _replies(engine, reasoned, seeds, settings, stop, plan)
    return [
        None
        if reply is None or thought.finish == "error" or not thought.text.strip()
        else replace(
            reply,
            tokens=reply.tokens + thought.tokens,
            effort=reply.effort + DECODE_EFFORT * thought.tokens,
            reasoning=thought.text.strip(),
        )
        for reply, thought in zip(replies, thoughts, strict=True)
    ]


def _replies(
    engine: Engine,
    prompts: Sequence[Prompt],
    seeds: Sequence[tuple[int, int]],
    settings: AnswerSettings,
    stop: str,
    plan: Plan,
) -> list[Reply | None]:
    if prompts[0].choices and settings.choose_by == "score":
        per_token = settings.answer_form == "text" and not plan.label_only
        rows = engine.score([p.text for p in prompts], [list(p.choices) for p in prompts])
        _check_count(len(rows), len(prompts))
        out: list[Reply | None] = []
        for prompt, row in zip(prompts, rows, strict=True):
            scores = choice_probabilities(row, prompt.order, per_token=per_token)
            reply = Reply(prompt, scores or [], "", 0, 0.0, prompt.tokens)
            out.append(reply if scores else None)
        return out
    requests = [
        replace(
            _request(prompt, seed, settings, _answer_tokens(engine, prompt, settings), (stop,)),
            choices=prompt.choices,
            reference=prompt.reference,
            reference_weight=prompt.reference_weight,
        )
        for prompt, seed in zip(prompts, seeds, strict=True)
    ]
    generations = engine.generate(requests)
    _check_count(len(generations), len(prompts))
    return [
        _written(prompt, generation, settings)
        for prompt, generation in zip(prompts, generations, strict=True)
    ]


def missing_bare_scores(
    engine: Engine, prompts: Sequence[Prompt], bare: BareScores
) -> list[BareScore]:
    """Return the scores without context that the prompts' choices need and `bare` has not.

    The caller adds them to `bare` when the call has returned in time. Raises RuntimeError where the
    engine returns another number of scores than it got texts.
    """
    asked = [(p.contrast.bare, p.choices) for p in prompts if p.contrast and p.contrast.bare]
    if not asked:
        return []
    missing = bare.missing(choice for _, choices in asked for choice in choices)
    return score_bare(engine, asked[0][0], missing)


def _contrasted(engine: Engine, prompts: Sequence[Prompt], bare: BareScores) -> list[Reply | None]:
    """Return the replies to choices by contrast, from one call of the engine.

    Each prompt is read once, and its options continue from there. Prompts whose choices the model
    does not score are not read; the question may be scored after each choice instead.
    """
    read = [i for i, p in enumerate(prompts) if p.contrast is not None and p.contrast.scored]
    asked = [(prompts[i].text, prompts[i].choices) for i in read]
    references = [
        (i, voter, text)
        for i in read
        if (contrast := prompts[i].contrast) is not None
        for voter, text in contrast.references.items()
    ]
    asked += [(text, prompts[i].choices) for i, _, text in references]
    first = len(asked)  # of the rows that score a question
    asked += [
        (text, (contrast.question,))
        for prompt in prompts
        if (contrast := prompt.contrast) is not None
        for text in contrast.sources
    ]
    rows: list[list[ChoiceScore]] = []
    if asked:
        rows = engine.score([text for text, _ in asked], [list(choices) for _, choices in asked])
    _check_count(len(rows), len(asked))
    own = dict(zip(read, rows, strict=False))
    others: list[dict[str, Sequence[ChoiceScore]]] = [{} for _ in prompts]
    for (i, voter, _), row in zip(references, rows[len(read) : first], strict=True):
        others[i][voter] = row
    questions = [row[0] for row in rows[first:]]
    out: list[Reply | None] = []
    for i, prompt in enumerate(prompts):
        if prompt.contrast is not None:
            count = len(prompt.contrast.sources)
            after, questions = questions[:count], questions[count:]
            out.append(
                _contrast_reply(engine, prompt, prompt.contrast, own.get(i), others[i], after, bare)
            )
    return out


def _contrast_reply(
    engine: Engine,
    prompt: Prompt,
    contrast: ContrastPrompt,
    row: Sequence[ChoiceScore] | None,
    others: Mapping[str, Sequence[ChoiceScore]],
    questions: Sequence[ChoiceScore],
    bare: BareScores,
) -> Reply | None:
    """Return the reply of one prompt; None where a score is missing or not finite.

    `row` is None where the model does not score the choices; `questions` are the scores of the
    question after each choice, or empty.
    """
    found = (
        []
        if row is None
        else model_votes(prompt.choices, row, bare if contrast.bare else None, others)
    )
    asked = question_vote(questions) if questions else None
    if found is None or (questions and asked is None):
        return None
    votes = [*found, *([asked] if asked else []), *contrast.votes]
    preferred = preferences(
        votes, contrast.weights, negative=contrast.negative, bearing=contrast.bearing
    )
    scores = option_probabilities(preferred, prompt.choices, contrast.weights.temperature)
    read = [*([] if row is None else [row]), *others.values(), questions]
    effort = 1.0 + sum(score.tokens for scored in read for score in scored)
    effort += prompt.tokens if row is not None else 0
    texts = [*(contrast.references[voter] for voter in others), *contrast.sources]
    effort += sum(map(engine.tokenizer.count, texts))
    if not prompt.quotes:
        return Reply(prompt, scores, "", 0, 0.0, effort, votes=votes)
    best = prompt.quotes[scores.index(max(scores))]
    return Reply(prompt, scores, best.text, 0, 0.0, effort, votes=votes, quoted=best.chunk)


def _request(
    prompt: Prompt,
    seed: tuple[int, int],
    settings: AnswerSettings,
    max_tokens: int,
    stop: tuple[str, ...],
) -> Request:
    return Request(
        prompt.text,
        max_tokens=max_tokens,
        stop=stop,
        temperature=settings.temperature if prompt.sampled else 0.0,
        seed=_request_seed(*seed, prompt.text),
    )


def _answer_tokens(engine: Engine, prompt: Prompt, settings: AnswerSettings) -> int:
    """Return the token limit of an answer: the longest choice must fit with its stop token."""
    longest = max((engine.tokenizer.count(choice) for choice in prompt.choices), default=0)
    return max(longest + 2, settings.free_max_tokens) if longest else settings.free_max_tokens


def _written(prompt: Prompt, generation: Generation, settings: AnswerSettings) -> Reply | None:
    """Return the reply of a generation; None where it is an error, empty,
    or not one of the choices.
    """
    effort = prompt.tokens + DECODE_EFFORT * generation.tokens
    logprob = 0.0
    if generation.tokens and not math.isnan(generation.logprob):
        logprob = round(generation.logprob / generation.tokens, 6)
    if prompt.choices:
        scores = written_choice(generation, prompt.choices, prompt.order)
        if scores is None:
            return None
        return Reply(prompt, scores, generation.text.strip(), generation.tokens, logprob, effort)
    if generation.finish == "error":
        return None
    said = bool(generation.text.strip())
    text, problem = shaped(
        _continued(prompt.opening, generation.text) if said else "",
        prompt.question,
        prompt.evidence,
        settings.free_max_characters,
        stopped=generation.finish == "stop",
    )
    if problem and settings.free_replace and (prompt.quotes or said):
        best = prompt.quotes[0] if prompt.quotes else Quote(NO_EVIDENCE, "", 0.0)
        return Reply(
            prompt,
            [],
            best.text,
            generation.tokens,
            0.0,
            effort,
            quoted=best.chunk,
            replaced=problem,
        )
    if not said:
        return None
    return Reply(prompt, [], text, generation.tokens, logprob, effort)


def _continued(opening: str, text: str) -> str:
    return f"{opening} {text.lstrip()}" if opening else text


def _check_count(got: int, asked: int) -> None:
    if got != asked:
        raise RuntimeError(f"the engine returned {got} results for {asked} prompts")


def _request_seed(seed: int, turn: int, prompt: str) -> int:
    """Return a seed for each question and turn, from content alone so
    that batches do not matter.
    """
    digest = hashlib.sha256(f"{seed}\x1f{turn}\x1f{prompt}".encode()).digest()
    return int.from_bytes(digest[:4], "big") & 0x7FFFFFFF


def call_model(
    call: Callable[[], list[Reply | None]],
    inputs: Sequence[PromptInput],
    prompts: Sequence[Prompt],
    plan: Plan,
    *,
    model: str,
    choose_by: str,
) -> list[Reply | None]:
    """Return the replies of `call` to the prompts; traced as `score` or `generate`,
    one item a prompt.

    `inputs` are those of the prompts; `model` and `choose_by` are recorded in the trace.
    """
    by_contrast = prompts[0].contrast is not None
    listed = bool(prompts[0].choices) and choose_by != "generate" and not prompts[0].reasoning
    scored = by_contrast or listed
    with child_span(
        "score" if scored else "generate",
        model=model,
        plan=plan.name,
        turns=[one.turn for one in inputs],
        input_tokens=sum(prompt.tokens for prompt in prompts),
    ) as span:
        replies = call()
        span.set(output_tokens=sum(reply.tokens for reply in replies if reply))
        for one, prompt, reply in zip(inputs, prompts, replies, strict=True):
            span.item(
                one.question.id,
                turn=one.turn,
                prompt=prompt.text,
                answer=(reply.text or reply.scores) if reply else None,
            )
    return replies
