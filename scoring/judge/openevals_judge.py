"""openevals with a local model: its evaluators, our engines, our rubrics (extra `openevals`)."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from kofinlaw import UserError
from kofinlaw.models.engines.base import Engine, Request
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.scoring.judge.rubrics import Rubric


class EngineClient:
    """An engine in the form openevals expects of a client: `chat.completions.create(...)`.

    With engine `openai` this is the local OpenAI-compatible server; any other engine that writes
    constrained JSON does as well. Nothing leaves the machine.
    """

    def __init__(self, engine: Engine, template: ChatTemplate, *, max_tokens: int = 220) -> None:
        self._engine = engine
        self._template = template
        self._max_tokens = max_tokens
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))

    def _create(
        self,
        *,
        messages: list[dict[str, Any]],
        model: str = "",
        response_format: dict[str, Any] | None = None,
        **ignored: Any,
    ) -> Any:
        schema = (response_format or {}).get("json_schema") or {}
        request = Request(
            self._template.render(messages, add_generation_prompt=True),
            max_tokens=self._max_tokens,
            stop=(self._template.stop,),
            json_schema=schema.get("schema"),
        )
        (answer,) = self._engine.generate([request])
        if answer.finish == "error":
            raise UserError("the judge gave no verdict in the form asked for", where=model)
        message = SimpleNamespace(role="assistant", content=answer.text)
        return SimpleNamespace(choices=[SimpleNamespace(message=message)], model=model)


def openevals_judge(
    rubric: Rubric, engine: Engine, template: ChatTemplate, *, model: str = "local"
) -> Callable[..., dict[str, Any]]:
    """openevals' evaluator of a rubric: call it with `inputs`, `outputs`, `reference_outputs`.

    It returns openevals' {"key", "score", "comment"}. Raises UserError where the extra is missing.
    """
    # Its own tracing would send every prompt to a service.
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

    def fill(**given: Any) -> list[dict[str, str]]:
        words = {name: str(value) for name, value in given.items() if value is not None}
        return [{"role": "user", "content": rubric.prompt(**words)}]

    return create_llm_as_judge(
        prompt=fill,
        judge=EngineClient(engine, template),
        model=model,
        feedback_key=rubric.name,
        choices=list(rubric.choices),
        use_reasoning=rubric.reasoning,
    )
