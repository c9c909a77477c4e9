"""Choose the model of a first recipe: what the policy allows, what fits, and what is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard, all_models, find_model
from kofinlaw.models.machines import Machine
from kofinlaw.models.memory.memory_plan import plan_serving_memory, plan_training_memory
from kofinlaw.models.policy.model_checks import check_models
from kofinlaw.models.policy.rules import policy_named
from kofinlaw.models.resolve import local_folder, package_folder
from kofinlaw.models.settings import ModelSettings

__all__ = [
    "EMBEDDER",
    "SMALL_PARAMETERS",
    "ModelChoice",
    "choose_model",
    "embedder_at_hand",
]

# Models of at least this size are trained in 4 bit on a card, and are asked by generation.
SMALL_PARAMETERS = 1_000_000_000
EMBEDDER = "intfloat/multilingual-e5-small"  # in the extra `quickstart`


@dataclass(frozen=True)
class ModelChoice:
    """The chosen model.

    `at_hand` says whether its weights are on this machine. `other` names the largest model that
    fits but whose weights are missing, if it is larger than the chosen one.
    """

    card: ModelCard
    path: Path | None
    at_hand: bool
    gib: float
    other: ModelCard | None = None

    @property
    def small(self) -> bool:
        """Whether the model is small: 16-bit training, and choices by contrast."""
        return self.card.parameters < SMALL_PARAMETERS


def choose_model(
    machine: Machine,
    policy: str,
    *,
    trains: bool,
    name: str = "",
    candidates: Sequence[ModelCard] | None = None,
) -> ModelChoice:
    """Return the model for a recipe: weights at hand first, then the largest that fits.

    Args:
        machine: The memory to fit into.
        policy: The policy that must allow the model.
        trains: Whether the model is trained or only answers.
        name: A catalogue id or local folder that the user chose; empty chooses.
        candidates: The models to choose from; None takes the catalogue.

    Raises UserError for an unknown policy or model, if the policy refuses the named model, or if no
    model fits.
    """
    policy_named(policy)
    if name:
        return _named(name, machine, policy, trains=trains)
    fitting = []
    for card in candidates if candidates is not None else all_models():
        if card.role != "llm" or card.refused or not card.parameters:
            continue
        if any(not verdict.ok for verdict in check_models(policy, student=card.id)):
            continue
        if not machine.gpu and card.parameters >= SMALL_PARAMETERS:
            continue  # training would take days on a processor
        gib = _needed_gib(card, machine, trains=trains)
        if gib is not None and gib <= machine.gib:
            fitting.append((_is_at_hand(card), card.parameters, card.id, card, gib))
    if not fitting:
        raise UserError(
            f"no model of the catalogue fits {machine.gib:.1f} GiB ({machine.origin}) under policy "
            f"{policy}",
            where="init",
            remedy="name a card with --card GIB, another --policy, or a model with --model",
        )
    at_hand, parameters, _, card, gib = max(fitting, key=lambda row: row[:3])
    largest = max(fitting, key=lambda row: row[1])
    other = largest[3] if largest[1] > parameters else None
    return ModelChoice(card, None, at_hand, round(gib, 1), other)


def embedder_at_hand() -> str | None:
    """Return the embedder that comes as a package, or None if it is not installed."""
    package = find_model(EMBEDDER).ships_as
    return EMBEDDER if package and package_folder(package) is not None else None


def _named(name: str, machine: Machine, policy: str, *, trains: bool) -> ModelChoice:
    """Return a model that the user named; its memory is a plan, not a condition."""
    card = find_model(name)
    folder = Path(name) if (Path(name) / "config.json").is_file() else None
    refused = [verdict for verdict in check_models(policy, student=name) if not verdict.ok]
    if refused:
        raise UserError(
            f"policy {policy} refuses {name}: {refused[0].detail}",
            where="--model",
            remedy="choose another model (`kofinlaw models` lists them) or another --policy",
        )
    gib = _needed_gib(card, machine, trains=trains)
    return ModelChoice(
        card,
        folder.resolve() if folder is not None else None,
        folder is not None or _is_at_hand(card),
        round(gib or 0.0, 1),
    )


def _needed_gib(card: ModelCard, machine: Machine, *, trains: bool) -> float | None:
    """Return the GiB that training and answering need, the larger; None for an unknown shape."""
    small = card.parameters < SMALL_PARAMETERS
    window = card.context or 4096
    try:
        length = min(4096, window)
        answering = plan_serving_memory(card, bits=16, context=length, gpu=machine.gpu).total
        if not trains:
            return answering
        training = plan_training_memory(
            card,
            quantization="none" if small else "nf4",
            optimizer="adamw",
            length=min(1024 if small else 2048, window),
            limit_gib=machine.gib,
            gpu=machine.gpu,
        ).total
        return max(training, answering)
    except UserError:
        return None


def _is_at_hand(card: ModelCard) -> bool:
    """Return whether the weights are on this machine, as a package or in the hub's cache."""
    if card.ships_as:
        return package_folder(card.ships_as) is not None
    return local_folder(ModelSettings(id=card.id)) is not None
