"""Run offline batches on a GPU with vLLM, with prefix caching and guided decoding.

Written against vLLM 0.32's `LLM`, `SamplingParams` and `StructuredOutputsParams`, and compared
with its source (`make check-extras`); not yet run on a GPU (docs/guides/models.md). What is sent
to vLLM is made by plain, tested functions.
"""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.errors import raise_if_machine
from kofinlaw.models.engines.base import (
    ChoiceScore,
    EngineStats,
    Finish,
    Generation,
    Request,
    cut_at_stop,
    refuse_references,
    timed_call,
)
from kofinlaw.models.engines.constraints import bare_pattern
from kofinlaw.models.engines.vllm_memory import sequences_at_once, share_of_card
from kofinlaw.models.memory.card_memory import card_memory
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.tokenizer import Tokenizer, load_tokenizer

__all__ = [
    "LLM",
    "NAMED_TOKENS",
    "RANKS",
    "SHUTDOWN_SECONDS",
    "Job",
    "RequestOutput",
    "VllmEngine",
    "check_quantization",
    "engine_arguments",
    "generation_of",
    "lora_rank",
    "sampling",
    "scores_of",
    "scoring_jobs",
]

# vLLM returns the log-probabilities of at most this many named tokens (MAX_LOGPROB_TOKEN_IDS).
NAMED_TOKENS = 128
SHUTDOWN_SECONDS = 30.0
# Adapter ranks that vLLM has kernels for (`LoRAConfig.max_lora_rank`).
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


class LLM(Protocol):
    """The part of `vllm.LLM` that the engine uses."""

    llm_engine: Any

    def generate(
        self, prompts: Sequence[object], sampling_params: Sequence[object], **options: object
    ) -> Sequence[RequestOutput]:
        """Return one output per prompt, in order."""
        ...


class RequestOutput(Protocol):
    """The part of `vllm.RequestOutput` that the engine reads."""

    prompt_token_ids: Sequence[int] | None
    prompt_logprobs: Sequence[Any] | None
    outputs: Sequence[Any]


