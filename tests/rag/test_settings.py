"""Presets of the recipe section `rag`."""

from __future__ import annotations

import pytest
from corpora import settings


def test_a_preset_fills_in_what_the_recipe_leaves_open() -> None:
    dense, ensemble, multi = (
        settings(preset=name) for name in ("dense", "ensemble", "multi_query")
    )
    assert {one.embedder for one in (dense, ensemble, multi)} == {"intfloat/multilingual-e5-small"}
    assert (dense.alpha, dense.query_forms) == (1.0, ("stem",))
    assert (ensemble.alpha, ensemble.fusion) == (0.5, "ranked")
    assert (multi.alpha, multi.query_forms) == (1.0, ("stem", "multi_query"))
    assert settings(preset="ensemble", alpha=0.7, embedder="pico").alpha == 0.7
    # The resolved settings contain what a preset filled in, and read back as the same.
    assert type(dense).model_validate(dense.model_dump()) == dense
    with pytest.raises(ValueError, match="preset"):
        settings(preset="dence")
