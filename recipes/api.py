"""Run a recipe from Python, open a finished run, and ask it questions."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, get_args

from kofinlaw import UserError
from kofinlaw.commands import stage_command

if TYPE_CHECKING:
    from kofinlaw.models.embedders import Vectors
    from kofinlaw.models.engines.base import Engine, Generation
    from kofinlaw.models.templates import ChatTemplate
    from kofinlaw.rag.answer.single_question import AskedAnswer
    from kofinlaw.rag.answer_settings import AnswerSettings
    from kofinlaw.rag.retrieve.retriever import Retriever
    from kofinlaw.recipes.pipeline.run import Run
    from kofinlaw.recipes.pipeline.schema import Recipe

__all__ = [
    "DialogueTooLongError",
    "Limits",
    "OpenRun",
    "ResumeMode",
    "newest_run",
    "open_run",
    "run_recipe",
]

ResumeMode = Literal["never", "always", "if-possible"]


@dataclass(frozen=True)
class Limits:
    """How a dialogue is continued: at most `max_tokens`, up to one of `stop`; 0 is greedy."""

    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    seed: int = 0


class DialogueTooLongError(UserError):
    """A dialogue fills the whole context."""


class OpenRun:
    """A run's folder with its recipe, index and model, ready to answer questions.

    The model is loaded at the first question and stays loaded until `close()`, so that a notebook
    does not load it for each question. Threads may share it; their questions are answered one after
    another. Use it as a context manager to free the memory at the end.
    """

    def __init__(self, bound: Run, *, trust: bool = False) -> None:
        self._run = bound
        self._trust = trust
        self._asking: _Asking | None = None
        self._turn = threading.RLock()

    def __reduce__(self) -> tuple[Callable[[Run, bool], OpenRun], tuple[Run, bool]]:
        return _reopened, (self._run, self._trust)  # a copy loads its own model

    @property
    def folder(self) -> Path:
        """The run's folder (absolute)."""
        return self._run.folder

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe of the run."""
        return self._run.recipe

    @property
    def report(self) -> Path | None:
        """The report page, or None if the run has not written it yet."""
        page = self.folder / "report" / "report.html"
        return page if page.is_file() else None

    @property
    def model_folder(self) -> Path:
        """The weights that answer: the run's merged model, or the base model before the merge.

        Raises UserError if the base model is not on this machine.
        """
        from kofinlaw.recipes.pipeline.run import model_folder

        merged = self.folder / "merge" / "model"
        return merged if merged.is_dir() else model_folder(self._run)

    def load(self) -> None:
        """Load index and model now, and not at the first question.

        Raises UserError if the run has no index, if the model is not on this machine, or if files
        of the index or of the merged model changed after their stage was finished.
        """
        from kofinlaw.offline import guard

        with self._turn, guard(offline=self.recipe.offline):
            self._asking = self._asking or _Asking.load(self)

    def ask(self, question: str, *, as_of: date | None = None) -> AskedAnswer:
        """Answer one question from the run's index, with its evidence.

        Args:
            question: The question in Korean. Options may follow on their own lines.
            as_of: The day whose law is asked for; None uses the recipe's own day.

        Returns the answer with the passages that were found, best first. Spans go to
        `ask/traces.jsonl` in the run's folder if the recipe traces.

        Raises UserError if the question is empty, the run has no index, or the model is not on
        this machine.
        """
        from kofinlaw.offline import guard
        from kofinlaw.rag.answer.single_question import ask_question
        from kofinlaw.trace_files import open_tracer

        recipe = self.recipe
        with self._turn, guard(offline=recipe.offline):
            asking = self._asking = self._asking or _Asking.load(self)
            with (
                open_tracer(recipe.trace, self.folder / "ask", offline=recipe.offline) as tracer,
                tracer.span("ask", model=recipe.model.id, query=question) as span,
            ):
                result = ask_question(
                    question,
                    engine=asking.engine,
                    template=asking.template,
                    retriever=asking.retriever,
                    settings=asking.settings,
                    seed=recipe.seed,
                    as_of=as_of,
                )
                span.set(answer=result.answer, documents=[hit.text for hit in result.evidence])
        return result

    def ask_many(
        self, questions: Sequence[tuple[str, date | None]], *, max_tokens: int | None = None
    ) -> list[AskedAnswer]:
        """Answer several (question, day) pairs with one search and few calls of the engine.

        `max_tokens` lowers the recipe's limit of a free text. Raises UserError as `ask` does, for
        all questions if one of them is wrong. Nothing is traced.
        """
        from kofinlaw.offline import guard
        from kofinlaw.rag.answer.single_question import ask_questions

        with self._turn, guard(offline=self.recipe.offline):
            asking = self._asking = self._asking or _Asking.load(self)
            settings = asking.settings
            if max_tokens is not None and max_tokens < settings.free_max_tokens:
                settings = settings.model_copy(update={"free_max_tokens": max_tokens})
            return ask_questions(
                questions,
                engine=asking.engine,
                template=asking.template,
                retriever=asking.retriever,
                settings=settings,
                seed=self.recipe.seed,
            )

    def complete(
        self, dialogues: Sequence[Sequence[Mapping[str, str]]], limits: Sequence[Limits]
    ) -> list[Generation]:
        """Continue dialogues without evidence. See `Limits` for what each of them may set.

        An answer ends where dialogue and answer together fill the context of the recipe.

        Raises UserError for turns that the chat template refuses, and DialogueTooLongError for a
        dialogue that leaves no room for an answer.
        """
        from kofinlaw.models.engines.base import Request
        from kofinlaw.offline import guard

        with self._turn, guard(offline=self.recipe.offline):
            asking = self._asking = self._asking or _Asking.load(self)
            template = asking.template
            prompts = [template.render(turns, add_generation_prompt=True) for turns in dialogues]
            requests = [
                Request(
                    prompt,
                    max_tokens=min(limit.max_tokens, asking.room(prompt)),
                    stop=(template.stop, *limit.stop),
                    temperature=limit.temperature,
                    seed=limit.seed,
                    logprob=False,
                )
                for prompt, limit in zip(prompts, limits, strict=True)
            ]
            return asking.engine.generate(requests)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return vectors [texts, dimensions] of texts, read as queries by the run's embedder.

        The vectors are not stored. Raises UserError if the run searches without an embedder, and
        as `load` does.
        """
        from kofinlaw.offline import guard

        with self._turn, guard(offline=self.recipe.offline):
            asking = self._asking = self._asking or _Asking.load(self)
            return asking.retriever.embed_queries(texts)

    def count_embedded(self, texts: Sequence[str]) -> int:
        """Return how many tokens `embed` reads of texts; 0 if the embedder cannot count.

        Raises UserError as `embed` does.
        """
        from kofinlaw.offline import guard

        with self._turn, guard(offline=self.recipe.offline):
            asking = self._asking = self._asking or _Asking.load(self)
            return asking.retriever.count_query_tokens(texts)

    def close(self) -> None:
        """Free the model; safe to call twice."""
        with self._turn:
            if self._asking is not None:
                self._asking.engine.close()
                self._asking = None

    def __enter__(self) -> OpenRun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<kofinlaw run {self.recipe.name!r} in {self.folder}>"


