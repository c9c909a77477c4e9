"""Run the merged model on the contest's machine: transformers 4, one question after another.

This file is copied into `answer.py`, see `inlining.py`. torch and transformers are imported when
the model is loaded, because the script writes its first submission before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from kofinlaw.data.prompting.packing import pack
from kofinlaw.data.prompting.wording import (
    AnswerForm,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.models.tokenizer import ANCHOR_CHARACTERS
from kofinlaw.rag.answer.free_text import tidy

if TYPE_CHECKING:
    import torch

__all__ = ["ContestSettings", "Model"]


class ContestSettings(TypedDict):
    """The content of `contest.json`.

    `before` and `after` are what the chat template writes around the user's message; `stop_ids` end
    an answer.
    """

    before: str
    after: str
    stop_ids: list[int]
    dtype: str
    k: int
    evidence_tokens: int
    answer_form: AnswerForm
    context_tokens: int
    free_max_tokens: int
    free_max_characters: int


class Model:
    """The merged model. It decodes greedily; a choice is constrained to the given choices."""

    def __init__(self, settings: ContestSettings, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.settings = settings
        cuda = torch.cuda.is_available()
        self.tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        self.model = AutoModelForCausalLM.from_pretrained(
            str(folder),
            torch_dtype=getattr(torch, settings["dtype"]),
            device_map={"": 0} if cuda else None,
            local_files_only=True,
        ).eval()
        self.device = "cuda" if cuda else "cpu"

    def encode(self, text: str) -> list[int]:
        """Return token ids; the prompt's frame contains the special tokens already."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def count(self, text: str) -> int:
        """Return the number of tokens of a text."""
        return len(self.encode(text))

    def continuation(self, prompt: str, text: str) -> list[int]:
        """Return the tokens that a text has right after a prompt; as in `models.tokenizer`."""
        end = prompt[-ANCHOR_CHARACTERS:]
        before, after = self.encode(end), self.encode(end + text)
        joined = after[: len(before)] != before
        return self.encode(text) if joined else after[len(before) :]

    def prompt(
        self, stem: str, options: Sequence[str], passages: Sequence[str], share: float
    ) -> str:
        """Return the prompt of a question: evidence within its tokens,
        and the whole within the context.

        `share` (0..1) is that of `evidence_tokens` which the passages may fill.
        """
        settings = self.settings
        evidence_tokens = int(settings["evidence_tokens"] * share)
        query = " ".join([stem, *options])
        while True:
            evidence: list[str] = []
            if evidence_tokens > 0 and passages:
                evidence = pack(passages, query, evidence_tokens, self.count)
            if options:
                messages = choice_messages(stem, options, evidence, settings["answer_form"])
            else:
                messages = free_messages(stem, evidence)
            text = settings["before"] + messages[0]["content"] + settings["after"]
            over = self.count(text) + settings["free_max_tokens"] - settings["context_tokens"]
            if over <= 0:
                return text
            if not evidence:
                stem, cut = stem[: max(40, len(stem) - 2 * over)], stem
                if stem == cut:
                    return text
            evidence_tokens = min(evidence_tokens, sum(map(self.count, evidence))) - over - 8

    def write(self, text: str, choices: Sequence[str]) -> str:
        """Return the model's text after a prompt: one of the choices, or free text without any."""
        import torch

        ids = torch.tensor([self.encode(text)], device=self.device)
        ends, start = self.settings["stop_ids"], ids.shape[1]
        tails = [self.continuation(text, choice) for choice in choices]

        def allowed(_: int, so_far: torch.Tensor) -> list[int]:
            written = so_far[start:].tolist()
            open_tails = [tail for tail in tails if tail[: len(written)] == written]
            return [t[len(written)] if t != written else ends[0] for t in open_tails] or ends

        longest = max(map(len, tails), default=0) + 1
        with torch.inference_mode():
            out = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=longest if tails else self.settings["free_max_tokens"],
                prefix_allowed_tokens_fn=allowed if tails else None,
                eos_token_id=ends,
                pad_token_id=ends[0],
            )
        # To some tokenizers the end of a turn is an ordinary token: it is cut off here by its id.
        written = out[0, start:].tolist()
        stop = next((i for i, token in enumerate(written) if token in ends), len(written))
        if tails:
            return next((c for c, t in zip(choices, tails, strict=True) if t == written[:stop]), "")
        return str(self.tokenizer.decode(written[:stop], skip_special_tokens=True)).strip()

    def answer(
        self, stem: str, options: Sequence[str], passages: Sequence[str], share: float
    ) -> str:
        """Return the answer for the submission; empty where the model wrote nothing valid."""
        form = self.settings["answer_form"]
        choices = choice_candidates(options, form) if options else []
        text = self.write(self.prompt(stem, options, passages, share), choices)
        if not options:
            return tidy(text, self.settings["free_max_characters"])
        return str(choices.index(text) + 1) if text in choices else ""
