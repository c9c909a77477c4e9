"""Read the examples of a run, hold some out, mix in further files, and hash the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.records import Rejected
from kofinlaw.trainer.encoding import (
    Encoded,
    encode_examples,
    examples_sha256,
    require_choices,
)
from kofinlaw.trainer.settings import TrainSettings

__all__ = ["Dataset", "draw", "hold_out", "read_dataset"]


@dataclass(frozen=True)
class Dataset:
    """The examples of a run: the first `trained` are trained on, the others are held out.

    An example that the mixture repeats is in `examples` several times. `sha256` covers ids, tokens
    and masks of all examples in their order.
    """

    examples: list[Encoded]
    trained: int
    rejected: list[Rejected]
    sha256: str

    @property
    def held_out(self) -> range:
        """Indices of the examples that are only evaluated."""
        return range(self.trained, len(self.examples))

    @property
    def lengths(self) -> list[int]:
        """Tokens of each example that is trained on."""
        return [len(e) for e in self.examples[: self.trained]]

    @property
    def targets(self) -> list[int]:
        """Supervised tokens of each example that is trained on."""
        return [e.targets for e in self.examples[: self.trained]]


def read_dataset(
    path: Path,
    settings: TrainSettings,
    template: ChatTemplate,
    encode: Callable[[str], list[int]],
    *,
    seed: int,
    base: Path | None = None,
    progress: Progress = silent,
) -> Dataset:
    """Read the examples at `path`, hold out the configured share, and mix in the other files.

    Held-out examples come from `path` only. Relative paths of the mixture are resolved against
    `base`, or against the working directory without it. Raises UserError as
    `encoding.encode_examples`, `encoding.require_choices` and `hold_out`.
    """

    def read(file: Path) -> tuple[list[Encoded], list[Rejected]]:
        return encode_examples(
            file,
            template,
            encode,
            max_length=settings.max_length,
            objective=settings.objective,
            contrast=settings.contrast,
            progress=progress,
        )

    main, rejected = read(path)
    front, back = hold_out(main, settings.evaluation_share, seed)
    for number, part in enumerate(settings.mixture):
        encoded, rejected_of_part = read((base or Path()) / part.path)
        front += draw(encoded, part.weight, seed=[seed, 2**30 + number])
        rejected += rejected_of_part
    examples = front + back
    require_choices(examples, settings.objective, path)
    return Dataset(examples, len(front), rejected, examples_sha256(examples))


def hold_out(
    examples: Sequence[Encoded], share: float, seed: int
) -> tuple[list[Encoded], list[Encoded]]:
    """Split into examples to train on and held-out examples, each in the order of the file.

    `seed` decides which examples are held out. A text and an item with the same id are held out
    together. Raises UserError if the share leaves one of the two lists empty.
    """
    ids = list(dict.fromkeys(e.id for e in examples))
    count = round(share * len(ids))
    if share > 0 and not 0 < count < len(ids):
        raise UserError(
            f"{len(ids)} examples are too few to hold out a share of {share}",
            where="train.evaluation_share",
        )
    order = np.random.default_rng([seed, 2**31]).permutation(len(ids))
    chosen = {ids[i] for i in order[:count].tolist()}
    front = [e for e in examples if e.id not in chosen]
    back = [e for e in examples if e.id in chosen]
    return front, back


def draw(examples: Sequence[Encoded], weight: float, *, seed: list[int]) -> list[Encoded]:
    """Repeat each example `weight` times; the fractional part is drawn without replacement."""
    repeats = int(weight)
    rest = round((weight - repeats) * len(examples))
    order = np.random.default_rng(seed).permutation(len(examples))[:rest]
    return list(examples) * repeats + [examples[i] for i in sorted(order.tolist())]