class VllmEngine:
    """vLLM in this process. It is not deterministic: it batches requests as they become ready.

    `llm` is an existing `vllm.LLM`; the benchmarks use one with random weights. Raises UserError
    if vLLM is missing, and for settings or adapters that it does not support.
    """

    name = "vllm"
    deterministic = False

    def __init__(
        self,
        settings: EngineSettings,
        folder: Path,
        *,
        adapter: Path | None = None,
        seed: int = 0,
        llm: LLM | None = None,
    ) -> None:
        if find_spec("vllm") is None:
            raise UserError(
                "engine vllm needs vllm and a CUDA GPU",
                remedy="pip install 'kofinlaw[vllm]' on a GPU machine, or use engine transformers",
            )
        check_quantization(settings, folder)
        # Disables usage reports; must be set before vLLM is imported.
        os.environ.update(VLLM_NO_USAGE_STATS="1", DO_NOT_TRACK="1")
        import vllm

        self._tokenizer = load_tokenizer(folder)
        self._sampling_params: type = vllm.SamplingParams
        self._llm: LLM | None = llm or _started(settings, folder, adapter, seed)
        self._lora: object = None
        if adapter is not None:
            from vllm.lora.request import LoRARequest

            self._lora = LoRARequest("adapter", 1, str(adapter))
        self.stats = EngineStats()

    @property
    def tokenizer(self) -> Tokenizer:
        """The folder's tokenizer."""
        return self._tokenizer

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one generation per request, in order; vLLM batches them as its memory allows.

        Raises: UserError for a request with a reference.
        """
        refuse_references(requests, self.name)
        with timed_call(self.stats):
            prompts = self._tokenizer.encode_batch([request.prompt for request in requests])
            parameters = [self._parameters(sampling(request)) for request in requests]
            results = self._run(prompts, parameters)
            out = [
                generation_of(result, request)
                for result, request in zip(results, requests, strict=True)
            ]
            self.stats.prompt_tokens += sum(generation.prompt_tokens for generation in out)
            self.stats.tokens += sum(generation.tokens for generation in out)
            self.stats.failures += sum(generation.finish == "error" for generation in out)
        return out

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """Return the summed log-probability of each choice after its prompt.

        For single tokens, one token is generated after the cached prompt and the log-probabilities
        of the choices are returned with it. Longer choices are read as part of the prompt, where
        vLLM cannot use its cache.

        Raises: UserError for an empty prompt or choice.
        """
        with timed_call(self.stats):
            encoded = self._tokenizer.encode_batch(prompts)
            jobs = [
                scoring_jobs(ids, [self._tokenizer.continuation(prompt, c) for c in row])
                for ids, prompt, row in zip(encoded, prompts, choices, strict=True)
            ]
            flat = [job for row in jobs for job in row]
            results = iter(
                self._run([job[0] for job in flat], [self._parameters(job[1]) for job in flat])
            )
            self.stats.prompt_tokens += sum(len(job[0]) for job in flat)
            return [
                [score for _, _, tails in row for score in scores_of(next(results), tails)]
                for row in jobs
            ]

    def _parameters(self, arguments: Mapping[str, Any]) -> object:
        from vllm.sampling_params import StructuredOutputsParams

        arguments = dict(arguments)
        constraint = arguments.pop("structured_outputs", None)
        if constraint is not None:
            arguments["structured_outputs"] = StructuredOutputsParams(**constraint)
        return self._sampling_params(**arguments)

    def _run(
        self, prompts: Sequence[Sequence[int]], parameters: Sequence[object]
    ) -> list[RequestOutput]:
        if self._llm is None:
            raise UserError("this engine is closed")
        rows = [{"prompt_token_ids": list(ids)} for ids in prompts]
        return list(
            self._llm.generate(rows, list(parameters), use_tqdm=False, lora_request=self._lora)
        )

    def close(self) -> None:
        """End the engine core, a process of its own that holds the model; safe to call twice.

        Returns when the process has ended and its memory is free.
        """
        if self._llm is None:
            return
        llm, self._llm = self._llm, None
        llm.llm_engine.engine_core.shutdown(timeout=SHUTDOWN_SECONDS)
        del llm
        gc.collect()

    def kill(self) -> None:
        """End the engine core of a call that hangs, at once; the call then raises."""
        if self._llm is not None:
            self._llm.llm_engine.engine_core.shutdown(timeout=0.0)

    def __enter__(self) -> VllmEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def check_quantization(settings: EngineSettings, folder: Path) -> None:
    """Check that vLLM can load a folder in the demanded number format.

    Raises: UserError for nf4 without the plugin, which vLLM needs since 0.28, and for weights that
    are quantised already and are to be quantised again.
    """
    wanted = settings.quantization
    if wanted == "nf4" and find_spec("vllm_bnb_plugin") is None:
        raise UserError(
            "vllm has no bitsandbytes of its own: nf4 needs the package vllm-bnb-plugin",
            where="engine.quantization",
            remedy="pip install 'kofinlaw[vllm]', or use fp8, or serve a folder that "
            "`kofinlaw export gptq` wrote",
        )
    stored = load_json((folder / "config.json").read_text(encoding="utf-8"))
    method = (stored.get("quantization_config") or {}).get("quant_method")
    if wanted != "none" and method is not None:
        raise UserError(
            f"the weights are quantised already ({method}), and {wanted} is asked for",
            where=str(folder),
            remedy="set engine.quantization: none",
        )


def _started(settings: EngineSettings, folder: Path, adapter: Path | None, seed: int) -> LLM:
    """Start `vllm.LLM` with the memory that the card has free now.

    Raises: UserError if vLLM refuses the card's memory.
    """
    import vllm

    card = card_memory()
    share = share_of_card(settings, card)
    sequences = sequences_at_once(settings, folder, share, card)
    arguments = engine_arguments(settings, folder, adapter, seed, share, sequences)
    try:
        return vllm.LLM(**arguments)
    except (ValueError, RuntimeError) as error:
        if "memory" not in str(error).lower():
            raise
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"vllm does not start with {share:.0%} of the card's memory: {reason}",
            where="engine.gpu_memory_share",
            remedy="end other programs on the card, use quantization fp8 or nf4, lower "
            "engine.context_tokens, or use an embedder on the processor "
            "(rag.embedder: intfloat/multilingual-e5-small)",
        ) from error


def engine_arguments(
    settings: EngineSettings,
    folder: Path,
    adapter: Path | None,
    seed: int,
    share: float = 0.9,
    sequences: int = 256,
) -> dict[str, object]:
    """Return the arguments of `vllm.LLM`.

    Args:
        settings: the engine's settings.
        folder: the model's folder.
        adapter: a peft folder, applied without merging.
        seed: seed of the engine.
        share: share of the card's total memory that vLLM takes.
        sequences: sequences that are written at once.

    Raises: UserError for an adapter that vLLM cannot serve.
    """
    arguments: dict[str, object] = {
        "model": str(folder),
        "dtype": settings.dtype,
        "max_model_len": settings.context_tokens,
        "max_num_seqs": sequences,
        "gpu_memory_utilization": share,
        "enable_prefix_caching": True,
        "seed": seed,
        "trust_remote_code": False,
        "load_format": "safetensors",
        "logprobs_mode": "raw_logprobs",
        "disable_log_stats": True,
    }
    if settings.quantization == "nf4":
        arguments |= {"quantization": "bitsandbytes", "load_format": "bitsandbytes"}
    elif settings.quantization == "fp8":
        arguments["quantization"] = "fp8_per_tensor"
    if adapter is not None:
        arguments |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": lora_rank(adapter)}
    return arguments


def lora_rank(adapter: Path) -> int:
    """Return the smallest rank of vLLM that holds the adapter's rank.

    Raises: UserError if the adapter is not readable or its rank is too large.
    """
    file = adapter / "adapter_config.json"
    try:
        rank = int(load_json(file.read_text(encoding="utf-8"))["r"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise_if_machine(error, file)
        raise UserError(f"the adapter is not readable: {error}", where=str(file)) from error
    fitting = [size for size in RANKS if size >= rank]
    if not fitting:
        raise UserError(
            f"vLLM serves adapters up to rank {RANKS[-1]}, this one has {rank}",
            where=str(file),
            remedy="merge the adapter first",
        )
    return fitting[0]


def sampling(request: Request) -> dict[str, object]:
    """Return a request as arguments of SamplingParams.

    `structured_outputs` holds the arguments of StructuredOutputsParams.
    """
    arguments: dict[str, object] = {
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
    }
    if request.logprob:
        arguments["logprobs"] = 0  # only those of the generated tokens
    if request.temperature > 0:
        arguments["seed"] = request.seed
    if request.stop:
        arguments["stop"] = list(request.stop)
    if request.choices:
        arguments["structured_outputs"] = {"choice": list(request.choices)}
        # A choice is generated completely; no text has more tokens than bytes.
        longest = max(len(choice.encode("utf-8")) for choice in request.choices)
        arguments["max_tokens"] = max(request.max_tokens, longest + 1)
    elif request.regex:
        arguments["structured_outputs"] = {"regex": bare_pattern(request.regex)}
    elif request.json_schema is not None:
        arguments["structured_outputs"] = {"json": request.json_schema}
    return arguments


def generation_of(result: RequestOutput, request: Request) -> Generation:
    """Convert vLLM's `RequestOutput` to a Generation."""
    output = result.outputs[0]
    text, stopped = cut_at_stop(output.text, request.stop)
    finish: Finish = "stop" if stopped or output.finish_reason == "stop" else "length"
    if request.choices and text not in request.choices:
        finish = "error"
    logprob = output.cumulative_logprob
    return Generation(
        text,
        len(result.prompt_token_ids or ()),
        len(output.token_ids),
        finish,
        math.nan if logprob is None else float(logprob),
    )


