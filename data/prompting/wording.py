"""Define the prompt text around a question, for training and for answering.

Training examples and the answering runner both build their messages here, so the model is asked in
the same words as in its training. A difference between the two is the most common reason why a
merged model answers worse than the trained one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from kofinlaw.records import Message

__all__ = [
    "CHOICE_RULE",
    "CITING_RULE",
    "CLOSED_CHOICE_RULE",
    "CLOSED_FREE_RULE",
    "FREE_RULE",
    "NO_EVIDENCE",
    "PROMPT_VERSION",
    "REASONED_CUE",
    "REASONING_RULE",
    "SYSTEM_PROMPT",
    "VERDICTS",
    "VERIFICATION_RULE",
    "AnswerForm",
    "choice_candidates",
    "choice_messages",
    "evidence_block",
    "free_messages",
    "option_lines",
    "verification_messages",
]

AnswerForm = Literal["label", "text"]
PROMPT_VERSION = "2"

CHOICE_RULE = "참고 조문을 근거로 알맞은 것 하나를 고르시오."
CLOSED_CHOICE_RULE = "알맞은 것 하나를 고르시오."
FREE_RULE = "참고 조문을 근거로 질문의 핵심어를 넣어 한두 문장으로 답하시오."
CLOSED_FREE_RULE = "질문의 핵심어를 넣어 한두 문장으로 답하시오."
REASONING_RULE = "먼저 판단의 근거를 한두 문장으로 쓰고, 그다음"
CITING_RULE = "먼저 근거 조문의 번호를 [1]과 같이 밝히며 판단의 근거를 한두 문장으로 쓰고, 그다음"
VERIFICATION_RULE = (
    "참고 조문에 비추어 설명이 맞으면 '맞음', 어긋나면 '틀림', 참고 조문만으로 알 수 없으면 "
    "'알 수 없음'이라고 답하시오."
)
VERDICTS = ("맞음", "틀림", "알 수 없음")  # supported, contradicted, not stated
SYSTEM_PROMPT = (
    "너는 한국의 법령과 금융 규정에 관한 질문에 답하는 조수이다. 참고 조문이 주어지면 그 조문에만 "
    "근거하여 답하고, 조문으로 알 수 없는 것은 알 수 없다고 답한다."
)
REASONED_CUE = "\n따라서 답: "  # between the reasoning and the choice
NO_EVIDENCE = "주어진 조문에서 답을 찾을 수 없습니다."


def evidence_block(evidence: Sequence[str], *, numbered: bool = False) -> str:
    """Return the passages as the prompt shows them, best first; empty if there are none.

    With `numbered` each begins with its number from 1 (`[1] `), so that an answer can cite it.
    """
    if not evidence:
        return ""
    texts = [text.strip() for text in evidence]
    if numbered:
        texts = [f"[{number}] {text}" for number, text in enumerate(texts, 1)]
    return "[참고 조문]\n" + "\n\n".join(texts) + "\n\n"


def option_lines(options: Sequence[str]) -> str:
    """Return the options numbered from 1, one a line, in the format of the contest (`N text`)."""
    return "\n".join(f"{number} {text}" for number, text in enumerate(options, 1))


def choice_messages(
    question: str,
    options: Sequence[str],
    evidence: Sequence[str] = (),
    form: AnswerForm = "label",
    *,
    reasoning: bool = False,
) -> list[Message]:
    """Return the user's message for a multiple-choice question (without the answer).

    With `reasoning` the model is first asked for its reasons; `REASONED_CUE` then introduces the
    choice. The passages are then numbered, and the model is asked to cite their numbers.

    Args:
        question: The stem.
        options: The texts of the options, without labels.
        evidence: The passages to show, best first.
        form: Whether the answer is the label or the text of the option.
        reasoning: Whether the model writes its reasons first.
    """
    rule = CHOICE_RULE if evidence else CLOSED_CHOICE_RULE
    asked = "번호만 답하시오." if form == "label" else "고른 보기의 내용을 그대로 답하시오."
    if reasoning:
        asked = f"{CITING_RULE if evidence else REASONING_RULE} {asked}"
    shown = evidence_block(evidence, numbered=reasoning)
    body = f"{shown}[문제] {question}\n{option_lines(options)}\n\n{rule} {asked}"
    return [{"role": "user", "content": body}]


def choice_candidates(options: Sequence[str], form: AnswerForm = "label") -> list[str]:
    """Return the text that the assistant writes to choose each option,
    in the order of the options.
    """
    if form == "label":
        return [str(number) for number in range(1, len(options) + 1)]
    return list(options)


def free_messages(question: str, evidence: Sequence[str] = ()) -> list[Message]:
    """Return the user's message for a free-text question (without the answer)."""
    rule = FREE_RULE if evidence else CLOSED_FREE_RULE
    body = f"{evidence_block(evidence)}[질문] {question}\n\n{rule}"
    return [{"role": "user", "content": body}]


def verification_messages(statement: str, evidence: Sequence[str]) -> list[Message]:
    """Return the user's message that asks for one of `VERDICTS` on a statement."""
    body = f"{evidence_block(evidence)}[설명] {statement}\n\n{VERIFICATION_RULE}"
    return [{"role": "user", "content": body}]
