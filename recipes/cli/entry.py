"""Start `kofinlaw`: build the command line, run it, and turn errors into exit codes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from kofinlaw import __version__
from kofinlaw.commands import same_command
from kofinlaw.decoding import decode_name
from kofinlaw.errors import check_working_folder
from kofinlaw.files import existing_path, explained_error
from kofinlaw.offline import quiet_kernel_search
from kofinlaw.recipes.cli.answer_commands import answer, ask
from kofinlaw.recipes.cli.bundle_command import bundle
from kofinlaw.recipes.cli.console import say
from kofinlaw.recipes.cli.export_command import export
from kofinlaw.recipes.cli.forms_command import convert_examples
from kofinlaw.recipes.cli.machine_commands import doctor, models
from kofinlaw.recipes.cli.measuring.bench_command import bench
from kofinlaw.recipes.cli.measuring.exam_command import exam
from kofinlaw.recipes.cli.measuring.score_commands import (
    compare,
    report_serve,
    report_write,
    score,
    verify_citations,
)
from kofinlaw.recipes.cli.measuring.study_commands import study, sweep
from kofinlaw.recipes.cli.measuring.tune_command import fit_retriever, fit_voters, tune
from kofinlaw.recipes.cli.merge_commands import convert_exaone, convert_llama, merge, verify
from kofinlaw.recipes.cli.options import DefaultCommand
from kofinlaw.recipes.cli.prefer_command import prefer
from kofinlaw.recipes.cli.recipe_commands import (
    init,
    plan,
    policy_check,
    recipe_schema,
    recipe_show,
    run,
)
from kofinlaw.recipes.cli.review_command import review
from kofinlaw.recipes.cli.serving_commands import mcp, serve
from kofinlaw.recipes.cli.stage_commands import (
    augment,
    data_build,
    data_diff,
    data_inspect,
    index,
    train,
)
from kofinlaw.texts import terminal_text

__all__ = ["CONTINUE", "MainCommand", "command_line_app", "main", "typed_argument"]

USER_ERROR = 1
INTERNAL_ERROR = 70
INTERRUPTED = 130

# In the order of `kofinlaw --help`; each command's name is its function's name.
COMMANDS = (
    *(init, run, plan, augment, review, train, index, sweep, study, tune, fit_voters, prefer),
    fit_retriever,
    *(ask, serve, mcp, answer, exam, bench, score, compare),
    *(verify_citations, merge, verify, export, bundle, models, doctor),
)

# The commands that continue unfinished work if they are run again.
CONTINUE = frozenset(
    (
        *("run", "data", "augment", "train", "index", "sweep", "study"),
        *("answer", "exam", "bench", "export", "fit-retriever"),
    )
)


def main() -> None:
    """Run the command line and exit.

    Exit codes: 0 done, 1 an error that the user can fix, 70 a fault of kofinlaw, 130 interrupted.
    """
    from kofinlaw.models.memory.card_memory import use_expandable_segments
    from kofinlaw.recipes.pipeline.evaluation.leaving import leaving
    from kofinlaw.recipes.pipeline.threads import share_processor

    use_expandable_segments()
    quiet_kernel_search()

    # Called by the script of this process, and not by a program that continues after it.
    leaving.own = sys._getframe(1).f_globals.get("__name__") == "__main__"
    try:
        check_working_folder()
        share_processor()
        command_line_app(sys.argv[1] if len(sys.argv) > 1 else "")(standalone_mode=True)
    except SystemExit as stop:
        if leaving.at_once and isinstance(stop.code, int):
            leaving.leave(stop.code)
        raise
    except KeyboardInterrupt as stop:
        _interrupted(stop)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os._exit(0)
    except Exception as error:
        _end(error)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of a library in Rust: it is no Exception
            raise
        _end(error)


def _end(error: BaseException) -> None:
    """Show the error that the user can fix behind this one and exit with 1; else exit with 70."""
    explained = explained_error(error)
    if explained is None:
        _internal(error)
    typer.echo(terminal_text(f"error: {explained}"), err=True)
    sys.exit(USER_ERROR)


class MainCommand(TyperGroup):
    """The command `kofinlaw`: an interruption says what was running and how to continue."""

    # Any: click's types have no public name here, since newer releases of typer contain click.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments as clean text (`typed_argument`)."""
        return super().parse_args(ctx, [typed_argument(argument) for argument in args])

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is named; typer itself would end silently after Ctrl+C."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            _interrupted(stop)
            raise typer.Exit(INTERRUPTED) from stop


