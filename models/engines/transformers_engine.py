"""Run a transformers model in this process, on the GPU if there is one."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from transformers import PreTrainedModel

from kofinlaw import UserError
from kofinlaw.models.engines.base import (
    ChoiceScore,
    EngineStats,
    Generation,
    Request,
    length_batches,
    timed_call,
)
from kofinlaw.models.engines.beam_choice import chosen_beam
from kofinlaw.models.engines.choice_scoring import score_choices
from kofinlaw.models.engines.constraints import ConstraintFactory
from kofinlaw.models.engines.decoder import Decoder
from kofinlaw.models.engines.following import current_follower
from kofinlaw.models.engines.generation import ActiveSequence, generate_batch
from kofinlaw.models.loading import load_model
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.tokenizer import Tokenizer, load_tokenizer

__all__ = ["CPU_SCORE_TOKENS", "TransformersEngine", "end_tokens"]

# A CPU reads prompts fastest with about this many tokens in a batch: more do not fit its caches.
CPU_SCORE_TOKENS = 1024


class TransformersEngine:
    """Generate and score in length-sorted batches, with shared prompts read once.

    It supports every constraint. `model` is a model that is already in memory; if it is None, the
    folder's model is loaded, with the adapter applied. The tokenizer is always the folder's.
    """

    name = "transformers"
    deterministic = True

    def __init__(
        self,
        settings: EngineSettings,
        folder: Path,
        *,
        adapter: Path | None = None,
        model: PreTrainedModel | None = None,
    ) -> None:
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        self._settings = settings
        self._tokenizer = load_tokenizer(folder)
        if model is None:
            quantization = settings.quantization
            model = load_model(
                folder,
                quantization="none" if quantization == "fp8" else quantization,  # fp8 is vLLM's
                dtype=settings.dtype,
                adapter=adapter,
                # On a CPU in bf16, plain matrix products beat torch's flash kernel by 5-45 %.
                attention="sdpa" if torch.cuda.is_available() else "eager",
            )
        self._decoder: Decoder | None = Decoder(model)
        budget = settings.max_batch_tokens
        on_cpu = self._decoder.device.type == "cpu"
        self._score_tokens = min(budget, CPU_SCORE_TOKENS) if on_cpu else budget
        self.stats = EngineStats()
        self._ends = end_tokens(model, self._tokenizer)
        self._constraints = ConstraintFactory(self._tokenizer, self._ends)

    @property
    def tokenizer(self) -> Tokenizer:
        """The folder's tokenizer."""
        return self._tokenizer

    @property
    def decoder(self) -> Decoder:
        """The loaded model. Raises UserError if the engine is closed."""
        if self._decoder is None:
            raise UserError("this engine is closed")
        return self._decoder

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """Return the summed log-probability of each choice as the text right after its prompt.

        A choice is tokenized as a continuation of its prompt, as answers are in training.

        Raises: UserError for an empty prompt or choice.
        """
        with timed_call(self.stats):
            prompt_ids = self._tokenizer.encode_batch(prompts)
            tails = [
                [self._continuation(prompt, choice) for choice in row]
                for prompt, row in zip(prompts, choices, strict=True)
            ]
            for number, ids in enumerate(prompt_ids):
                if not ids:
                    raise UserError(f"prompt {number} is empty")
            out = score_choices(
                self.decoder,
                prompt_ids,
                tails,
                max_tokens=self._score_tokens,
                max_rows=self._settings.max_batch_size,
            )
            self.stats.prompt_tokens += sum(map(len, prompt_ids))
            return out

    def _continuation(self, prompt: str, choice: str) -> list[int]:
        ids = self._tokenizer.continuation(prompt, choice)
        if not ids:
            raise UserError("a choice is empty text")
        return ids

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one generation per request, in order; batches are sorted by length.

        Each sampled row draws from its own seed, so that its text depends on the other rows of its
        batch only through rounding.

        Raises: UserError for a constraint that cannot be applied.
        """
        with timed_call(self.stats):
            prompts = self._tokenizer.encode_batch([request.prompt for request in requests])
            sequences = [
                ActiveSequence(request, ids, self._constraints.for_request(request))
                for request, ids in zip(requests, prompts, strict=True)
            ]
            searched = {i: one for i, one in enumerate(sequences) if one.request.contrasted}
            out = self._search_beams(searched)
            rest = {i: one for i, one in enumerate(sequences) if i not in out}
            out.update(self._score_labels(rest))
            out.update(self._generate_some({i: s for i, s in rest.items() if i not in out}))
            self.stats.tokens += sum(text.tokens for text in out.values())
            self.stats.prompt_tokens += sum(text.prompt_tokens for text in out.values())
            self.stats.failures += sum(text.finish == "error" for text in out.values())
            return [out[i] for i in range(len(requests))]

    def _generate_some(self, sequences: Mapping[int, ActiveSequence]) -> dict[int, Generation]:
        """Generate sequences token by token, by index."""
        indices = list(sequences)
        lengths = [len(s.prompt) + s.request.max_tokens for s in sequences.values()]
        out: dict[int, Generation] = {}
        for batch in length_batches(
            lengths, self._settings.max_batch_tokens, self._settings.max_batch_size
        ):
            some = [sequences[indices[j]] for j in batch]
            step = self._step([indices[j] for j in batch], some)
            texts = generate_batch(self.decoder, self._tokenizer, some, self._ends, step)
            out.update((indices[j], text) for j, text in zip(batch, texts, strict=True))
        return out

    def _step(
        self, numbers: Sequence[int], sequences: Sequence[ActiveSequence]
    ) -> Callable[[], None] | None:
        """Return what reports a batch to the call's follower; None without one."""
        follower = current_follower()
        if follower is None:
            return None

        def texts() -> list[tuple[int, str]]:
            return [
                (number, self._tokenizer.decode(sequence.generated))
                for number, sequence in zip(numbers, sequences, strict=True)
            ]

        return lambda: follower.step(texts)

    def _search_beams(self, sequences: Mapping[int, ActiveSequence]) -> dict[int, Generation]:
        """Answer requests with a reference, by index; equal prompts (votes) are read once."""
        read: dict[tuple[str, tuple[str, ...]], list[ChoiceScore]] = {}
        for one in sequences.values():
            for prompt in (one.request.prompt, one.request.reference):
                read.setdefault((prompt, one.request.choices), [])
        rows = score_choices(
            self.decoder,
            [self._tokenizer.encode(prompt) for prompt, _ in read],
            [[self._continuation(prompt, c) for c in choices] for prompt, choices in read],
            max_tokens=self._score_tokens,
            max_rows=self._settings.max_batch_size,
        )
        read.update(zip(read, rows, strict=True))
        out = {}
        for i, one in sequences.items():
            own, other = (
                read[prompt, one.request.choices]
                for prompt in (one.request.prompt, one.request.reference)
            )
            best = chosen_beam(own, other, one.request)
            text = one.request.choices[best]
            length = len(one.prompt)
            out[i] = Generation(text, length, own[best].tokens, "stop", own[best].logprob)
        return out

    def _score_labels(self, sequences: Mapping[int, ActiveSequence]) -> dict[int, Generation]:
        """Answer the greedy choices among single tokens, by index.

        One step of constrained decoding would return the likeliest token. Scoring finds the same
        token and reads shared prompts once.
        """
        tails = {i: tokens for i, s in sequences.items() if (tokens := s.label_tokens())}
        scores = score_choices(
            self.decoder,
            [sequences[i].prompt for i in tails],
            [[[token] for token in row] for row in tails.values()],
            max_tokens=self._score_tokens,
            max_rows=self._settings.max_batch_size,
        )
        out = {}
        for i, row in zip(tails, scores, strict=True):
            best = max(range(len(row)), key=lambda j: row[j].logprob)
            text = sequences[i].request.choices[best]
            out[i] = Generation(text, len(sequences[i].prompt), 1, "stop", row[best].logprob)
        return out

    def close(self) -> None:
        """Free the model's memory; safe to call twice."""
        if self._decoder is None:
            return
        on_gpu = self._decoder.device.type == "cuda"
        self._decoder = None
        gc.collect()
        if on_gpu:
            torch.cuda.empty_cache()

    def __enter__(self) -> TransformersEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def end_tokens(model: PreTrainedModel, tokenizer: Tokenizer) -> frozenset[int]:
    """Return the ids that end a text: EOS of generation config, model config and tokenizer."""
    ends: set[int] = set()
    configs = (getattr(model, "generation_config", None), model.config.get_text_config())
    for config in configs:
        value = getattr(config, "eos_token_id", None)
        ends.update(value if isinstance(value, list) else [] if value is None else [value])
    if (own := tokenizer.special("eos_token")) is not None:
        ends.add(own)
    return frozenset(ends)