class _Asking:
    """The parts of a run that answer: the loaded model, its template, retriever and settings."""

    def __init__(
        self,
        engine: Engine,
        template: ChatTemplate,
        retriever: Retriever,
        settings: AnswerSettings,
    ) -> None:
        self.engine = engine
        self.template = template
        self.retriever = retriever
        self.settings = settings

    @classmethod
    def load(cls, opened: OpenRun) -> _Asking:
        """Load index and model of a run. Raises UserError as `OpenRun.load` does."""
        from kofinlaw.models.engines.factory import open_engine
        from kofinlaw.models.templates import template_for
        from kofinlaw.rag.index.index import Index
        from kofinlaw.rag.retrieve.retriever import Retriever
        from kofinlaw.recipes.pipeline.fitting.voter_fitting import serving_settings
        from kofinlaw.recipes.pipeline.integrity.checks import require_stages

        bound = opened._run
        if not (bound.folder / "index").is_dir():
            raise UserError(
                "this run has no index",
                where=str(bound.folder),
                remedy=f"run `{stage_command('index', bound.folder)}` to build it",
            )
        warn = logging.getLogger("kofinlaw").warning
        require_stages(bound.folder, ("index", "merge"), trust=opened._trust, say=warn)
        folder = opened.model_folder
        recipe = bound.recipe
        settings = serving_settings(bound)
        retriever = Retriever(Index.load(bound.folder / "index"), recipe.rag, cache=bound.cache)
        engine = open_engine(recipe.answer.engine, folder, seed=recipe.seed)
        return cls(engine, template_for(folder), retriever, settings)

    def room(self, prompt: str) -> int:
        """Return how many tokens the context has left after a prompt.

        Raises DialogueTooLongError if there are none.
        """
        most = min(self.settings.context_tokens, self.settings.engine.context_tokens)
        tokens = self.engine.tokenizer.count(prompt)
        if tokens >= most:
            raise DialogueTooLongError(
                f"the messages have {tokens} tokens, and the context has {most} with the answer",
                where="messages",
                remedy="send fewer or shorter messages",
            )
        return most - tokens


