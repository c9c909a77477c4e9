"""Define the prompts of a choice by contrast: each option with evidence, and without any context.

The options are not listed in the prompt. A model's preference for an option is the mean
log-probability of the option as the answer to the prompt with evidence, minus that under a prompt
without content. Training and answering both build their prompts here.
"""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.data.prompting.wording import evidence_block
from kofinlaw.records import Message

__all__ = ["CONTRAST_VERSION", "bare_messages", "contrast_messages"]

CONTRAST_VERSION = "1"


def contrast_messages(question: str, evidence: Sequence[str] = ()) -> list[Message]:
    """Return the user's message with evidence (best first) and stem, without options and answer.

    Without evidence it is the prompt of the stem alone.
    """
    return [{"role": "user", "content": f"{evidence_block(evidence)}[문제] {question}\n정답:"}]


def bare_messages() -> list[Message]:
    """Return the user's message without any content, which gives the prior of an option."""
    return [{"role": "user", "content": "정답:"}]
