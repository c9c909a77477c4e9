"""Build the requests to a teacher model: by its chat template, or by examples for a base model."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kofinlaw import Progress, UserError
from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.teacher.prompt_files import Prompt, read_prompt
from kofinlaw.augment.teacher.tasks import Field, Source, Task
from kofinlaw.data.prompting.wording import choice_candidates, option_lines
from kofinlaw.models.engines import factory
from kofinlaw.models.engines.base import Engine, Request
from kofinlaw.models.identity import model_fingerprint
from kofinlaw.models.rendering.control_tokens import ANY, as_text, control_tokens
from kofinlaw.models.resolve import model_folder
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.templates import template_for

__all__ = [
    "REANSWER",
    "VERDICTS",
    "TeacherModel",
    "open_checker",
    "open_teacher",
    "uses_chat_template",
]

REANSWER = Task("reanswer", (Field("answer", "claim", 1, 200),), (("{question}", "{answer}"),))
VERDICTS = ("예", "아니요")
_CHAT_NAME = re.compile(r"instruct|chat|[-_]it\b|exaone-[34]|hyperclova|kanana|a\.x-4", re.I)


@dataclass(frozen=True)
class TeacherModel:
    """A teacher that is not loaded yet, and how its requests are built.

    Attributes:
        name: Identifies the model and how it is run. Two teachers with different names may give
            different answers.
        settings: The recipe's section `augment.teacher`.
        seed: Seed of sampling.
        engine: Loads the model when it is called, in any process.
        render: Turns the text of a prompt into what the model reads.
        stop: Texts that end an output.
    """

    name: str
    settings: TeacherSettings
    seed: int
    engine: Callable[[], Engine]
    render: Callable[[str], str]
    stop: tuple[str, ...]

    def write_request(self, task: Task, prompt: Prompt, source: Source) -> Request:
        """Return the request for one output of a task."""
        text = prompt.fill_source(source)
        return self._request(text, task, min(self.settings.max_tokens, task.longest))

    def answer_request(self, question: str, source: Source) -> Request:
        """Return the request to answer a question from the passage alone."""
        text = read_prompt("reanswer").fill(passage=source.passage, question=question)
        return self._request(text, REANSWER, min(self.settings.max_tokens, 200))

    def judge_request(self, question: str, answer: str, source: Source) -> Request:
        """Return the request for 예 or 아니요: whether the passage supports the answer."""
        text = read_prompt("judge").fill(passage=source.passage, question=question, answer=answer)
        return Request(
            self.render(text), max_tokens=4, choices=VERDICTS, seed=self.seed, logprob=False
        )

    def pick_request(self, question: str, options: Sequence[str], source: Source) -> Request:
        """Return the request for the number of the right option, from the passages alone."""
        text = read_prompt("pick").fill(
            passage=source.text, question=question, options=option_lines(options)
        )
        labels = tuple(choice_candidates(options))
        return Request(
            self.render(text), max_tokens=4, choices=labels, seed=self.seed, logprob=False
        )

    def entailment_request(self, first: str, second: str, *, question: bool) -> Request:
        """Return the request for 예 or 아니요: whether the second text follows from the first.

        With `question`: whether every right answer to the first question answers the second.
        """
        prompt = read_prompt("same_question" if question else "entails")
        text = prompt.fill(passage=first, answer=second)
        return Request(
            self.render(text), max_tokens=4, choices=VERDICTS, seed=self.seed, logprob=False
        )

    def _request(self, text: str, task: Task, tokens: int) -> Request:
        return Request(
            self.render(text),
            max_tokens=tokens,
            stop=self.stop,
            temperature=self.settings.temperature,
            seed=self.seed,
            json_schema=task.schema,
            logprob=False,
        )


def uses_chat_template(settings: TeacherSettings) -> bool:
    """Return whether a teacher is asked by its chat template, as the setting or its name says."""
    if settings.prompting != "auto":
        return settings.prompting == "chat"
    return bool(_CHAT_NAME.search(settings.model.id))


def open_teacher(settings: TeacherSettings, seed: int, progress: Progress) -> TeacherModel:
    """Return the teacher of a recipe. Its weights are loaded when `TeacherModel.engine` is called.

    Raises UserError if the model's folder is needed and not available, or if a served chat model
    has no template.
    """
    folder, bos, render = _prepare(settings, progress)

    engine = partial(_open, settings.engine, folder, seed)
    name = _name(settings, folder)
    if render is not None:
        return TeacherModel(name, settings, seed, engine, render, ())
    stop = ("\n\n", "\n조문:")
    controls = ANY if folder is None else control_tokens(folder)

    def prompt(text: str) -> str:
        return f"{bos}{as_text(text, controls)}"

    return TeacherModel(name, settings, seed, engine, prompt, stop)


def open_checker(settings: TeacherSettings, seed: int, progress: Progress) -> TeacherModel | None:
    """Return the model that checks paraphrases; None where it is the teacher itself.

    Raises UserError as `open_teacher` does.
    """
    if settings.checker is None:
        return None
    return open_teacher(settings.model_copy(update=dict(settings.checker)), seed, progress)


def _open(settings: EngineSettings, folder: Path | None, seed: int) -> Engine:
    return factory.open_engine(settings, folder, seed=seed)


def _name(settings: TeacherSettings, folder: Path | None) -> str:
    """Return a key of the model's files and of how they are run: both decide an answer."""
    model, engine = settings.model, settings.engine
    parts = [f"{model.id}@{model.revision or 'local'}"]
    parts += [model_fingerprint(folder, engine.gguf)[:16]] if folder else []
    parts += [engine.served_model] if engine.served_model else []
    return " ".join([*parts, engine.engine, engine.quantization, engine.dtype])


def _prepare(
    settings: TeacherSettings, progress: Progress
) -> tuple[Path | None, str, Callable[[str], str] | None]:
    """Return (the model's folder, the first token of a prompt, the chat template or None).

    Engines add no special tokens, and a base model without its first token writes nonsense. A
    server adds the token itself.
    """
    served = settings.engine.engine in ("dummy", "openai")
    chat = uses_chat_template(settings)
    if served and not (chat and settings.model.path):
        # The dummy engine answers any prompt. A served chat model needs its own prompt format.
        if chat and (settings.engine.engine == "openai" or settings.prompting == "chat"):
            raise UserError(
                "a served chat model needs its template",
                where="augment.teacher.model.path",
                remedy="name the folder with its tokenizer and template, or use "
                "`prompting: completion`",
            )
        return None, "", None
    folder = model_folder(settings.model, progress=progress)
    template = template_for(folder)
    if not chat:
        return folder, template.bos, None

    def render(text: str) -> str:
        return template.render([{"role": "user", "content": text}], add_generation_prompt=True)

    return folder, "", render
