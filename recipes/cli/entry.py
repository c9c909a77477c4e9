"""The entry point of `kofinlaw`: register the commands, run one, turn errors into exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import typer

from kofinlaw import UserError
from kofinlaw.recipes.cli.app import INTERNAL_ERROR, INTERRUPTED, app

__all__ = ["main"]


def main() -> None:
    """Run the command line; the exit code says who has to act: 1 you, 70 us, 130 interrupted."""
    # Importing them registers the commands, in the order --help shows.
    from kofinlaw.recipes.cli import recipe_commands as commands, sweep_command, study_command  # noqa: F401, I001
    from kofinlaw.recipes.cli import tune_command, prefer_command  # noqa: F401
    from kofinlaw.recipes.cli import answer_commands, score_commands  # noqa: F401
    from kofinlaw.recipes.cli import model_commands  # noqa: F401
    from kofinlaw.recipes.pipeline.threads import share_processor

    share_processor()
    try:
        app(standalone_mode=True)
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("\nstopped; run the same command again and it goes on from here", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os._exit(0)
    except Exception as error:
        _internal(error)


def _internal(error: Exception) -> None:
    log_path = getattr(error, "log_path", None)
    if log_path is None:
        log_path = Path.cwd() / "kofinlaw-error.log"
        try:
            log_path.write_text(traceback.format_exc(), encoding="utf-8")
        except OSError:
            log_path = None
    shown = traceback.format_exception(error)
    typer.echo("".join(shown[-12:]), err=True)
    where = f"; the whole story is in {log_path}" if log_path else ""
    typer.echo(f"error: {error}\n  → this is a fault of kofinlaw, not yours{where}", err=True)
    sys.exit(INTERNAL_ERROR)