# (token ids to send, SamplingParams arguments, the tails that the job scores)
Job = tuple[list[int], dict[str, object], list[list[int]]]


def scoring_jobs(prompt: Sequence[int], tails: Sequence[Sequence[int]]) -> list[Job]:
    """Return the jobs that score one prompt's choices (tails, as token ids).

    Raises: UserError for an empty prompt or choice.
    """
    if not prompt or not all(tails):
        raise UserError("a prompt or one of its choices is empty")
    rows = [list(tail) for tail in tails]
    one: dict[str, object] = {"temperature": 0.0, "max_tokens": 1, "detokenize": False}
    if all(len(tail) == 1 for tail in rows) and len(rows) <= NAMED_TOKENS:
        named = sorted({tail[0] for tail in rows})
        return [(list(prompt), {**one, "logprob_token_ids": named}, rows)]
    return [([*prompt, *tail], {**one, "prompt_logprobs": 0}, [tail]) for tail in rows]


def scores_of(result: RequestOutput, tails: Sequence[Sequence[int]]) -> list[ChoiceScore]:
    """Return the scores of the tails from the result of their job."""
    if result.prompt_logprobs is None:
        first = result.outputs[0].logprobs[0]
        return [ChoiceScore(float(first[tail[0]].logprob), 1) for tail in tails]
    (tail,) = tails
    rows = result.prompt_logprobs[-len(tail) :]
    total = sum(float(row[token].logprob) for row, token in zip(rows, tail, strict=True))
    return [ChoiceScore(total, len(tail))]
