"""Train the adapter of a recipe with `accelerate launch`, on the examples of its run.

    accelerate launch --config_file accelerate_config.yaml recipes/train.py RECIPE [--set K=V …]

Reads `runs/<name>/augment/examples.jsonl` and writes `runs/<name>/train/`. Steps and adapter are
the same as those of `kofinlaw train`.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.run import Run
    from kofinlaw.recipes.pipeline.runner import Resume

__all__ = ["main", "print_line"]


def main() -> None:
    """Parse the command line and train; exit code 1 for an error that the user can fix."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", help="a recipe file, or the name of a shipped recipe")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--resume", choices=["never", "always", "if-possible"])
    parser.add_argument("--trust", action="store_true", help="do not check the stages' files")
    arguments = parser.parse_args()

    from kofinlaw.errors import check_working_folder
    from kofinlaw.files import explained_error
    from kofinlaw.offline import guard, set_environment
    from kofinlaw.recipes.pipeline.run import bind
    from kofinlaw.recipes.pipeline.schema import load_recipe
    from kofinlaw.recipes.pipeline.threads import share_processor

    try:
        check_working_folder()
        share_processor()
        run = bind(*load_recipe(arguments.recipe, arguments.set), arguments.runs)
        if run.recipe.offline:
            set_environment()
        with guard(offline=run.recipe.offline):
            _train(run, _same_run(arguments), arguments.resume or "if-possible", arguments.trust)
    except Exception as error:
        explained = explained_error(error)
        if explained is None:
            raise
        sys.stderr.write(f"error: {explained}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped; the last checkpoint is kept: start the same command again\n")
        sys.exit(130)


def _same_run(arguments: argparse.Namespace) -> list[str]:
    """Return the words with which another command reads the same recipe values and run."""
    sets = [word for value in arguments.set for word in ("--set", value)]
    runs = [] if arguments.runs == Path("runs") else ["--runs", str(arguments.runs)]
    return [arguments.recipe, *sets, *runs]


def _train(run: Run, same: list[str], resume: Resume, trust: bool) -> None:
    from kofinlaw import UserError
    from kofinlaw.commands import command_line
    from kofinlaw.recipes.pipeline.compliance import check_policy
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.runner import run_stages
    from kofinlaw.recipes.pipeline.stage_functions import train_adapter
    from kofinlaw.recipes.pipeline.stages import build_stages

    check_policy(run.recipe)
    if not (run.folder / "augment" / "examples.jsonl").is_file():
        raise UserError(
            "there are no examples to train on",
            where=str(run.folder / "augment"),
            remedy=f"run `{command_line('augment', *same)}` first",
        )
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if world > 1 and rank > 0:
        # Rank 0 writes the stage's record and folder; the other processes only compute.
        from kofinlaw import silent

        train_adapter(run, resume, run.folder / ".train.partial", silent)
        return
    with run_lock(run.folder, print_line):
        stages = build_stages(run, resume)
        run_stages(stages, run.folder, resume=resume, only=["train"], trust=trust, say=print_line)
    print_line(f"adapter: {run.folder / 'train' / 'adapter'}")
    print_line(f"Next:\n  {command_line('run', *same, comment='the remaining stages')}")


def print_line(line: str) -> None:
    """Print one line on standard output at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # If this file is launched, Python puts its folder first on the path: a file in it could be
    # imported in place of a library.
    here = str(Path(__file__).resolve().parent)
    sys.path[:] = [entry for entry in sys.path if str(Path(entry or ".").resolve()) != here]
    main()
