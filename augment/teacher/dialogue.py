"""How a teacher is addressed: as a chat model by its template, or as a base model by examples."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError
from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.teacher.prompt_files import Prompt, read_prompt
from kofinlaw.augment.teacher.tasks import Field, Source, Task
from kofinlaw.models.engines.base import Engine, Request

REANSWER = Task("reanswer", (Field("answer", "claim", 1, 200),), (("{question}", "{answer}"),))
VERDICTS = ("예", "아니요")
_CHAT_NAME = re.compile(r"instruct|chat|[-_]it\b|exaone-[34]|hyperclova|kanana|a\.x-4", re.I)


@dataclass(frozen=True)
class Voice:
    """A teacher's requests: prompt text as the model reads it, stops, sampling, constraint.

    `name` tells teachers apart whose answers may differ.
    """

    name: str
    settings: TeacherSettings
    seed: int
    engine: Callable[[], Engine]
    render: Callable[[str], str]
    stop: tuple[str, ...]

    def write(self, task: Task, prompt: Prompt, source: Source) -> Request:
        """A request for one output of a task."""
        text = prompt.filled(
            title=source.title,
            place=source.place,
            passage=source.passage,
            question=source.question,
            answer=source.answer,
        )
        return self._request(text, task.schema, min(self.settings.max_tokens, task.longest))

    def answer(self, question: str, source: Source) -> Request:
        """The question once more, with the passage alone."""
        text = read_prompt("reanswer").filled(passage=source.passage, question=question)
        return self._request(text, REANSWER.schema, min(self.settings.max_tokens, 200))

    def judge(self, question: str, answer: str, source: Source) -> Request:
        """예 or 아니요: is the answer right for the passage?"""
        text = read_prompt("judge").filled(passage=source.passage, question=question, answer=answer)
        return Request(
            self.render(text), max_tokens=4, choices=VERDICTS, seed=self.seed, logprob=False
        )

    def _request(self, text: str, schema: dict[str, Any], tokens: int) -> Request:
        return Request(
            self.render(text),
            max_tokens=tokens,
            stop=self.stop,
            temperature=self.settings.temperature,
            seed=self.seed,
            json_schema=schema,
            logprob=False,
        )


def speaks_chat(settings: TeacherSettings) -> bool:
    """Whether a teacher is asked through its chat template, by the setting or by its name."""
    if settings.prompting != "auto":
        return settings.prompting == "chat"
    return bool(_CHAT_NAME.search(settings.model.id))


def open_voice(settings: TeacherSettings, seed: int, progress: Progress) -> Voice:
    """The teacher's voice; its weights are loaded when `Voice.engine` is called.

    Raises UserError where the model's folder is needed and not here.
    """
    folder, bos, render = _prepare(settings, progress)

    def engine() -> Engine:
        from kofinlaw.models.engines.factory import open_engine

        return open_engine(settings.engine, folder, seed=seed)

    name = _name(settings, folder)
    if render is not None:
        return Voice(name, settings, seed, engine, render, ())
    return Voice(name, settings, seed, engine, lambda text: f"{bos}{text}", ("\n\n", "\n조문:"))


def _name(settings: TeacherSettings, folder: Path | None) -> str:
    """What decides an answer besides the request: the model's files, what runs them, and how."""
    from kofinlaw.models.identity import model_fingerprint

    model, engine = settings.model, settings.engine
    parts = [f"{model.id}@{model.revision or 'local'}"]
    parts += [model_fingerprint(folder, engine.gguf)[:16]] if folder else []
    parts += [engine.served_model] if engine.served_model else []
    return " ".join([*parts, engine.engine, engine.quantization, engine.dtype])


def _prepare(
    settings: TeacherSettings, progress: Progress
) -> tuple[Path | None, str, Callable[[str], str] | None]:
    """(the model's folder, the text that begins a prompt, the chat template's rendering or None).

    Engines add no special tokens of their own, and without its first token a base model babbles; a
    server adds it itself.
    """
    served = settings.engine.engine in ("dummy", "openai")
    chat = speaks_chat(settings)
    if served and not (chat and settings.model.path):
        # An engine without a model answers any prompt; a served chat model must get its own form.
        if chat and (settings.engine.engine == "openai" or settings.prompting == "chat"):
            raise UserError(
                "a served chat model needs its template",
                where="augment.teacher.model.path",
                remedy="name the folder with its tokenizer and template, or use "
                "`prompting: completion`",
            )
        return None, "", None
    from kofinlaw.models.resolve import model_folder
    from kofinlaw.models.templates import template_for

    folder = model_folder(settings.model, progress=progress)
    template = template_for(folder)
    if not chat:
        return folder, template.bos, None

    def render(text: str) -> str:
        return template.render([{"role": "user", "content": text}], add_generation_prompt=True)

    return folder, "", render
