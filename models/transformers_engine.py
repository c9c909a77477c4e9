"""The transformers engine: batched generation, and choices scored with one pass where it can be."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.models.engines import (
    ChoiceScore,
    EngineStats,
    Generation,
    Request,
    cut_at_stop,
    length_batches,
    timed,
)
from kofinlaw.models.loading import Tokenizer, load_model, load_tokenizer
from kofinlaw.models.settings import EngineSettings

# Reading runs fastest on a CPU at about this many tokens a batch: larger ones leave its caches.
CPU_SCORE_TOKENS = 1024
# A common beginning is read once where it saves at least this many tokens and half the prompt.
SHARED_TOKENS = 48
# Rows whose logits exist at the same time: 64 rows of a 262k vocabulary are 64 MiB in float32.
HEAD_ROWS = 64


class TransformersEngine:
    """A model in this process, on the GPU where there is one."""

    name = "transformers"
    deterministic = True

    def __init__(
        self, settings: EngineSettings, folder: Path, *, adapter: Path | None = None
    ) -> None:
        import torch

        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        self._settings = settings
        self._tokenizer = load_tokenizer(folder)
        self._model: Any = load_model(
            folder,
            quantization=settings.quantization,
            dtype=settings.dtype,
            adapter=adapter,
            # On a CPU plain matrix products beat torch's flash kernel by 5-45 % in bf16.
            attention="sdpa" if torch.cuda.is_available() else "eager",
        )
        self._device = next(self._model.parameters()).device
        budget = settings.max_batch_tokens
        self._score_tokens = budget if self._device.type != "cpu" else min(budget, CPU_SCORE_TOKENS)
        self._base, self._output, self._scale = decoder_and_head(self._model)
        self.stats = EngineStats()
        self._ends = end_tokens(self._model, self._tokenizer)

    @property
    def tokenizer(self) -> Tokenizer:
        """The folder's tokenizer."""
        return self._tokenizer

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """Summed log-probability of each choice as the text right after its prompt.

        Where all choices of a prompt are one token (labels), the prompt is read once and the head
        computed at its last position alone. Longer choices run on from the prompt's cache. A
        choice is tokenised by itself, as the answer of a training example is.
        """
        with timed(self.stats):
            prompt_ids = self._tokenizer.encode_batch(prompts)
            tails = [[self._continuation(choice) for choice in row] for row in choices]
            for number, ids in enumerate(prompt_ids):
                if not ids:
                    raise UserError(f"prompt {number} is empty")
            short = [i for i, row in enumerate(tails) if all(len(t) == 1 for t in row)]
            long = [i for i, row in enumerate(tails) if not all(len(t) == 1 for t in row)]
            out: list[list[ChoiceScore]] = [[] for _ in prompts]
            self._score_labels(prompt_ids, tails, short, out)
            for index in long:
                out[index] = self._score_texts(prompt_ids[index], tails[index])
            self.stats.prompt_tokens += sum(map(len, prompt_ids))
            return out

    def _continuation(self, choice: str) -> list[int]:
        ids = self._tokenizer.encode(choice)
        if not ids:
            raise UserError("a choice is empty text")
        return ids

    def _score_labels(
        self,
        prompts: list[list[int]],
        tails: list[list[list[int]]],
        wanted: list[int],
        out: list[list[ChoiceScore]],
    ) -> None:
        import torch

        def record(indices: list[int], hidden: Any, last: list[int]) -> None:
            for row, i in enumerate(indices):
                scores = self._token_logprobs(hidden[row, last[row]], [t[0] for t in tails[i]])
                out[i] = [ChoiceScore(score, 1) for score in scores]

        with torch.inference_mode():
            for indices, shared in shared_beginnings({i: prompts[i] for i in wanted}):
                lengths = [len(prompts[i]) - shared for i in indices]
                cache = self._read(prompts[indices[0]][:shared]) if shared else None
                for batch in length_batches(
                    lengths, self._score_tokens, self._settings.max_batch_size
                ):
                    rows = [indices[j] for j in batch]
                    hidden = self._hidden([prompts[i][shared:] for i in rows], shared, cache)
                    record(rows, hidden, [lengths[j] - 1 for j in batch])

    def _read(self, prompt: list[int]) -> Any:
        """The key-value cache after a prompt."""
        import torch
        from transformers import DynamicCache

        cache = DynamicCache(config=self._model.config)
        ids = torch.tensor([prompt], device=self._device)
        self._base(input_ids=ids, past_key_values=cache, use_cache=True)
        return cache

    def _hidden(self, rows: list[list[int]], shared: int, cache: Any) -> Any:
        """Hidden states [rows, longest, hidden] of token rows, after a shared cache if given.

        Rows are padded on the right, which causal attention never looks at.
        """
        import torch

        ids, mask = padded(rows, self._device, left=False)
        if cache is None:
            return self._base(
                input_ids=ids, attention_mask=mask_or_none(mask), use_cache=False
            ).last_hidden_state
        own = copy.deepcopy(cache)
        own.batch_repeat_interleave(len(rows))
        whole = torch.cat([mask.new_ones(len(rows), shared), mask], dim=1)
        return self._base(
            input_ids=ids, attention_mask=mask_or_none(whole), past_key_values=own, use_cache=True
        ).last_hidden_state

    def _score_texts(self, prompt: list[int], tails: list[list[int]]) -> list[ChoiceScore]:
        """The prompt once, then all its choices as one batch on copies of its cache."""
        import torch

        with torch.inference_mode():
            cache = self._read(prompt[:-1]) if len(prompt) > 1 else None
            # The prompt's last token goes with the choices: its state scores their first tokens.
            rows = [prompt[-1:] + tail[:-1] for tail in tails]
            totals = [0.0] * len(tails)
            for batch in length_batches(
                [len(row) for row in rows], self._score_tokens, self._settings.max_batch_size
            ):
                hidden = self._hidden([rows[j] for j in batch], len(prompt) - 1, cache)
                states = [hidden[row, : len(tails[j])] for row, j in enumerate(batch)]
                wanted = [token for j in batch for token in tails[j]]
                logprobs = self._next_token_logprobs(torch.cat(states), wanted)
                for j in batch:
                    totals[j] = sum(logprobs[: len(tails[j])])
                    del logprobs[: len(tails[j])]
        return [ChoiceScore(t, len(tail)) for t, tail in zip(totals, tails, strict=True)]

    def _next_token_logprobs(self, hidden: Any, tokens: list[int]) -> list[float]:
        """Log-probability of each token after its own hidden state [tokens, hidden].

        Many rows at once: the head's weights, most of a small model, are read once for all of
        them and not once a token.
        """
        import torch

        out: list[float] = []
        for start in range(0, len(tokens), HEAD_ROWS):
            rows = hidden[start : start + HEAD_ROWS]
            ids = torch.tensor(tokens[start : start + HEAD_ROWS], device=rows.device)
            logits = self._scale(self._output(rows)).float()
            exact = self._exact_own_logits(rows, ids)
            chosen = logits.gather(1, ids[:, None])[:, 0] if exact is None else exact
            out += (chosen - torch.logsumexp(logits, dim=-1)).tolist()
        return out

    def _exact_own_logits(self, hidden: Any, tokens: Any) -> Any:
        """Float32 logit of each row's own token; None where the head is no plain linear layer."""
        import torch

        head = self._output
        if type(head) is not torch.nn.Linear or head.bias is not None:
            return None
        return self._scale((head.weight[tokens].float() * hidden.float()).sum(-1))

    def _token_logprobs(self, hidden: Any, tokens: list[int]) -> list[float]:
        """Log-probabilities of some tokens after one hidden state [hidden].

        16-bit logits near 20 step by 1/8 and tie where the model has a preference: the tokens'
        own logits are computed again in float32, the normaliser is not worth that.
        """
        import torch

        logits = self._scale(self._output(hidden[None]))[0].float()
        exact = self._exact_logits(hidden, tokens)
        chosen = logits[tokens] if exact is None else exact
        return (chosen - torch.logsumexp(logits, dim=-1)).tolist()

    def _exact_logits(self, hidden: Any, tokens: list[int]) -> Any:
        """Float32 logits of some tokens, None where the head is not a plain linear layer."""
        import torch

        head = self._output
        if type(head) is not torch.nn.Linear or head.bias is not None:
            return None
        return self._scale(head.weight[tokens].float() @ hidden.float())

    def _logprobs(self, hidden: Any) -> Any:
        """Log-probabilities over the vocabulary, float32, of hidden states [rows, hidden]."""
        import torch

        return torch.log_softmax(self._scale(self._output(hidden)).float(), dim=-1)

    def _batches(self, lengths: Sequence[int]) -> list[list[int]]:
        return length_batches(
            lengths, self._settings.max_batch_tokens, self._settings.max_batch_size
        )

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Texts in batches of like length with a key-value cache; `choices` by their score.

        Greedy at temperature 0. A sampled row draws from its own seed, so that its text does not
        depend on its batch's company beyond rounding. Raises UserError for a regular expression
        or a schema, which this engine cannot hold an answer to.
        """
        out: list[Generation | None] = [None] * len(requests)
        free = [i for i, r in enumerate(requests) if not r.choices]
        chosen = [i for i, r in enumerate(requests) if r.choices]
        for request in requests:
            if request.regex or request.json_schema is not None:
                raise UserError(
                    "engine transformers cannot hold an answer to a regular expression or schema",
                    remedy="use engine llamacpp",
                )
        if chosen:
            scores = self.score(
                [requests[i].prompt for i in chosen], [requests[i].choices for i in chosen]
            )
            for i, row in zip(chosen, scores, strict=True):
                best = max(range(len(row)), key=lambda j: row[j].logprob)
                read = self._tokenizer.count(requests[i].prompt)
                text = requests[i].choices[best]
                out[i] = Generation(text, read, row[best].tokens, "stop", row[best].logprob)
        if free:
            with timed(self.stats):
                prompts = self._tokenizer.encode_batch([requests[i].prompt for i in free])
                lengths = [
                    len(ids) + requests[i].max_tokens for i, ids in zip(free, prompts, strict=True)
                ]
                for batch in self._batches(lengths):
                    some = [requests[free[j]] for j in batch]
                    written = self._generate_batch(some, [prompts[j] for j in batch])
                    for j, generation in zip(batch, written, strict=True):
                        out[free[j]] = generation
        done = [generation for generation in out if generation is not None]
        self.stats.tokens += sum(done[i].tokens for i in free)
        self.stats.prompt_tokens += sum(done[i].prompt_tokens for i in free)
        return done

    def _generate_batch(
        self, requests: Sequence[Request], prompts: list[list[int]]
    ) -> list[Generation]:
        import torch
        from transformers import DynamicCache

        rows = [_Writing(request, ids) for request, ids in zip(requests, prompts, strict=True)]
        with torch.inference_mode():
            ids, mask = padded(prompts, self._device, left=True)
            positions = (mask.cumsum(1) - 1).clamp(min=0)
            cache = DynamicCache(config=self._model.config)
            while True:
                hidden = self._base(
                    input_ids=ids,
                    attention_mask=mask_or_none(mask),
                    position_ids=positions,
                    past_key_values=cache,
                    use_cache=True,
                ).last_hidden_state[:, -1]
                logprobs = self._logprobs(hidden)
                best = logprobs.argmax(-1).tolist()
                for row, writing in enumerate(rows):
                    if not writing.finish:
                        writing.take(logprobs[row], best[row], self._ends, self._tokenizer)
                if all(writing.finish for writing in rows):
                    break
                ids = torch.tensor([[w.written[-1]] for w in rows], device=self._device)
                mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
                positions = positions[:, -1:] + 1
        return [writing.result(self._tokenizer) for writing in rows]

    def close(self) -> None:
        """Free the model's memory."""
        import gc

        if self._model is None:
            return
        self._model = self._base = self._output = None
        gc.collect()
        if self._device.type == "cuda":
            import torch

            torch.cuda.empty_cache()

    def __enter__(self) -> TransformersEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _Writing:
    """One answer as it grows."""

    def __init__(self, request: Request, prompt: list[int]) -> None:
        self.request = request
        self.prompt = prompt
        self.written: list[int] = []
        self.logprob = 0.0
        self.finish = ""
        self._generator: Any = None

    def take(self, logprobs: Any, best: int, ends: frozenset[int], tokenizer: Tokenizer) -> None:
        """Add the next token from a row of log-probabilities, and notice the end."""
        token = best if self.request.temperature == 0 else self._sample(logprobs)
        self.logprob += float(logprobs[token])
        self.written.append(token)
        if token in ends or (self.request.stop and self._has_stop(tokenizer)):
            self.finish = "stop"
        elif len(self.written) >= self.request.max_tokens:
            self.finish = "length"

    def _has_stop(self, tokenizer: Tokenizer) -> bool:
        # A stop string lies in the last tokens: one a character at the very most, with slack.
        tail = self.written[-(max(map(len, self.request.stop)) + 4) :]
        text = tokenizer.decode(tail, skip_special_tokens=False)
        return any(stop in text for stop in self.request.stop)

    def _sample(self, logprobs: Any) -> int:
        import torch

        if self._generator is None:
            self._generator = torch.Generator().manual_seed(self.request.seed)
        weights = torch.softmax(logprobs.float().cpu() / self.request.temperature, dim=-1)
        return int(torch.multinomial(weights, 1, generator=self._generator))

    def result(self, tokenizer: Tokenizer) -> Generation:
        """The finished generation, without its stop string or end token."""
        text, _ = cut_at_stop(tokenizer.decode(self.written), self.request.stop)
        finish = "length" if self.finish == "length" else "stop"
        return Generation(text, len(self.prompt), len(self.written), finish, self.logprob)  # type: ignore[arg-type]


