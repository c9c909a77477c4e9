"""Build the exact text that the model reads for a question, its passages and a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from kofinlaw.data.prompting.claims import claims_of
from kofinlaw.data.prompting.contrast import (
    bare_messages,
    contrast_answer,
    contrast_messages,
    contrast_text,
    question_end,
    question_messages,
)
from kofinlaw.data.prompting.packing import pack_with_index
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.prompting.wording import (
    AnswerForm,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.deadline import Plan
from kofinlaw.rag.answer.fallback import FALLBACK_PASSAGES
from kofinlaw.rag.answer.free_text import opening_of
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.contrast import ContrastPrompt
from kofinlaw.rag.choosing.nearest import nearest_sentences, quotation
from kofinlaw.rag.choosing.preference import MODEL_VOTERS, Weights
from kofinlaw.rag.choosing.voters import ALWAYS_RECORDED, Seen, bearing, text_votes
from kofinlaw.rag.choosing.weights_file import weights_of
from kofinlaw.records import Chunk, Question
from kofinlaw.tracing import child_span

__all__ = ["CUT_MARK", "Prompt", "PromptInput", "Prompter", "Quote", "build_prompts"]

CUT_MARK = " … "


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of the evidence that can be the answer to a free-text question.

    `chunk` is the id of its passage, `value` its similarity to the question.
    """

    text: str
    chunk: str
    value: float


@dataclass(frozen=True)
class Prompt:
    """A rendered prompt.

    - `choices` are the texts that may follow it (none for free text); `order[i]` is the option for
      which choice i is written.
    - `passages` are the indices of the passages in it; `tokens` is its length; `cut` says that the
      question itself was shortened.
    - `reasoning` says that the model writes before it chooses, `sampled` that what it writes is
      drawn at random.
    - `opening` is the beginning of a free-text answer, which ends the prompt.
    - `evidence` are the packed texts in the prompt, one for each of `passages`.
    - `contrast` has the other prompts of a choice by contrast, which shows no options; else None.
    - `reference` is the other prompt of a choice that is generated from the difference of two,
      and `reference_weight` its weight; else it is empty. It is the stem without evidence. For a
      negative stem the two change places: the option that the evidence supports least is wanted.
    - `quotes` are the sentences that can answer a free-text question, nearest first. With
      `contrast` they are the choices. Otherwise the first replaces generated text that is unusable.
    - `question` is the question as it was asked.
    """

    text: str
    choices: tuple[str, ...]
    order: tuple[int, ...]
    passages: tuple[int, ...]
    tokens: int
    cut: bool
    reasoning: bool = False
    sampled: bool = False
    opening: str = ""
    evidence: tuple[str, ...] = ()
    contrast: ContrastPrompt | None = None
    reference: str = ""
    reference_weight: float = 0.0
    quotes: tuple[Quote, ...] = ()
    question: str = ""

    @property
    def shown(self) -> int:
        """Number of passages in the prompt."""
        return len(self.passages)


