"""Rubrics in openevals' form: a prompt with its places, the scores allowed, optional reasoning.

A rubric is a Markdown file with YAML in front: `version`, `choices` (worst first) and `reasoning`;
its text holds `{inputs}`, `{outputs}` and, where a gold answer is shown, `{reference_outputs}`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import sha256_text

SHIPPED = ("correctness", "helpfulness", "pairwise")
PLACES = ("inputs", "outputs", "reference_outputs", "other_outputs")
REASONING_CHARACTERS = 160
_FRONT = re.compile(r"\A---\n(?P<front>.*?)\n---\n(?P<text>.*)\Z", re.DOTALL)
_PLACE = re.compile(r"\{(" + "|".join(PLACES) + r")\}")


@dataclass(frozen=True, slots=True)
class Rubric:
    """One criterion: `choices` are the scores a verdict may have, numbers worst first, or the
    names of sides for a comparison."""

    name: str
    version: str
    text: str
    choices: tuple[Any, ...]
    reasoning: bool
    sha256: str

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of a verdict, the same keys openevals uses: `reasoning`, then `score`."""
        score: dict[str, Any] = {"enum": list(self.choices)}
        score["type"] = "string" if isinstance(self.choices[0], str) else "number"
        fields: dict[str, Any] = {"score": score}
        if self.reasoning:
            fields = {
                "reasoning": {"type": "string", "maxLength": REASONING_CHARACTERS},
                "score": score,
            }
        return {
            "type": "object",
            "properties": fields,
            "required": list(fields),
            "additionalProperties": False,
        }

    def prompt(self, **given: str) -> str:
        """The text with its places filled in one pass: braces inside an answer stay as they are,
        and its angle brackets cannot close the block it stands in."""

        def put(match: re.Match[str]) -> str:
            return given.get(match.group(1), "").replace("<", "‹").replace(">", "›").strip()

        return _PLACE.sub(put, self.text).strip()

    def unit(self, score: float) -> float:
        """A numeric score on 0..1, worst choice 0 and best 1."""
        low, high = float(self.choices[0]), float(self.choices[-1])
        return (float(score) - low) / (high - low)


def read_rubric(name: str, *, reasoning: bool | None = None) -> Rubric:
    """A shipped rubric by its name, or a file by its path; `reasoning` overrides the file's.

    Raises UserError for an unknown name or a file that is no rubric.
    """
    import yaml

    if name in SHIPPED:
        raw = files("kofinlaw.scoring.judge").joinpath("prompts", f"{name}.md").read_text("utf-8")
    else:
        try:
            raw = Path(name).read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"no rubric {name!r}",
                where="judge.criteria",
                remedy=f"name {', '.join(SHIPPED[:2])}, or a Markdown file with choices in front",
            ) from error
    match = _FRONT.match(raw)
    loaded = yaml.safe_load(match.group("front")) if match else None
    front = loaded if isinstance(loaded, dict) else {}
    choices = front.get("choices")
    if match is None or not isinstance(choices, list) or len(choices) < 2:
        raise UserError(
            "a rubric begins with `---`, `version`, `choices: [worst, …, best]`, `---`", where=name
        )
    numbers = all(isinstance(c, (int, float)) and not isinstance(c, bool) for c in choices)
    if not (numbers or all(isinstance(c, str) for c in choices)):
        raise UserError("choices are all numbers or all texts", where=name)
    if numbers and list(choices) != sorted(set(choices)):
        raise UserError("number choices rise from worst to best", where=name)
    text = match.group("text")
    if "{outputs}" not in text:
        raise UserError("the rubric does not show the answer: {outputs} is missing", where=name)
    return Rubric(
        name=Path(name).stem,
        version=str(front.get("version", "")),
        text=text,
        choices=tuple(choices),
        reasoning=bool(front.get("reasoning", True)) if reasoning is None else reasoning,
        sha256=sha256_text(raw),
    )


def read_verdict(text: str, rubric: Rubric) -> tuple[Any, str] | None:
    """(score, reasoning) of a judge's words; None where they are no verdict by this rubric.

    The first JSON object in the text counts; a score that is not among the choices is none.
    """
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return None
    if not isinstance(value, dict) or isinstance(value.get("score"), bool):
        return None
    score = value.get("score")
    if isinstance(score, str) and not isinstance(rubric.choices[0], str):
        try:
            score = float(score)
        except ValueError:
            return None
    if score not in rubric.choices:
        return None
    return score, str(value.get("reasoning") or "")
