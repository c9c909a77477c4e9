"""Define the prompts of a choice by contrast: each option with evidence, and without any context.

The options are not listed in the prompt. A model's preference for an option is the mean
log-probability of the option as the answer to the prompt with evidence, minus that under a prompt
without content. Training and answering both build their prompts here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from kofinlaw.data.prompting.wording import evidence_block
from kofinlaw.records import Message

__all__ = [
    "ContrastForm",
    "ContrastReference",
    "Renderer",
    "bare_messages",
    "contrast_answer",
    "contrast_messages",
    "contrast_text",
    "question_end",
    "question_messages",
]

SCORED_CHARACTERS = 400  # of a question that is scored after each sentence

# `chat`: the messages as the chat template shows them. `plain`: their text after the BOS token, for
# base models that know no turns.
ContrastForm = Literal["chat", "plain"]
# The prompt whose scores are subtracted: `bare_messages`, the stem without evidence, or none.
ContrastReference = Literal["bare", "stem", "none"]


class Renderer(Protocol):
    """The part of a chat template that is used here."""

    @property
    def bos(self) -> str:
        """The text of the BOS token, or an empty string."""
        ...

    def render(
        self, messages: Sequence[Mapping[str, str]], *, add_generation_prompt: bool = False
    ) -> str:
        """Return the text of chat messages."""
        ...

    def plain(self, text: str) -> str:
        """Return a text so that no control token in it becomes one."""
        ...


def contrast_messages(question: str, evidence: Sequence[str] = ()) -> list[Message]:
    """Return the user's message with evidence (best first) and stem, without options and answer.

    Without evidence it is the prompt of the stem alone.
    """
    return [{"role": "user", "content": f"{evidence_block(evidence)}[문제] {question}\n정답:"}]


def bare_messages() -> list[Message]:
    """Return the user's message without any content, which gives the prior of an option."""
    return [{"role": "user", "content": "정답:"}]


def question_messages(sentence: str) -> list[Message]:
    """Return the user's message with a sentence as the evidence, which a question follows."""
    return [{"role": "user", "content": f"{evidence_block([sentence])}[질문]"}]


def question_end(question: str) -> str:
    """Return a question as it is scored after a sentence: a long one without its beginning.

    People ask at the end, after the facts. Of more than 400 characters the last ones
    remain, from the start of a line, sentence or word. Otherwise each of a dozen sentences would
    read a question of thousands of tokens again.
    """
    if len(question) <= SCORED_CHARACTERS:
        return question
    end = question.rstrip()[-SCORED_CHARACTERS:]
    for mark in ("\n", ". ", "? ", " "):
        head, _, rest = end.partition(mark)
        if rest.strip() and len(head) <= SCORED_CHARACTERS // 2:
            return rest.lstrip()
    return end


def contrast_text(
    template: Renderer, messages: Sequence[Message], form: ContrastForm = "chat"
) -> str:
    """Return the text that the model reads before an option, for messages made by this module.

    The plain form is the text of the messages after the template's BOS token.
    """
    if form == "chat":
        return template.render(messages, add_generation_prompt=True)
    return template.bos + template.plain("\n".join(message["content"] for message in messages))


def contrast_answer(option: str, form: ContrastForm = "chat") -> str:
    """Return an option as the text right after the prompt: the plain form begins with a space."""
    return option if form == "chat" else f" {option}"
