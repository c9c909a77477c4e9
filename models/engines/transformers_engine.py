"""The transformers engine: a model in this process, on the GPU where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.models.engines.base import (
    ChoiceScore,
    EngineStats,
    Generation,
    Request,
    length_batches,
    timed,
)
from kofinlaw.models.engines.choice_scoring import score_choices
from kofinlaw.models.engines.constraints import Constraints
from kofinlaw.models.engines.decoder import Decoder
from kofinlaw.models.engines.generation import Writing, write
from kofinlaw.models.loading import Tokenizer, load_model, load_tokenizer
from kofinlaw.models.settings import EngineSettings

# Reading runs fastest on a CPU at about this many tokens a batch: larger ones leave its caches.
CPU_SCORE_TOKENS = 1024


class TransformersEngine:
    """Length-sorted batches, shared prompts read once, answers held to any constraint.

    `model` is a model already in memory, else the folder's is loaded; the tokenizer is always the
    folder's.
    """

    name = "transformers"
    deterministic = True

    def __init__(
        self,
        settings: EngineSettings,
        folder: Path,
        *,
        adapter: Path | None = None,
        model: Any = None,
    ) -> None:
        import torch

        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        self._settings = settings
        self._tokenizer = load_tokenizer(folder)
        if model is None:
            model = load_model(
                folder,
                quantization=settings.quantization,
                dtype=settings.dtype,
                adapter=adapter,
                # On a CPU plain matrix products beat torch's flash kernel by 5-45 % in bf16.
                attention="sdpa" if torch.cuda.is_available() else "eager",
            )
        self._decoder: Decoder | None = Decoder(model)
        budget = settings.max_batch_tokens
        on_cpu = self._decoder.device.type == "cpu"
        self._score_tokens = min(budget, CPU_SCORE_TOKENS) if on_cpu else budget
        self.stats = EngineStats()
        self._ends = end_tokens(model, self._tokenizer)
        self._constraints = Constraints(self._tokenizer, self._ends)

    @property
    def tokenizer(self) -> Tokenizer:
        """The folder's tokenizer."""
        return self._tokenizer

    @property
    def decoder(self) -> Decoder:
        """The loaded model; raises UserError once the engine is closed."""
        if self._decoder is None:
            raise UserError("this engine is closed")
        return self._decoder

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """Summed log-probability of each choice as the text right after its prompt.

        A choice's tokens are those it has after its prompt, as an answer's are in training.
        Raises UserError for an empty prompt or choice.
        """
        with timed(self.stats):
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
        """Texts in length-sorted batches with a key-value cache, in the requests' order.

        Greedy at temperature 0. A sampled row draws from its own seed, so that its text does not
        depend on its batch's company beyond rounding. Raises UserError for a constraint that
        cannot be followed.
        """
        with timed(self.stats):
            prompts = self._tokenizer.encode_batch([request.prompt for request in requests])
            writings = [
                Writing(request, ids, self._constraints.of(request))
                for request, ids in zip(requests, prompts, strict=True)
            ]
            out = self._picked_labels(writings)
            rest = [i for i in range(len(writings)) if i not in out]
            lengths = [len(prompts[i]) + requests[i].max_tokens for i in rest]
            for batch in length_batches(
                lengths, self._settings.max_batch_tokens, self._settings.max_batch_size
            ):
                some = [writings[rest[j]] for j in batch]
                written = write(self.decoder, self._tokenizer, some, self._ends)
                out.update((rest[j], text) for j, text in zip(batch, written, strict=True))
            self.stats.tokens += sum(text.tokens for text in out.values())
            self.stats.prompt_tokens += sum(text.prompt_tokens for text in out.values())
            self.stats.failures += sum(text.finish == "error" for text in out.values())
            return [out[i] for i in range(len(requests))]

    def _picked_labels(self, writings: Sequence[Writing]) -> dict[int, Generation]:
        """Greedy choices among single tokens, by place: one step of constrained writing is the
        likeliest of them, which scoring finds with shared prompts read once."""
        tails = {i: tokens for i, w in enumerate(writings) if (tokens := w.labels())}
        scores = score_choices(
            self.decoder,
            [writings[i].prompt for i in tails],
            [[[token] for token in row] for row in tails.values()],
            max_tokens=self._score_tokens,
            max_rows=self._settings.max_batch_size,
        )
        out = {}
        for i, row in zip(tails, scores, strict=True):
            best = max(range(len(row)), key=lambda j: row[j].logprob)
            text = writings[i].request.choices[best]
            out[i] = Generation(text, len(writings[i].prompt), 1, "stop", row[best].logprob)
        return out

    def close(self) -> None:
        """Free the model's memory; safe to call twice."""
        import gc

        if self._decoder is None:
            return
        on_gpu = self._decoder.device.type == "cuda"
        self._decoder = None
        gc.collect()
        if on_gpu:
            import torch

            torch.cuda.empty_cache()

    def __enter__(self) -> TransformersEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def end_tokens(model: Any, tokenizer: Tokenizer) -> frozenset[int]:
    """Ids that end a text: the generation config's, the config's and the tokenizer's EOS."""
    ends: set[int] = set()
    configs = (getattr(model, "generation_config", None), model.config.get_text_config())
    for config in configs:
        value = getattr(config, "eos_token_id", None)
        ends.update(value if isinstance(value, list) else [] if value is None else [value])
    if (own := tokenizer.special("eos_token")) is not None:
        ends.add(own)
    return frozenset(ends)
