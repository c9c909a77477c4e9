"""Make the queries of one question; a language model writes some of them where there is one.

- Multi-query: the model rewrites the question, and each rewrite is searched (LangChain's
  MultiQueryRetriever).
- Hypothetical: the model invents the article that would answer the question, and that text is
  searched (HyDE, Gao et al. 2022). Its words are closer to the statute's than the question's are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kofinlaw.data.prompting.claims import claims_of
from kofinlaw.models.engines.base import Engine, Request
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.settings import WRITTEN_FORMS, QueryForm
from kofinlaw.records import Question

__all__ = ["Generate", "Query", "Written", "generate_with", "queries_of", "write_queries"]

# Instructions → what the model answers to each, in order.
Generate = Callable[[Sequence[str]], Sequence[str]]
# (question id, written form) → the queries written for it.
Written = Mapping[tuple[str, QueryForm], Sequence[str]]

_LINE_MARK = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}[.)]|[①-⑨])\s*")
_MAX_TOKENS = 160


class Query(NamedTuple):
    """One query of a question: its form, its text and its share of the question's weight."""

    form: QueryForm
    text: str
    share: float


def queries_of(
    question: Question, forms: Sequence[QueryForm], written: Written | None = None
) -> list[Query]:
    """Return the queries of a question; their shares add up to 1.

    A form that gives nothing (options of a question without options, a form that no model wrote)
    leaves its share to the others. Where all give nothing, the stem alone is searched.
    """
    made: list[tuple[QueryForm, list[str]]] = []
    for form in forms:
        texts = _texts(question, form, written or {})
        if texts:
            made.append((form, texts))
    if not made:
        made = [("stem", [question.question])]
    return [Query(form, text, 1 / len(made) / len(texts)) for form, texts in made for text in texts]


def _texts(question: Question, form: QueryForm, written: Written) -> list[str]:
    stem, options = question.question, question.options
    if form == "stem":
        return [stem]
    if form in WRITTEN_FORMS:
        return list(written.get((question.id, form), ()))
    if not options:
        return []
    if form == "stem_options":
        return ["\n".join([stem, *options])]
    claims = claims_of(stem, options)
    return [f"{claims.stem}\n{claim}" for claim in claims.texts]


def write_queries(
    questions: Sequence[Question], forms: Sequence[QueryForm], generate: Generate, rewrites: int
) -> dict[tuple[str, QueryForm], list[str]]:
    """Return the queries that a model writes for each question and written form.

    `rewrites` is the number of rewrites for `multi_query`. A question and form for which the model
    wrote nothing usable is left out.
    """
    wanted = [(q, form) for q in questions for form in forms if form in WRITTEN_FORMS]
    texts = generate([_instruction(q, form, rewrites) for q, form in wanted]) if wanted else []
    out: dict[tuple[str, QueryForm], list[str]] = {}
    for (question, form), text in zip(wanted, texts, strict=True):
        made = _lines(text, rewrites) if form == "multi_query" else [text.strip()]
        made = [query for query in dict.fromkeys(made) if query and query != question.question]
        if made:
            out[question.id, form] = made
    return out


def _instruction(question: Question, form: QueryForm, rewrites: int) -> str:
    asked = "\n".join([question.question, *question.options])
    if form == "multi_query":
        return (
            f"다음 질문에 답할 법령 조문을 찾으려고 합니다. 뜻은 같고 표현이 다른 검색문을 "
            f"{rewrites}개, 한 줄에 하나씩 쓰십시오.\n\n질문: {asked}"
        )
    return (
        f"다음 질문의 답이 담긴 법령 조문을 실제 조문의 문체로 두세 문장 쓰십시오.\n\n질문: {asked}"
    )


def _lines(text: str, limit: int) -> list[str]:
    lines = (_LINE_MARK.sub("", line).strip() for line in text.splitlines())
    return [line for line in lines if line][:limit]


def generate_with(engine: Engine, template: ChatTemplate) -> Generate:
    """Return the function that `write_queries` calls: greedy generation by a chat template."""

    def generate(instructions: Sequence[str]) -> list[str]:
        prompts = [
            template.render([{"role": "user", "content": text}], add_generation_prompt=True)
            for text in instructions
        ]
        requests = [
            Request(p, max_tokens=_MAX_TOKENS, stop=(template.stop,), logprob=False)
            for p in prompts
        ]
        return [made.text for made in engine.generate(requests)]

    return generate