@dataclass(frozen=True)
class Prompter:
    """Builds prompts that fit: evidence into `evidence_tokens`, the whole into the context.

    `count` gives the tokens of a prompt. `weights` are those of the voters, for choices by
    contrast; without them, `answer.voters` is read.
    """

    template: ChatTemplate
    settings: AnswerSettings
    evidence_tokens: int
    count: Callable[[str], int]
    weights: Weights | None = None

    def build(
        self, question: Question, passages: Sequence[Chunk], plan: Plan, turn: int = 0
    ) -> Prompt:
        """Return the prompt of a question under a plan; `passages` are best first.

        Turn 0 is greedy. Later turns first show the options in their other orders, as many as
        `permutations` asks for. What is written in turns after those, or after reasoning, is
        sampled. A choice by contrast, scored or generated, lists no options, under every plan. Nor
        does a free-text answer that is chosen list its candidates. A prompt that is longer than the
        context loses evidence first, then the middle of its stem.
        """
        settings, count = self.settings, len(question.options)
        form: AnswerForm = "label" if plan.label_only else settings.answer_form
        reasoning = plan.reasoning and settings.reasoning_tokens > 0 and count > 0
        orders = min(settings.permutations, count)
        order = tuple((option + (turn % orders)) % count for option in range(count))
        options = [question.options[option] for option in order]
        by_contrast = bool(options) and settings.choose_by == "contrast"
        decoded = bool(options) and settings.decodes_by_contrast
        chosen = not options and settings.free_by == "choose" and bool(passages)
        unlisted = by_contrast or decoded or chosen
        choices = choice_candidates(options, "text" if unlisted else form) if options else []
        if unlisted:
            choices = [contrast_answer(option, settings.contrast_form) for option in choices]
        opened = settings.free_opening and not options and not chosen
        opening = opening_of(question.question) if opened else ""
        room = settings.context_tokens - (
            max(self._count_plain(choice) for choice in choices)
            if choices
            else settings.free_max_tokens
        )
        room -= settings.reasoning_tokens if reasoning else 0

        def render(stem: str, evidence: Sequence[str]) -> tuple[str, int]:
            if unlisted:
                messages = contrast_messages(stem, evidence)
                text = contrast_text(self.template, messages, settings.contrast_form)
                return text, self.count(text)
            if options:
                messages = choice_messages(stem, options, evidence, form, reasoning=reasoning)
            else:
                messages = free_messages(stem, evidence)
            text = self.template.render(messages, add_generation_prompt=True) + opening
            return text, self.count(text)

        evidence_tokens = int(self.evidence_tokens * plan.evidence_share)
        query = " ".join([question.question, *question.options])
        claims = claims_of(question.question, question.options)
        while True:
            packed = (
                pack_with_index(
                    list(passages), query, evidence_tokens, self._count_plain, claims=claims
                )
                if evidence_tokens > 0
                else []
            )
            evidence = [passage for _, passage in packed]
            text, tokens = render(question.question, evidence)
            if tokens <= room or not evidence:
                break
            shown = sum(self._count_plain(passage) for passage in evidence)
            evidence_tokens = min(evidence_tokens, shown) - (tokens - room) - 8
        stem, cut = question.question, False
        while tokens > room and len(stem) > 40:
            keep = max(20, int(len(stem) * room / tokens * 0.9) // 2)
            stem, cut = stem[:keep] + CUT_MARK + stem[-keep:], True
            text, tokens = render(stem, evidence)
            if keep == 20:
                break
        quotes = self._quotes(question, passages, packed)
        if chosen and not quotes:
            generating = settings.model_copy(update={"free_by": "generate"})
            return replace(self, settings=generating).build(question, passages, plan, turn)
        contrast = None
        if by_contrast:
            contrast = self._contrast(question, stem, evidence, passages)
        elif chosen:
            choices = [contrast_answer(quote.text, settings.contrast_form) for quote in quotes]
            order = tuple(range(len(choices)))
            contrast = self._choice_of_quotes(question, stem, evidence, passages, quotes)
        text, reference, weight = self._two_prompts(question.question, stem, text, decoded)
        return Prompt(
            text,
            tuple(choices),
            order,
            tuple(index for index, _ in packed),
            tokens,
            cut,
            reasoning,
            sampled=turn > 0 and (reasoning or turn >= orders),
            opening=opening,
            evidence=tuple(evidence),
            contrast=contrast,
            reference=reference,
            reference_weight=weight,
            quotes=quotes,
            question=question.question,
        )

    def _two_prompts(
        self, question: str, stem: str, text: str, decoded: bool
    ) -> tuple[str, str, float]:
        """Return (prompt, reference, weight) of a choice that two prompts generate.

        `text` is the prompt with evidence, and `stem` the stem in it. For a negative stem the two
        change places, because it asks for the option that the evidence supports least. Where the
        answer is not `decoded` from two prompts there is no reference.
        """
        if not decoded:
            return text, "", 0.0
        weight = self.settings.contrast_decoding
        alone = contrast_text(self.template, contrast_messages(stem), self.settings.contrast_form)
        return (alone, text, 1 / weight) if is_negative(question) else (text, alone, weight)

    def _count_plain(self, text: str) -> int:
        """Return the tokens of a text of a user, in which no control token becomes one."""
        return self.count(self.template.plain(text))

    def _quotes(
        self, question: Question, passages: Sequence[Chunk], packed: Sequence[tuple[int, str]]
    ) -> tuple[Quote, ...]:
        """Return the sentences of the evidence that can answer a free-text question.

        `packed` is the evidence in the prompt; where there is none, the best passages count.
        """
        settings = self.settings
        chosen = settings.free_by == "choose"
        if question.options or not (chosen or settings.free_replace):
            return ()
        shown = list(packed)
        if not shown:
            shown = [(i, one.text) for i, one in enumerate(passages[:FALLBACK_PASSAGES])]

        def fits(text: str) -> bool:
            short = len(text) <= settings.free_max_characters
            return short and self._count_plain(text) <= settings.free_max_tokens

        texts = [text for _, text in shown]
        if chosen:
            most = settings.free_candidates
            found = nearest_sentences(question.question, texts, most, fits)
        else:
            quoted = quotation(question.question, texts, fits)
            found = [] if quoted is None else [quoted]
        return tuple(
            Quote(one.text, passages[shown[one.passage][0]].id, value) for one, value in found
        )

    def _choice_of_quotes(
        self,
        question: Question,
        stem: str,
        evidence: Sequence[str],
        passages: Sequence[Chunk],
        quotes: Sequence[Quote],
    ) -> ContrastPrompt:
        """Return the other prompts and votes of a choice among sentences of the evidence."""
        form = self.settings.contrast_form
        weights = Weights({str(v): w for v, w in self.settings.free_voters.items()})
        texts = tuple(evidence) or tuple(passage.text for passage in passages)
        asked = quotes if "question" in weights.names else ()
        needed = weights.names & MODEL_VOTERS
        return ContrastPrompt(
            bare=self._bare() if "contrast" in needed else "",
            weights=weights,
            references=self._references(stem, needed if evidence else frozenset()),
            votes=({"voter": "nearest", "values": [quote.value for quote in quotes]},),
            bearing=bearing(Seen(question.question, (), texts)),
            scored=bool(needed),
            sources=tuple(
                contrast_text(self.template, question_messages(quote.text), form) for quote in asked
            ),
            question=contrast_answer(question_end(stem), form) if asked else "",
        )

    def _references(self, stem: str, needed: AbstractSet[str]) -> dict[str, str]:
        """Return the prompts of voters that take away what the model knows without evidence."""
        if "evidence" not in needed:
            return {}
        form = self.settings.contrast_form
        return {"evidence": contrast_text(self.template, contrast_messages(stem), form)}

    def _bare(self) -> str:
        """Return the prompt without context."""
        return contrast_text(self.template, bare_messages(), self.settings.contrast_form)

    def _contrast(
        self, question: Question, stem: str, evidence: Sequence[str], passages: Sequence[Chunk]
    ) -> ContrastPrompt:
        """Return the other prompts and votes of a choice by contrast; `stem` is that shown."""
        weights = self.weights or weights_of(self.settings)
        texts = tuple(passage.text for passage in passages)
        seen = Seen(question.question, question.options, tuple(evidence), texts)
        bears = bearing(seen)
        needed = weights.model_voters(bears, shown=bool(evidence))
        return ContrastPrompt(
            bare=self._bare() if "contrast" in needed else "",
            weights=weights,
            references=self._references(stem, needed),
            negative=is_negative(question.question),
            votes=tuple(text_votes(seen, weights.names | ALWAYS_RECORDED)),
            bearing=bears,
            scored=bool(needed),
        )


@dataclass(frozen=True)
class PromptInput:
    """A question, its passages (best first) and the turn that the prompt is for."""

    question: Question
    passages: Sequence[Chunk]
    turn: int


def build_prompts(prompter: Prompter, inputs: Sequence[PromptInput], plan: Plan) -> list[Prompt]:
    """Return the prompts of questions under a plan; traced as `packing`
    with the passages that fit.
    """
    evidence_tokens = int(prompter.evidence_tokens * plan.evidence_share)
    out = []
    with child_span("packing", plan=plan.name, evidence_tokens=evidence_tokens) as span:
        for one in inputs:
            prompt = prompter.build(one.question, one.passages, plan, one.turn)
            span.item(
                one.question.id,
                turn=one.turn,
                found=len(one.passages),
                documents=[one.passages[index].id for index in prompt.passages],
                input_tokens=prompt.tokens,
            )
            out.append(prompt)
    return out
