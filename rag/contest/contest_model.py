"""Run the merged model on the contest's machine: transformers 4, one question after another.

This file is copied into `answer.py`, see `inlining.py`. torch and transformers are imported when
the model is loaded, because the script writes its first submission before that.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from kofinlaw.data.prompting.claims import claims_of
from kofinlaw.data.prompting.contrast import (
    ContrastForm,
    bare_messages,
    contrast_answer,
    contrast_messages,
    question_end,
    question_messages,
)
from kofinlaw.data.prompting.packing import pack
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.prompting.wording import (
    NO_EVIDENCE,
    AnswerForm,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.decoding import clean_text
from kofinlaw.models.rendering.control_tokens import (
    ControlTokens,
    MarkedEncoder,
    as_text,
    has_marks,
)
from kofinlaw.models.tokenizer import ANCHOR_CHARACTERS
from kofinlaw.rag.answer.fallback import FALLBACK_PASSAGES
from kofinlaw.rag.answer.free_text import shaped
from kofinlaw.rag.choosing.nearest import nearest_sentences, quotation
from kofinlaw.rag.choosing.preference import (
    MODEL_VOTERS,
    Weights,
    WeightsRecord,
    option_probabilities,
    preferences,
)
from kofinlaw.rag.choosing.text_values import bearing_of, portable_values

if TYPE_CHECKING:
    import torch

__all__ = ["ContestSettings", "Model"]


class ContestSettings(TypedDict):
    """The content of `contest.json`.

    `before` and `after` are what the chat template writes around the user's message; `bos` is its
    BOS token; `stop_ids` end an answer. No text becomes one of the tokens `controls`.
    `contrast_decoding` is the weight (0..1) of the prompt without evidence where a choice is
    generated. `weights` are those of choices by contrast; they have no voter where a choice is
    generated. The keys of free text are those of `answer`.
    """

    bos: str
    choose_by: Literal["generate", "contrast"]
    contrast_decoding: float
    contrast_form: ContrastForm
    weights: WeightsRecord
    before: str
    after: str
    controls: list[str]
    stop_ids: list[int]
    dtype: str
    k: int
    option_passages: int
    evidence_tokens: int
    answer_form: AnswerForm
    context_tokens: int
    free_by: Literal["generate", "choose"]
    free_candidates: int
    free_voters: dict[str, float]
    free_replace: bool
    free_max_tokens: int
    free_max_characters: int


class Model:
    """The merged model. It decodes greedily; a choice is constrained to the given choices.

    With `contrast_decoding` it generates a choice from the difference of two prompts, and with
    `choose_by: contrast` it scores the options, as `kofinlaw answer` does.
    """

    def __init__(self, settings: ContestSettings, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.settings = settings
        cuda = torch.cuda.is_available()
        self.tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        self.controls = ControlTokens(settings["controls"])
        self.marked = MarkedEncoder(self.tokenizer.backend_tokenizer, settings["controls"])
        self.model = AutoModelForCausalLM.from_pretrained(
            str(folder),
            torch_dtype=getattr(torch, settings["dtype"]),
            device_map={"": 0} if cuda else None,
            local_files_only=True,
        ).eval()
        self.device = "cuda" if cuda else "cpu"
        self.bare: dict[str, float] = {}  # mean log-probability of an option without context

    def encode(self, text: str) -> list[int]:
        """Return token ids; the prompt's frame contains the special tokens already."""
        if has_marks(text):
            return self.marked.encode(text)[0]
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def count(self, text: str) -> int:
        """Return the number of tokens of a prompt."""
        return len(self.encode(text))

    def count_plain(self, text: str) -> int:
        """Return the number of tokens of a text in which no control token becomes one."""
        return self.count(self.plain(text))

    def plain(self, text: str) -> str:
        """Return a text so that no control token in it becomes one."""
        return as_text(text, self.controls)

    def continuation(self, prompt: str, text: str) -> list[int]:
        """Return the tokens that a text has right after a prompt; as in `models.tokenizer`."""
        text = self.plain(text)
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
        return self.shown_prompt(stem, options, passages, share)[0]

    def shown_prompt(
        self,
        stem: str,
        options: Sequence[str],
        passages: Sequence[str],
        share: float,
        *,
        chosen: bool = False,
    ) -> tuple[str, list[str], str]:
        """Return (prompt, texts of the evidence in it, stem in it); see `prompt`.

        `chosen` says that free text is chosen among sentences of the evidence.
        """
        settings = self.settings
        by_contrast = chosen or (
            bool(options) and (settings["choose_by"] == "contrast" or self.decodes_by_contrast)
        )
        room = settings["context_tokens"] - settings["free_max_tokens"]
        if by_contrast and options:
            form = settings["contrast_form"]
            room = settings["context_tokens"]
            room -= max(self.count_plain(contrast_answer(option, form)) for option in options)
        evidence_tokens = int(settings["evidence_tokens"] * share)
        query = " ".join([stem, *options])
        while True:
            evidence: list[str] = []
            if evidence_tokens > 0 and passages:
                evidence = pack(
                    passages,
                    query,
                    evidence_tokens,
                    self.count_plain,
                    claims=claims_of(stem, options),
                )
            if by_contrast:
                text = self.contrast_prompt(contrast_messages(stem, evidence)[0]["content"])
            elif options:
                messages = choice_messages(stem, options, evidence, settings["answer_form"])
                text = self.framed(messages[0]["content"])
            else:
                messages = free_messages(stem, evidence)
                text = self.framed(messages[0]["content"])
            over = self.count(text) - room
            if over <= 0:
                return text, evidence, stem
            if not evidence:
                stem, cut = stem[: max(40, len(stem) - 2 * over)], stem
                if stem == cut:
                    return text, evidence, stem
            evidence_tokens = min(evidence_tokens, sum(map(self.count_plain, evidence))) - over - 8

    @property
    def decodes_by_contrast(self) -> bool:
        """Whether a choice is generated from the difference of two prompts."""
        return self.settings["choose_by"] == "generate" and self.settings["contrast_decoding"] > 0

    def contrast_prompt(self, content: str) -> str:
        """Return the text before an option of a choice by contrast."""
        if self.settings["contrast_form"] == "plain":
            return self.settings["bos"] + self.plain(content)
        return self.framed(content)

    def framed(self, content: str) -> str:
        """Return the text of a user's message with what the chat template writes around it."""
        return self.settings["before"] + self.plain(content) + self.settings["after"]

    def mean_logprobs(self, prompt: str, texts: Sequence[str]) -> list[float]:
        """Return the mean log-probability of a token of each text right after the prompt."""
        import torch

        ids = self.encode(prompt)
        tails = [self.continuation(prompt, text) for text in texts]
        means = []
        with torch.inference_mode():
            cache = None
            if len(ids) > 1:
                read = torch.tensor([ids[:-1]], device=self.device)
                cache = self.model(read, use_cache=True).past_key_values
            for tail in tails:
                row = torch.tensor([[ids[-1], *tail[:-1]]], device=self.device)
                logits = self.model(row, past_key_values=copy.deepcopy(cache)).logits[0].float()
                total = torch.log_softmax(logits, dim=-1)[range(len(tail)), tail].sum()
                means.append(float(total) / len(tail))
        return means

    def choose(
        self, stem: str, options: Sequence[str], passages: Sequence[str], share: float
    ) -> str:
        """Return the number of the option that contrast and voters prefer."""
        record = self.settings["weights"]
        weights = Weights(
            record["voters"],
            record["gated"],
            {gate: (mean, deviation) for gate, (mean, deviation) in record["gates"].items()},
            record["temperature"],
            record["unrelated"],
            record["bearing_from"],
        )
        text, shown, asked = self.shown_prompt(stem, options, passages, share)
        choices = [contrast_answer(option, self.settings["contrast_form"]) for option in options]
        bearing = bearing_of(stem, passages or shown)
        needed = weights.model_voters(bearing, shown=bool(shown))
        votes = self.model_votes(text, asked, choices, needed) if needed else {}
        votes.update(portable_values(stem, options, shown, passages))
        best = self.preferred(choices, votes, weights, bearing=bearing, negative=is_negative(stem))
        return str(best + 1)

    def choose_sentence(self, question: str, passages: Sequence[str], share: float) -> str:
        """Return the sentence of the evidence that the voters prefer; empty where there is none."""
        settings = self.settings
        weights = Weights(settings["free_voters"])
        text, shown, asked = self.shown_prompt(question, (), passages, share, chosen=True)
        texts = shown or passages[:FALLBACK_PASSAGES]
        found = self.sentences(question, texts, settings["free_candidates"])
        if not found:
            return ""
        choices = [contrast_answer(one, settings["contrast_form"]) for one, _ in found]
        votes: dict[str, list[float]] = {}
        needed = weights.names & MODEL_VOTERS
        if needed:
            alone = frozenset() if shown else {"evidence"}
            votes = self.model_votes(text, asked, choices, needed - alone)
        if "question" in weights.names:
            written = contrast_answer(question_end(asked), settings["contrast_form"])
            sources = [self.contrast_prompt(question_messages(t)[0]["content"]) for t, _ in found]
            votes["question"] = [self.mean_logprobs(one, [written])[0] for one in sources]
        votes["nearest"] = [value for _, value in found]
        bearing = bearing_of(question, shown or passages)
        best = self.preferred(choices, votes, weights, bearing=bearing, negative=False)
        return found[best][0]

    def sentences(self, question: str, texts: Sequence[str], most: int) -> list[tuple[str, float]]:
        """Return the sentences of the evidence that can be the answer with their value, nearest
        first. Where no evidence is in the prompt, the caller gives the passages.
        """
        found = nearest_sentences(question, texts, most, self.fits)
        return [(one.text, value) for one, value in found]

    def fits(self, text: str) -> bool:
        """Return whether a sentence is short enough for an answer."""
        short = len(text) <= self.settings["free_max_characters"]
        return short and self.count_plain(text) <= self.settings["free_max_tokens"]

    def model_votes(
        self, text: str, stem: str, choices: Sequence[str], needed: AbstractSet[str]
    ) -> dict[str, list[float]]:
        """Return the values of the needed voters of the model, and the likelihood.

        `text` is the prompt, `stem` the stem in it.
        """
        found = self.mean_logprobs(text, choices)
        votes: dict[str, list[float]] = {}
        if "contrast" in needed:
            missing = [choice for choice in dict.fromkeys(choices) if choice not in self.bare]
            if missing:
                bare = self.contrast_prompt(bare_messages()[0]["content"])
                self.bare.update(zip(missing, self.mean_logprobs(bare, missing), strict=True))
            votes["contrast"] = [m - self.bare[c] for m, c in zip(found, choices, strict=True)]
        votes["likelihood"] = found
        if "evidence" in needed:
            alone = self.contrast_prompt(contrast_messages(stem)[0]["content"])
            others = self.mean_logprobs(alone, choices)
            votes["evidence"] = [m - other for m, other in zip(found, others, strict=True)]
        return votes

    def preferred(
        self,
        choices: Sequence[str],
        votes: Mapping[str, Sequence[float]],
        weights: Weights,
        *,
        bearing: float,
        negative: bool,
    ) -> int:
        """Return the index of the choice that the weighted votes prefer."""
        preferred = preferences(
            [{"voter": name, "values": [round(v, 6) for v in row]} for name, row in votes.items()],
            weights,
            negative=negative,
            bearing=bearing,
        )
        chances = option_probabilities(preferred, choices, weights.temperature)
        return chances.index(max(chances))

    def write_contrasted(
        self, text: str, stem: str, choices: Sequence[str], *, negative: bool
    ) -> str:
        """Return the choice that is generated from the difference of two prompts.

        The same search as in `kofinlaw.models.engines.beam_choice`: of the choices the text with
        the largest mean log-probability after the prompt `text`, minus a weight times that after
        the prompt of the stem alone. For a negative stem the two prompts change places.
        """
        weight = self.settings["contrast_decoding"]
        prompts = [text, self.contrast_prompt(contrast_messages(stem)[0]["content"])]
        if negative:
            prompts, weight = prompts[::-1], 1 / weight
        own, other = (self.mean_logprobs(prompt, choices) for prompt in prompts)
        values = [mine - weight * their for mine, their in zip(own, other, strict=True)]
        return choices[values.index(max(values))]

    def write(self, text: str, choices: Sequence[str]) -> str:
        """Return the choice that the model writes after a prompt; empty if it writes none."""
        tails = [self.continuation(text, choice) for choice in choices]
        written, _ = self._generate(text, tails)
        return next((c for c, t in zip(choices, tails, strict=True) if t == written), "")

    def write_free(self, text: str) -> tuple[str, bool]:
        """Return the model's text after a prompt, and whether the model ended it itself."""
        written, stopped = self._generate(text, [])
        text = clean_text(str(self.tokenizer.decode(written, skip_special_tokens=True)))
        return text.strip(), stopped

    def _generate(self, text: str, tails: Sequence[list[int]]) -> tuple[list[int], bool]:
        """Return the tokens after a prompt without the stop token, and whether there was one.

        With `tails` (the tokens of the choices) the text is one of them.
        """
        import torch

        ids = torch.tensor([self.encode(text)], device=self.device)
        ends, start = self.settings["stop_ids"], ids.shape[1]

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
        return written[:stop], stop < len(written)

    def answer(
        self, stem: str, options: Sequence[str], passages: Sequence[str], share: float
    ) -> str:
        """Return the answer for the submission; empty where the model wrote nothing valid."""
        if options and self.settings["choose_by"] == "contrast":
            return self.choose(stem, options, passages, share)
        if options and self.decodes_by_contrast:
            text, _, asked = self.shown_prompt(stem, options, passages, share)
            choices = [contrast_answer(o, self.settings["contrast_form"]) for o in options]
            negative = is_negative(stem)
            written = self.write_contrasted(text, asked, choices, negative=negative)
            return str(choices.index(written) + 1)
        if not options:
            return self.free_answer(stem, passages, share)
        choices = choice_candidates(options, self.settings["answer_form"])
        text = self.write(self.prompt(stem, options, passages, share), choices)
        return str(choices.index(text) + 1) if text in choices else ""

    def free_answer(self, question: str, passages: Sequence[str], share: float) -> str:
        """Return a sentence of the evidence, or the model's own text; unusable text is replaced."""
        settings = self.settings
        if settings["free_by"] == "choose":
            found = self.choose_sentence(question, passages, share)
            if found:
                return found
        prompt, shown, _ = self.shown_prompt(question, (), passages, share)
        written, stopped = self.write_free(prompt)
        limit = settings["free_max_characters"]
        text, problem = shaped(written, question, shown, limit, stopped=stopped)
        if settings["free_replace"] and problem:
            quoted = quotation(question, shown or passages[:FALLBACK_PASSAGES], self.fits)
            return NO_EVIDENCE if quoted is None else quoted[0].text
        return text
