"""Simulate the memory of a recipe's training (`plan --simulate`), next to the arithmetic."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError
from kofinlaw.errors import raise_if_machine
from kofinlaw.models.machines import Machine
from kofinlaw.models.memory.memory_plan import held_by_tensors
from kofinlaw.models.resolve import local_folder
from kofinlaw.recipes.pipeline.plan_record import (
    ChosenPass,
    MemoryFigures,
    Plan,
    SimulationFigures,
)
from kofinlaw.recipes.pipeline.planning.figures import student_card
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.units import GIB

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from kofinlaw.trainer.simulation.simulate import SimulatedMemory

__all__ = ["SIMULATE", "simulation_figures", "simulation_lines"]

SIMULATE = "--simulate"
_OWN_CODE = "exaone"  # its folders come with code of their own; the card has its Llama shape
MOST_HOLDERS = 8  # groups of tensors that are listed


def simulation_figures(
    run: Run, machine: Machine, memory: MemoryFigures, problems: list[str], progress: Progress
) -> SimulationFigures:
    """Return the simulated memory of the recipe's training; too much of it joins `problems`.

    `memory` is the plan by arithmetic, whose limit also counts here. Raises UserError if the
    recipe trains no language model, and as `simulate_memory`.
    """
    if run.recipe.ask_only:
        raise UserError(
            "this recipe trains no language model (ask_only), so there is nothing to simulate",
            where=SIMULATE,
            remedy="leave the option out",
        )
    from kofinlaw.trainer.simulation.simulate import MOST_ROWS, simulate_memory

    started = time.monotonic()
    settings, notes = _simulated_settings(run.recipe.train)
    limit = memory["limit_gib"]
    found = simulate_memory(
        _config(run), settings, card=machine.gpu, limit_gib=limit, progress=progress
    )
    if found.total > limit:
        problems.append(
            f"training needs {found.total:.1f} GiB at {settings.max_length} tokens by simulation, "
            f"but the limit is {limit:.1f} GiB ({memory['limit_is']}); the longest sequence that "
            f"fits has {found.longest} tokens → lower train.max_length, or train a smaller model"
        )
    peak, arithmetic = found.peak, held_by_tensors(memory["terms_gib"])
    return {
        "length": settings.max_length,
        "peak_gib": round(peak.size / GIB, 3),
        "place": peak.place,
        "operator": peak.operator,
        "backward": peak.backward,
        "kinds_gib": {kind: round(size / GIB, 3) for kind, size in peak.kinds().items()},
        "largest": [
            {
                "kind": holder.kind,
                "operator": holder.operator,
                "count": holder.count,
                "gib": round(holder.size / GIB, 3),
            }
            for holder in peak.holders[:MOST_HOLDERS]
        ],
        "total_gib": round(found.total, 2),
        "loaded_gib": round(found.loaded / GIB, 3),
        "arithmetic_gib": round(arithmetic, 3),
        "ratio": round(arithmetic * GIB / peak.size, 3),
        "micro_batch": found.micro_batch,
        "most_rows": MOST_ROWS,
        "longest_sequence": found.longest,
        "simulated_sizes": len(found.totals),
        "chosen": _chosen(found),
        "padded": found.padded if machine.gpu else "",
        "seconds": round(time.monotonic() - started, 1),
        "notes": notes,
    }


def _chosen(found: SimulatedMemory) -> ChosenPass | None:
    """Return the pass that training would choose, as figures; None if none was simulated."""
    from kofinlaw.trainer.simulation.simulate import total_gib

    if found.chosen is None:
        return None
    return {
        "tokens": found.chosen.tokens,
        "kept_layers": found.chosen.kept_layers,
        "total_gib": round(total_gib(found.chosen.peak, card=True), 2),
    }


def _simulated_settings(train: TrainSettings) -> tuple[TrainSettings, list[str]]:
    """Return the settings that are simulated, and what of the recipe's is not."""
    changes: dict[str, object] = {}
    notes = []
    if train.start_from is not None:
        changes["start_from"] = None
        notes.append("start_from: simulated with a new adapter of the same shape")
    if train.lora.initialization != "default":
        changes["lora"] = train.lora.model_copy(update={"initialization": "default"})
        notes.append(f"initialization {train.lora.initialization}: its own work is not simulated")
    if train.neftune_alpha is not None:
        notes.append("neftune_alpha: the noise on the embeddings is not simulated")
    if train.optimizer == "paged_adamw_8bit":
        changes["optimizer"] = "adamw_8bit"
        notes.append("paged_adamw_8bit: its state counts in full, although it may move to the host")
    return train.model_copy(update=changes), notes


def _config(run: Run) -> PretrainedConfig:
    """Return the config of the recipe's model: of its folder, else of its card."""
    from transformers import AutoConfig

    from kofinlaw.trainer.simulation.card_config import config_from_card

    card = student_card(run)
    folder = local_folder(run.recipe.model, cache=run.cache)
    if folder is None or card.model_type == _OWN_CODE:
        return config_from_card(card)
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers checks config.json with errors of many types
        raise_if_machine(error, folder)
        raise UserError(
            f"the model's config cannot be read: {' '.join(str(error).split())[:200]}",
            where=str(folder / "config.json"),
            remedy="get the model's files again, or leave --simulate out",
        ) from error


def simulation_lines(plan: Plan) -> list[str]:
    """Return the simulation as lines for the terminal; empty if there is none."""
    found = plan["simulation"]
    if found is None:
        return []
    memory = plan["memory"]
    way = "backward" if found["backward"] else "forward"
    where = found["place"] if found["place"] == "optimizer" else f"{found['place']}, {way} pass"
    lines = [
        f"simulated training step at {found['length']} tokens: peak "
        f"{found['peak_gib']:.2f} GiB ({where}, operator {found['operator']})",
        *(f"  {kind:<28}{gib:>9.3f} GiB" for kind, gib in found["kinds_gib"].items()),
        f"  {'with slack and context':<28}{found['total_gib']:>9.2f} GiB",
        f"  by arithmetic, without them {found['arithmetic_gib']:>9.2f} GiB, "
        f"{found['ratio']:.2f} times the simulated peak",
        "  largest groups of tensors at the peak:",
    ]
    lines += [
        f"    {row['gib']:>7.3f} GiB  {row['count']:>4} of {row['operator']} ({row['kind']})"
        for row in found["largest"]
    ]
    lines += [
        f"  micro-batch that fits {memory['limit_gib']} GiB: {found['micro_batch']}"
        f"{' or more' if found['micro_batch'] == found['most_rows'] else ''} (arithmetic "
        f"{memory['micro_batch']}); longest sequence: {found['longest_sequence']} tokens "
        f"(arithmetic {memory['longest_sequence']})",
        f"  {found['simulated_sizes']} sizes in {found['seconds']:.0f} s",
    ]
    if chosen := found["chosen"]:
        lines.append(
            f"  training would choose {chosen['tokens']} tokens a pass and {chosen['kept_layers']} "
            f"kept layers: {chosen['total_gib']:.2f} GiB with slack and context"
        )
    if found["padded"]:
        lines.append(f"  examples of a pass are padded: {found['padded']}")
    return [*lines, *(f"  note: {note}" for note in found["notes"])]
