"""Points of a sweep with figures that were not measured."""

import pytest

from kofinlaw.recipes.studies.sweep_figures import PointFigures


def figures_of(rank: int, loss: float, seconds: float, memory: float, **more) -> PointFigures:
    given = {
        "keys": {"train.lora.rank": str(rank)},
        "steps": 3,
        "losses": [3.0, 2.0, loss],
        "evaluations": [],
        "final_loss": loss,
        "held_out": False,
        "seconds": seconds,
        "memory_mean": memory,
        "memory_sd": 0.0,
        "memory_min": memory,
        "memory_max": memory,
        "trained_parameters": 1000 * rank,
        "accuracy": None,
    }
    return PointFigures(**{**given, **more})


# The published OPT-350m study: final loss, runtime in seconds, process memory in GiB.
PUBLISHED = [
    figures_of(8, 1.72, 761, 1.898),
    figures_of(128, 1.43, 823, 1.917),
    figures_of(256, 1.33, 907, 1.964),
]


@pytest.fixture(scope="session")
def figures():
    """Makes a point from its rank, final loss, seconds and memory."""
    return figures_of


@pytest.fixture(scope="session")
def published():
    """The published study as points."""
    return PUBLISHED
