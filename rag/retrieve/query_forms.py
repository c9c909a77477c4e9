"""The queries made of one question; a language model writes some of them where there is one.

Multi-query: the question worded anew, each wording searched on its own (Langchain's
MultiQueryRetriever). Hypothetical: the article that would answer it, made up and searched for
(HyDE, Gao et al. 2022): its words are closer to the statute's than the question's are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from kofinlaw.rag.settings import WRITTEN_FORMS, QueryForm
from kofinlaw.records import Question

if TYPE_CHECKING:
    from kofinlaw.models.engines.base import Engine
    from kofinlaw.models.templates import ChatTemplate

# Instructions to the model's answers, in order.
Generate = Callable[[Sequence[str]], Sequence[str]]
# Question id and written form → the queries written for it.
Written = Mapping[tuple[str, QueryForm], Sequence[str]]

_LINE_MARK = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}[.)]|[①-⑨])\s*")
_MAX_TOKENS = 160


def queries_of(
    question: Question, forms: Sequence[QueryForm], written: Written | None = None
) -> list[tuple[QueryForm, str, float]]:
    """(form, query text, share of the weight) for a question; shares add up to 1.

    A form that gives nothing (options without options, a written form that nobody wrote) leaves
    its share to the others; where all do, the stem alone is asked.
    """
    made: list[tuple[QueryForm, list[str]]] = []
    for form in forms:
        texts = _texts(question, form, written or {})
        if texts:
            made.append((form, texts))
    if not made:
        made = [("stem", [question.question])]
    return [(form, text, 1 / len(made) / len(texts)) for form, texts in made for text in texts]


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
    return [f"{stem}\n{option}" for option in options]


def write_queries(
    questions: Sequence[Question], forms: Sequence[QueryForm], generate: Generate, rewrites: int
) -> dict[tuple[str, QueryForm], list[str]]:
    """Queries written by a model for each question and written form; failed ones are left out."""
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


def _lines(text: str, most: int) -> list[str]:
    lines = (_LINE_MARK.sub("", line).strip() for line in text.splitlines())
    return [line for line in lines if line][:most]


def generate_with(engine: Engine, template: ChatTemplate) -> Generate:
    """Greedy generation through a chat template, as `write_queries` wants it."""
    from kofinlaw.models.engines.base import Request

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
