"""List what the project uses of the card's libraries without naming it in an import or a call.

Arguments that the engines build in functions, values of options, fields of results, and tables
that the project copied.
"""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from checks.uses import Use
from kofinlaw.models.engines.base import Request
from kofinlaw.models.engines.vllm_engine import (
    NAMED_TOKENS,
    RANKS,
    engine_arguments,
    sampling,
    scoring_jobs,
)
from kofinlaw.models.settings import EngineSettings

__all__ = ["VALUES", "expected_uses", "expected_values"]

QUANTIZATIONS: tuple[Literal["none", "nf4", "fp8"], ...] = ("none", "nf4", "fp8")
ENGINE = "models/engines/vllm_engine.py"
EXPORT = "trainer/export/worker.py"
# Values that must be among the constants of a definition: {name: values}.
VALUES: Mapping[str, tuple[object, ...]] = {
    # What `export gptq` and `export awq` write, and the format of benchmarks/gpu.
    "vllm.model_executor.layers.quantization.QuantizationMethods": ("compressed-tensors",),
    "vllm.model_executor.model_loader.LoadFormats": ("dummy",),
    "vllm.config.lora.MaxLoRARanks": RANKS,
    "vllm.sampling_params.MAX_LOGPROB_TOKEN_IDS": (NAMED_TOKENS,),
}
# Where the values of an argument of `vllm.LLM` are listed; the plugin adds its own.
PLUGIN = "vllm_bnb_plugin.register"
LISTED: Mapping[str, tuple[str, ...]] = {
    "quantization": ("vllm.model_executor.layers.quantization.QuantizationMethods", PLUGIN),
    "load_format": ("vllm.model_executor.model_loader.LoadFormats", PLUGIN),
    "logprobs_mode": ("vllm.config.model.LogprobsMode",),
    "dtype": ("vllm.config.model.ModelDType",),
}
# Fields of objects that the engine reads or closes.
FIELDS = (
    "vllm.LLM.llm_engine",
    "vllm.v1.engine.llm_engine.LLMEngine.engine_core",
    "vllm.v1.engine.core_client.EngineCoreClient.shutdown",
    "vllm.v1.engine.core_client.SyncMPClient.shutdown",
    "vllm.RequestOutput.prompt_token_ids",
    "vllm.RequestOutput.prompt_logprobs",
    "vllm.RequestOutput.outputs",
    "vllm.CompletionOutput.text",
    "vllm.CompletionOutput.token_ids",
    "vllm.CompletionOutput.cumulative_logprob",
    "vllm.CompletionOutput.logprobs",
    "vllm.CompletionOutput.finish_reason",
    "vllm.logprobs.Logprob.logprob",
    "vllm.inputs.TokensPrompt.prompt_token_ids",
)


def expected_uses() -> list[Use]:
    """Return the uses that no import or call in the project's code shows."""
    return [*_vllm(), *_llm_compressor(), *(Use(name, ENGINE) for name in FIELDS)]


def expected_values() -> list[tuple[tuple[str, ...], object]]:
    """Return (definitions, value) for each listed value that the engine passes to `vllm.LLM`;
    one of the definitions must hold the value.
    """
    passed = {
        (key, value) for given in _arguments() for key, value in given.items() if key in LISTED
    }
    return [(LISTED[key], value) for key, value in sorted(passed, key=str)]


def _arguments() -> Iterator[Mapping[str, object]]:
    """Yield the arguments of `vllm.LLM` for every kind of settings."""
    with tempfile.TemporaryDirectory() as name:
        adapter = Path(name)
        (adapter / "adapter_config.json").write_text(json.dumps({"r": 16}), encoding="utf-8")
        for kind, given in itertools.product(QUANTIZATIONS, (None, adapter)):
            settings = EngineSettings(engine="vllm", quantization=kind)
            yield engine_arguments(settings, Path("model"), given, 0)


def _vllm() -> Iterator[Use]:
    arguments = {key for given in _arguments() for key in given}
    yield _call("vllm.LLM", arguments, extended_by="vllm.engine.arg_utils.EngineArgs")
    requests = (
        Request("p", temperature=0.7, stop=("\n",)),
        Request("p", choices=("가", "나")),
        Request("p", regex="[1-4]"),
        Request("p", json_schema={"type": "object"}),
    )
    parameters: set[str] = set()
    structured: set[str] = set()
    for request in requests:
        found = dict(sampling(request))
        constraint = found.get("structured_outputs")
        structured |= set(constraint) if isinstance(constraint, dict) else set()
        parameters |= set(found)
    for tails in ([[1], [2]], [[1, 2], [3]]):
        for _, options, _ in scoring_jobs([5], tails):
            parameters |= set(options)
    yield _call("vllm.SamplingParams", parameters)
    yield _call("vllm.sampling_params.StructuredOutputsParams", structured)
    yield _call("vllm.LLM.generate", {"use_tqdm", "lora_request"}, positional=2)
    yield Use("vllm.lora.request.LoRARequest", ENGINE, True, 3)


def _llm_compressor() -> Iterator[Use]:
    # The schemes, targets and layers to leave out are passed as one mapping.
    for name in ("GPTQModifier", "QuantizationModifier"):
        yield Use(
            f"llmcompressor.modifiers.quantization.{name}",
            EXPORT,
            True,
            0,
            ("ignore", "scheme", "targets"),
        )


def _call(name: str, keywords: set[str], *, positional: int = 0, extended_by: str = "") -> Use:
    return Use(name, ENGINE, True, positional, tuple(sorted(keywords)), extended_by)