def decoder_and_head(model: Any) -> tuple[Any, Any, Callable[[Any], Any]]:
    """The decoder without its head, the head, and what the config does to the head's logits.

    An adapter beside the weights keeps its hooks: the decoder is the one inside the peft model.
    """
    import torch

    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    config = inner.config.get_text_config()
    cap = getattr(config, "final_logit_softcapping", None)
    factor = getattr(config, "logit_scale", None) or 1.0
    factor /= getattr(config, "logits_scaling", None) or 1.0

    def scale(logits: Any) -> Any:
        logits = logits if factor == 1.0 else logits * factor
        return logits if cap is None else torch.tanh(logits / cap) * cap

    return inner.base_model, inner.get_output_embeddings(), scale


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


def shared_beginnings(prompts: dict[int, list[int]]) -> list[tuple[list[int], int]]:
    """Groups of prompts to read together, and how many tokens each group shares at its start.

    Prompts that differ only in their ends (the same evidence, options in another order) make a
    group of their own; all others make one group that shares nothing.
    """
    order = sorted(prompts, key=lambda i: (prompts[i], i))
    groups: list[tuple[list[int], int]] = []
    for index in order:
        ids = prompts[index]
        if groups:
            members, shared = groups[-1]
            common = min(shared, common_length(prompts[members[-1]], ids), len(ids) - 1)
            if common >= SHARED_TOKENS and common >= len(ids) // 2:
                groups[-1] = ([*members, index], common)
                continue
        groups.append(([index], len(ids) - 1))
    alone = sorted(members[0] for members, _ in groups if len(members) == 1)
    together = [(members, shared) for members, shared in groups if len(members) > 1]
    return ([(alone, 0)] if alone else []) + together


def common_length(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens two sequences have in common at their start."""
    for position, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return position
    return min(len(left), len(right))


def padded(rows: Sequence[Sequence[int]], device: Any, *, left: bool) -> tuple[Any, Any]:
    """Token ids [rows, longest] padded with 0, and the mask with 1 where a token is."""
    import torch

    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for number, row in enumerate(rows):
        where = slice(longest - len(row), longest) if left else slice(0, len(row))
        ids[number, where] = torch.tensor(row, dtype=torch.long)
        mask[number, where] = 1
    return ids.to(device), mask.to(device)


def mask_or_none(mask: Any) -> Any:
    """No mask where nothing is padded: attention then takes its fast causal path."""
    return None if bool(mask.all()) else mask