def typed_argument(argument: str) -> str:
    """Return an argument as clean text, or as the path of the file that it names.

    - The path of an existing file stays as it is, in any spelling and encoding.
    - A path that spells Hangul otherwise than the file's name becomes the file's path.
    """
    name, equals, value = (
        argument.partition("=") if argument.startswith("--") else ("", "", argument)
    )
    if value.isascii() or os.path.lexists(value):
        return argument
    value = decode_name(value)
    if not os.path.lexists(value) and os.path.lexists(existing := existing_path(Path(value))):
        value = str(existing)
    return f"{name}{equals}{value}"


def command_line_app(first: str = "") -> typer.Typer:
    """Build the command line: the commands above and the command groups.

    If `first`, the first word that was typed, is one of the commands above, only that command is
    built. typer reads the signatures of all commands otherwise, which takes longer than a help.
    """
    app = typer.Typer(
        name="kofinlaw",
        cls=MainCommand,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Build and prove Korean finance and law models on one 24 GB card, offline.",
        epilog="Start here: kofinlaw run quickstart. Your own documents: kofinlaw init FOLDER. "
        "Check this machine: kofinlaw doctor.",
    )
    app.callback(invoke_without_command=True)(_show_version)
    asked = [command for command in COMMANDS if command.__name__.replace("_", "-") == first]
    for command in asked or COMMANDS:
        app.command()(command)
    if asked:
        return app

    recipe = _group(app, "recipe", "Show a recipe, or print the JSON Schema for editors.")
    recipe.command("show")(recipe_show)
    recipe.command("schema")(recipe_schema)

    policy = _group(app, "policy", "Show what a policy allows and why.")
    policy.command("check")(policy_check)

    # The first command of these two groups runs if none is named: `data RECIPE`, `report RUN`.
    data = _group(
        app, "data", "Turn documents into chunks; inspect and compare them.", DefaultCommand
    )
    data.command("build", hidden=True)(data_build)
    data.command("inspect")(data_inspect)
    data.command("diff")(data_diff)

    report = _group(
        app, "report", "Write a run's report again, or serve all reports.", DefaultCommand
    )
    report.command("write", hidden=True)(report_write)
    report.command("serve")(report_serve)

    convert = _group(
        app,
        "convert",
        "Convert a checkpoint to the names of another family, or examples to other forms.",
    )
    convert.command("llama")(convert_llama)
    convert.command("exaone")(convert_exaone)
    convert.command("examples")(convert_examples)
    return app


def _group(
    app: typer.Typer, name: str, text: str, kind: type[DefaultCommand] | None = None
) -> typer.Typer:
    group = typer.Typer(cls=kind, no_args_is_help=True, help=text)
    app.add_typer(group, name=name)
    return group


def _show_version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        say(f"kofinlaw {__version__}")
        raise typer.Exit


def _interrupted(stop: KeyboardInterrupt) -> None:
    """Say what was running, and the command that continues it. A second Ctrl+C ends at once."""
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    notes = getattr(stop, "__notes__", [])
    where = f" in {notes[0]}" if notes else ""
    arguments = sys.argv[1:]
    kept = arguments[:1] and arguments[0] in CONTINUE
    then = "finished work is kept; to continue:" if kept else "to start it again:"
    typer.echo(f"\nstopped{where}; {then}\n  {same_command(arguments)}", err=True)


def _internal(error: BaseException) -> None:
    """Show the traceback's end, name the log that holds all of it, and exit with 70."""
    log_path = getattr(error, "log_path", None)
    if log_path is None:
        try:
            log_path = Path.cwd() / "kofinlaw-error.log"
            log_path.write_text(traceback.format_exc(), encoding="utf-8")
        except OSError:
            log_path = None
    shown = traceback.format_exception(error)
    typer.echo("".join(shown[-12:]), err=True)
    where = f"; full traceback: {log_path}" if log_path else ""
    typer.echo(f"error: {error}\n  → this is a fault of kofinlaw, not yours{where}", err=True)
    sys.exit(INTERNAL_ERROR)
