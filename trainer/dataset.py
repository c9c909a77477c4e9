"""The examples of a run: read, held out, mixed, and named by a fingerprint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.records import Rejected
from kofinlaw.trainer.encoding import Encoded, encode_examples, fingerprint
from kofinlaw.trainer.settings import TrainSettings


@dataclass(frozen=True)
class Dataset:
    """`examples` are trained on up to `trained`; the held-out ones stand behind them.

    An example that is mixed in several times stands there several times.
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
    """Read the examples at `path`, hold out the asked share, and mix in the other files.

    Held-out examples come from `path` alone. Relative paths of the mixture start at `base` (else
    the working directory). Raises UserError as `encoding.encode_examples`.
    """

    def read(file: Path) -> tuple[list[Encoded], list[Rejected]]:
        return encode_examples(
            file, template, encode, max_length=settings.max_length, progress=progress
        )

    main, rejected = read(path)
    front, back = hold_out(main, settings.evaluation_share, seed)
    for number, part in enumerate(settings.mixture):
        kept, refused = read((base or Path()) / part.path)
        front += draw(kept, part.weight, seed=[seed, 2**30 + number])
        rejected += refused
    examples = front + back
    return Dataset(examples, len(front), rejected, fingerprint(examples))


def hold_out(
    examples: Sequence[Encoded], share: float, seed: int
) -> tuple[list[Encoded], list[Encoded]]:
    """The examples to train on and those held out, chosen by `seed`, each in the file's order.

    Raises UserError where the share leaves one of them empty.
    """
    count = round(share * len(examples))
    if share > 0 and not 0 < count < len(examples):
        raise UserError(
            f"{len(examples)} examples are too few to hold out a share of {share}",
            where="train.evaluation_share",
        )
    chosen = set(np.random.default_rng([seed, 2**31]).permutation(len(examples))[:count].tolist())
    front = [e for i, e in enumerate(examples) if i not in chosen]
    back = [e for i, e in enumerate(examples) if i in chosen]
    return front, back


def draw(examples: Sequence[Encoded], weight: float, *, seed: list[int]) -> list[Encoded]:
    """Each example `weight` times; of a broken weight the rest is drawn without replacement."""
    whole = int(weight)
    rest = round((weight - whole) * len(examples))
    order = np.random.default_rng(seed).permutation(len(examples))[:rest]
    return list(examples) * whole + [examples[i] for i in sorted(order.tolist())]
