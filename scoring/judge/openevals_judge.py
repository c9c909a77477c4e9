"""Run openevals' evaluators with a local engine and our rubrics (extra `openevals`)."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import TypedDict

from kofinlaw import UserError
from kofinlaw.models.engines.base import Engine, Request
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.scoring.judge.rubrics import Rubric

__all__ = ["EngineClient", "JsonSchema", "ResponseFormat", "openevals_judge"]


class JsonSchema(TypedDict, total=False):
    """The schema inside a response format."""

    schema: dict[str, object]


class ResponseFormat(TypedDict, total=False):
    """The response format of an OpenAI client."""

    json_schema: JsonSchema


class EngineClient:
    """An engine with the interface of an OpenAI client: `chat.completions.create(...)`.

    Any engine that supports JSON schemas works; with engine `openai` it is the local
    OpenAI-compatible server. Nothing leaves the machine.
    """

    def __init__(self, engine: Engine, template: ChatTemplate, *, max_tokens: int = 220) -> None:
        self._engine = engine
        self._template = template
        self._max_tokens = max_tokens
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))

    def _create(
        self,
        *,
        messages: list[dict[str, str]],
        model: str = "",
        response_format: ResponseFormat | None = None,
        **ignored: object,
    ) -> SimpleNamespace:
        schema = (response_format or {}).get("json_schema") or {}
        request = Request(
            self._template.render(messages, add_generation_prompt=True),
            max_tokens=self._max_tokens,
            stop=(self._template.stop,),
            json_schema=schema.get("schema"),
        )
        (answer,) = self._engine.generate([request])
        if answer.finish == "error":
            raise UserError("the judge gave no verdict in the requested form", where=model)
        message = SimpleNamespace(role="assistant", content=answer.text)
        return SimpleNamespace(choices=[SimpleNamespace(message=message)], model=model)


def openevals_judge(
    rubric: Rubric, engine: Engine, template: ChatTemplate, *, model: str = "local"
) -> Callable[..., dict[str, object]]:
    """Return openevals' evaluator of a rubric.

    Call it with `inputs`, `outputs` and `reference_outputs`; it returns openevals' {"key", "score",
    "comment"}. Raises UserError if the extra is not installed.
    """
    # The tracing of LangSmith would send every prompt to a service.
    os.environ["LANGSMITH_TRACING"] = "false"
    os.environ["LANGCHAIN_TRACING_V2"] = "false"
    try:
        from openevals.llm import create_llm_as_judge
    except ImportError as error:
        raise UserError(
            "openevals is not installed",
            where="judge",
            remedy='pip install "kofinlaw[openevals]"; the judge of `score` needs no extra',
        ) from error

    def fill(**given: object) -> list[dict[str, str]]:
        texts = {name: str(value) for name, value in given.items() if value is not None}
        return [{"role": "user", "content": rubric.prompt(**texts)}]

    return create_llm_as_judge(
        prompt=fill,
        judge=EngineClient(engine, template),
        model=model,
        feedback_key=rubric.name,
        choices=list(rubric.choices),
        use_reasoning=rubric.reasoning,
    )