def _reopened(bound: Run, trust: bool) -> OpenRun:
    return OpenRun(bound, trust=trust)


def open_run(folder: str | Path | None = None, *, trust: bool = False) -> OpenRun:
    """Open the run in `folder`; None opens the newest run under `runs/` that has an index.

    Nothing heavy is loaded before the first question. If the recipe is offline, environment
    variables that keep the Hugging Face libraries offline stay set in this process. With `trust`
    the files of index and model are not checked before they are loaded.

    Raises UserError if there is no run, or if its recipe has mistakes.
    """
    from kofinlaw.recipes.pipeline.run import reopen

    found = Path(folder) if folder is not None else newest_run()
    return OpenRun(_prepared(reopen(found)), trust=trust)


def newest_run(runs: Path = Path("runs")) -> Path:
    """Return the run below `runs` whose recipe was written last.

    Runs with an index come first, because a run without one cannot answer. Raises UserError if
    there is no run.
    """
    found = [path.parent for path in runs.glob("*/recipe.yaml")]
    if not found:
        raise UserError(
            "there is no run yet",
            where=f"{runs}/",
            remedy="run `kofinlaw run quickstart` to make one",
        )
    return max(
        found,
        key=lambda run: ((run / "index").is_dir(), (run / "recipe.yaml").stat().st_mtime),
    )


def run_recipe(
    recipe: str | Path,
    *,
    overrides: Mapping[str, object] | None = None,
    runs: str | Path = "runs",
    folder: str | Path | None = None,
    resume: ResumeMode = "if-possible",
    until: str | None = None,
    trust: bool = False,
    say: Callable[[str], None] = print,
) -> OpenRun:
    """Run every stage of a recipe: documents to a trained, merged, proven model and a report.

    Args:
        recipe: A recipe file, or the name of a shipped recipe (`quickstart`).
        overrides: Recipe keys with other values, as `--set` on the command line:
            `{"train.max_steps": 20}`.
        runs: The folder that holds the runs; the run is written to `runs/<recipe's name>`.
        folder: The run's folder, instead of `runs/<recipe's name>`.
        resume: What to do with finished and unfinished work: `if-possible` continues where the
            inputs match and starts again where they do not, `always` refuses to replace work of
            other inputs, `never` starts again.
        until: Stop after this stage; None runs all of them.
        trust: Do not check that the files of finished stages are unchanged.
        say: Called with one line of text for each stage.

    Returns the run, opened. Stages that are complete are skipped.

    A run that trains or answers is checked first, as `kofinlaw plan` does: weights, packages,
    documents, examples.

    Raises UserError for a mistake in the recipe or its inputs, and StageFailed for a fault of
    kofinlaw (its log path is in the error).
    """
    import json

    from kofinlaw.models.machines import this_machine
    from kofinlaw.recipes.pipeline.execution import check_stage, execute_stages
    from kofinlaw.recipes.pipeline.planning.start_checks import loads_a_model, require_start
    from kofinlaw.recipes.pipeline.run import bind
    from kofinlaw.recipes.pipeline.schema import load_recipe
    from kofinlaw.recipes.pipeline.stages import build_stages

    if resume not in get_args(ResumeMode):
        raise UserError(
            f"unknown resume mode {resume!r}",
            where="resume",
            remedy=f"use one of {', '.join(get_args(ResumeMode))}",
        )
    settings = [
        f"{key}={json.dumps(value, default=str)}" for key, value in (overrides or {}).items()
    ]
    bound = _prepared(bind(*load_recipe(str(recipe), settings), Path(runs)))
    if folder is not None:
        bound = replace(bound, folder=Path(folder).resolve())
    only = None
    if until is not None:
        stages = build_stages(bound, resume)
        check_stage(stages, until, "until")
        names = [stage.name for stage in stages]
        only = names[: names.index(until) + 1]
    if loads_a_model(bound, only):
        require_start(bound, this_machine(), say, resume=resume)
    execute_stages(bound, resume, only=only, trust=trust, say=say)
    return OpenRun(bound, trust=trust)


def _prepared(bound: Run) -> Run:
    """Tell the libraries that they are offline, before any of them is imported."""
    from kofinlaw.offline import set_environment

    if bound.recipe.offline:
        set_environment()
    return bound
