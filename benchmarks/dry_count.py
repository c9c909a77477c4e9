"""Compare the count of examples before a run with what the stage `augment` makes of a folder.

python benchmarks/dry_count.py FOLDER --items 4000 --holdout 0.2
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from kofinlaw.augment.settings import AugmentSettings, RaftSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.data.corpus import build_corpus
from kofinlaw.recipes.pipeline.planning.dry_count import dry_count, tokenizer_at_hand
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=800)
    parser.add_argument("--holdout", type=float, default=0.2)
    arguments = parser.parse_args()
    augment = AugmentSettings(
        items=arguments.items,
        holdout_share=arguments.holdout,
        holdout_items=100 if arguments.holdout else 0,
        preferences=False,
        raft=RaftSettings(max_evidence_tokens=320),
    )
    with tempfile.TemporaryDirectory() as work:
        recipe, recipe_file = load_recipe(
            "ask-documents", [f"data.sources={arguments.folder.absolute()}"]
        )
        recipe = recipe.model_copy(update={"augment": augment})
        run = bind(recipe, recipe_file, Path(work) / "runs", Path(work) / "cache")
        count, tokenizer = tokenizer_at_hand(recipe.model)
        started = time.process_time()
        found = dry_count(run)
        print(
            f"counted {found.examples} ({found.low} to {found.high}), {found.tests} tests, "
            f"{time.process_time() - started:.1f} s: {found.how}"
        )
        started = time.process_time()
        assert recipe.data is not None
        corpus = Path(work) / "data"
        build_corpus(
            recipe.data,
            corpus,
            base=recipe_file.path.parent,
            count_tokens=count if tokenizer else None,
        )
        made = generate_examples(
            augment, corpus, Path(work) / "made", seed=recipe.seed, count_tokens=count
        )
        off = 100 * (found.examples / made.examples - 1)
        print(
            f"made {made.examples}, {made.heldout} tests, "
            f"{time.process_time() - started:.1f} s: the count is off by {off:+.1f} %"
        )


if __name__ == "__main__":
    main()
