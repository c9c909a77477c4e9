"""Compute the plan of `fit-retriever`: pairs, steps, tokens, memory and hours, without weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.models.catalogue import ModelCard, card_from_config, lookup_model
from kofinlaw.models.machines import Machine, machine_name
from kofinlaw.models.memory.encoder_training import (
    body_parameters,
    encoder_training_terms,
    search_terms,
    static_training_terms,
)
from kofinlaw.recipes.pipeline.integrity.stage_record import read_record
from kofinlaw.recipes.pipeline.plan_record import FitFigures, RetrieverFigures
from kofinlaw.recipes.pipeline.planning.pair_count import PairCount, pair_count
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.trainer.retriever.reranker_settings import RerankerSettings
from kofinlaw.trainer.retriever.settings import RetrieverSettings

__all__ = ["base_card", "retriever_figures", "retriever_lines"]

# Measured on two cores with multilingual-e5-small: seconds for a pair and its negative, seconds of
# a static step for each token of its texts and for each weight of its table.
NEGATIVE_SECONDS = 1e-3
STATIC_TOKEN_SECONDS, STATIC_WEIGHT_SECONDS = 1.2e-6, 1.5e-8
# Rows of a static table: the single characters of the vocabulary, and pieces of a corpus, whose
# number grows with the root of its characters (5.5 million characters: 17,847 rows).
SINGLE_PIECES, PIECES_OF_ROOT = 14_700, 1.3
# Texts that are encoded before and after a training to measure it: 300 queries, 2,000 passages.
MEASURED_TEXTS = 2_300
# The readers of documents and BM25, which the same process has loaded (measured).
READERS_GIB = 0.45
KIWI_GIB = 0.5  # Kiwi's model, which searches for the reranker's negatives
FEWEST_SECONDS = 10.0  # a shorter training is mostly loading


def base_card(settings: RetrieverSettings) -> ModelCard:
    """Return the card of the base. Raises UserError if its shape is not known."""
    folder = Path(settings.base)
    card = card_from_config(folder) if folder.is_dir() else lookup_model(settings.base)
    if card is None or not card.layers or not card.hidden:
        raise UserError(
            f"the shape of {settings.base} is not known, so its memory cannot be planned",
            where="retriever.base",
            remedy="name a model of `kofinlaw models list`, or a folder with config.json",
        )
    if folder.is_dir():  # an encoder has one table of token embeddings and no head
        parameters = body_parameters(card) + card.hidden * (card.vocab + card.context + 4)
        return replace(card, parameters=parameters)
    return card


def retriever_figures(
    run: Run, machine: Machine, problems: list[str], progress: Progress = silent
) -> RetrieverFigures:
    """Return the plan of `fit-retriever` for a recipe with documents.

    Too little memory is added to `problems`. Raises UserError for documents or own pairs that
    cannot be read, and for a base of unknown shape.
    """
    settings = run.recipe.retriever
    card, count = base_card(settings), pair_count(run, progress)
    batch = settings.batch_of(count.units)
    sides = 3 if settings.negatives else 2
    per_pair = count.query_tokens + (sides - 1) * count.passage_tokens
    tokens = round(settings.steps * batch * per_pair)
    fit = _embedder(run, machine, card, count, batch, tokens)
    reranker = None
    if settings.reranker is not None:
        reranker = _reranker(run, machine, card, settings.reranker, count)
    for name, one in (("the embedder", fit), ("the reranker", reranker)):
        if one is not None and one["total_gib"] > machine.gib:
            problems.append(
                f"training {name} needs {one['total_gib']:.1f} GiB, but there are "
                f"{machine.gib:.1f} GiB ({machine.origin}) → {_remedy(run, machine, card, batch)}"
            )
    return {
        "method": settings.method,
        "base": settings.base,
        "pairs": count.pairs,
        "kinds": count.kinds,
        "exact": count.exact,
        "batch": batch,
        "limit_gib": round(machine.gib, 2),
        "limit_is": machine.origin,
        "embedder": fit,
        "reranker": reranker,
    }


def _columns(settings: RetrieverSettings, batch: int, pass_pairs: int) -> list[tuple[int, int]]:
    """Return (texts, tokens) that keep activations together: all columns of a step that is one
    pass, else the longest column of a part.
    """
    passages = 2 if settings.negatives else 1
    if pass_pairs >= batch:
        return [(batch, settings.query_tokens), *[(batch, settings.passage_tokens)] * passages]
    return [(pass_pairs, max(settings.query_tokens, settings.passage_tokens))]


def _trained(settings: RetrieverSettings, card: ModelCard) -> int:
    if settings.method == "lora":
        wide = card.intermediate or 4 * card.hidden
        widths = 4 * 2 * card.hidden + 2 * (card.hidden + wide)
        return settings.lora_rank * (card.layers * widths + 2 * card.hidden)
    return body_parameters(card)


def _terms(
    settings: RetrieverSettings, card: ModelCard, batch: int, pass_pairs: int, *, gpu: bool
) -> dict[str, float]:
    return encoder_training_terms(
        card,
        _columns(settings, batch, pass_pairs),
        trained=_trained(settings, card),
        half=settings.dtype == "bfloat16",
        gpu=gpu,
    )


def _embedder(
    run: Run, machine: Machine, card: ModelCard, count: PairCount, batch: int, tokens: int
) -> FitFigures:
    settings = run.recipe.retriever
    search = search_terms(count.characters)
    if not settings.negatives:
        search["search for negatives"] = 0.0
    prepare = NEGATIVE_SECONDS * count.pairs if settings.negatives else 0.0
    if settings.method == "static":
        rows = min(card.vocab, round(SINGLE_PIECES + PIECES_OF_ROOT * math.sqrt(count.characters)))
        length = round(count.query_tokens + count.passage_tokens * (1 + settings.negatives))
        terms = static_training_terms(card, rows, [(batch, length)])
        seconds = STATIC_TOKEN_SECONDS * tokens
        seconds += STATIC_WEIGHT_SECONDS * rows * card.hidden * settings.steps
        # Each token is encoded once, between two marks.
        prepare += 3 * 2 * float(body_parameters(card)) * rows / machine.encoder_flops
    else:
        terms = _terms(settings, card, batch, settings.pass_pairs, gpu=machine.gpu)
        # FLOP per token with P weights: 2·P forward, 2·P for the gradients of activations, 2·P for
        # those of trained weights, and 2·P for the second forward pass where a step has parts.
        passes = 4 if settings.method == "lora" else 6
        passes += 0 if settings.pass_pairs >= batch else 2
        flops = passes * float(body_parameters(card)) * tokens
        seconds = flops / machine.encoder_flops
        if settings.held_out_share:
            texts = min(MEASURED_TEXTS, 2 * count.pairs)
            measured = 2 * 2 * float(body_parameters(card)) * texts * count.passage_tokens
            prepare += measured / machine.encoder_flops
    basis = "arithmetic"
    rate = _measured(run, machine, count.units)
    if rate is not None:
        seconds, basis = rate
    seconds, basis = _within(seconds, basis, settings.budget_minutes, "retriever.budget_minutes")
    on_card = machine.gpu and settings.method != "static"
    terms, total = _both(terms, search, apart=on_card)
    return {
        "steps": settings.steps,
        "tokens": tokens,
        "terms_gib": {name: round(gib, 3) for name, gib in terms.items()},
        "total_gib": round(total, 2),
        "hours": round((seconds + prepare) / 3600, 3),
        "basis": basis,
    }


def _within(seconds: float, basis: str, minutes: float | None, key: str) -> tuple[float, str]:
    """Return the seconds of the steps and their basis, with the budget of the recipe applied."""
    if minutes is None or seconds <= 60 * minutes:
        return seconds, basis
    return 60 * minutes, f"{key}; all steps would take {_time(seconds / 3600)}"


def _both(
    terms: dict[str, float], search: dict[str, float], *, apart: bool
) -> tuple[dict[str, float], float]:
    """Return the terms with those of the search, and the peak: the search ends before training.

    With `apart` the training is in a card's memory and the search is not.
    """
    if apart:
        return terms, sum(terms.values())
    shown = terms | {"documents and their readers": READERS_GIB + search["documents"]}
    context = terms["context"] + shown["documents and their readers"]
    return shown, max(sum(shown.values()), context + search["search for negatives"])


def _reranker(
    run: Run, machine: Machine, card: ModelCard, settings: RerankerSettings, count: PairCount
) -> FitFigures:
    length = min(settings.tokens, round(count.query_tokens + count.passage_tokens))
    texts = settings.batch * (settings.negatives + 1)
    layers = card.layers if settings.layers is None else min(settings.layers, card.layers)
    trained = body_parameters(card, layers) + card.hidden * (card.hidden + 1)
    terms = encoder_training_terms(
        card,
        [(texts, settings.tokens)],
        trained=trained,
        layers=layers,
        half=settings.dtype == "bfloat16",
        gpu=machine.gpu,
    )
    if not machine.gpu and "kiwi" in run.recipe.rag.lexical_kinds:
        terms["Kiwi"] = KIWI_GIB
    terms, total = _both(terms, search_terms(count.characters), apart=machine.gpu)
    tokens = settings.steps * texts * length
    flops = 2.0 * body_parameters(card) + 4.0 * body_parameters(card, layers)
    seconds, basis = _within(
        flops * tokens / machine.encoder_flops,
        "arithmetic",
        settings.budget_minutes,
        "retriever.reranker.budget_minutes",
    )
    seconds += NEGATIVE_SECONDS * settings.steps * settings.batch * settings.negatives
    return {
        "steps": settings.steps,
        "tokens": tokens,
        "terms_gib": {name: round(gib, 3) for name, gib in terms.items()},
        "total_gib": round(total, 2),
        "hours": round(seconds / 3600, 3),
        "basis": basis,
    }


def _measured(run: Run, machine: Machine, units: int) -> tuple[float, str] | None:
    """Return the seconds of the steps by the newest training of this method and base on this
    machine, and its run; None if there is none. Its tokens are counted by its settings.

    `units` are the articles of the pairs, which limit a step.
    """
    if not machine.here:
        return None
    wanted = run.recipe.retriever
    runs = run.folder.parent
    folders = [run.folder, *(runs.iterdir() if runs.is_dir() else ())]
    found: list[tuple[float, float, str]] = []
    for folder in dict.fromkeys(folders):
        record = read_record(folder / "retriever")
        counts: Any = record.get("counts", {})
        earlier: Any = record.get("settings", {})
        if record.get("status") != "complete" or record.get("machine") != machine_name():
            continue
        try:
            used = RetrieverSettings.model_validate(earlier["retriever"])
            steps, seconds = int(counts["steps"]), float(counts["seconds"])
            pairs = int(counts["pairs"])
        except (KeyError, TypeError, ValueError):
            continue
        alike = (used.method, used.base, used.dtype) == (wanted.method, wanted.base, wanted.dtype)
        if not alike or seconds < FEWEST_SECONDS or not steps:
            continue
        at = (folder / "retriever" / "stage.json").stat().st_mtime
        found.append((at, seconds / (steps * _width(used, pairs)), folder.name))
    if not found:
        return None
    _, per_width, name = max(found)
    seconds = per_width * wanted.steps * _width(wanted, units)
    return seconds, f"measured in the run {name} on this machine"


def _width(settings: RetrieverSettings, units: int) -> float:
    """Return the longest tokens of a step; of a static one the texts, which are not cut."""
    batch = settings.batch_of(units)
    if settings.method == "static":
        return batch * (3.0 if settings.negatives else 2.0)
    sides = settings.query_tokens + settings.passage_tokens * (1 + settings.negatives)
    return batch * float(sides)


def _remedy(run: Run, machine: Machine, card: ModelCard, batch: int) -> str:
    """Return what to change so that the training fits."""
    settings = run.recipe.retriever
    if settings.method == "static":
        return "free memory, or use a smaller base"
    for pairs in (16, 8, 4, 2, 1):
        smaller = _terms(settings, card, batch, pairs, gpu=machine.gpu)
        if pairs < min(batch, settings.pass_pairs) and sum(smaller.values()) <= machine.gib:
            return f"set retriever.pass_pairs: {pairs} (same gradient), or retriever.method: static"
    return "set retriever.method: static, or use a smaller base"


def retriever_lines(plan: RetrieverFigures) -> list[str]:
    """Return the plan as lines for the terminal."""
    about = "" if plan["exact"] else "about "
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in plan["kinds"].items())
    lines = [
        f"fit-retriever: {plan['method']} from {plan['base']}",
        f"  pairs: {about}{plan['pairs']:,} ({kinds})",
        *_fit_lines("embedder", plan["embedder"], f"{plan['batch']} pairs"),
    ]
    if plan["reranker"] is not None:
        lines += _fit_lines("reranker", plan["reranker"], "queries with their passages")
    return lines


def _fit_lines(name: str, fit: FitFigures, each: str) -> list[str]:
    terms: Mapping[str, float] = fit["terms_gib"]
    shown = sorted(terms.items(), key=lambda row: -row[1])
    parts = ", ".join(f"{term} {gib:.2f}" for term, gib in shown if gib >= 0.05)
    return [
        f"  {name}: {fit['steps']:,} steps of {each}, about {fit['tokens']:,} tokens, about "
        f"{_time(fit['hours'])} ({fit['basis']})",
        f"  {name}: about {fit['total_gib']:.1f} GiB at most ({parts})",
    ]


def _time(hours: float) -> str:
    minutes = max(1, round(hours * 60))
    if hours < 2:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{hours:.1f} hours"
