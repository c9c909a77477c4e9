"""Read rubrics in openevals' form and the verdicts that follow them.

A rubric is a Markdown file with YAML front matter: `version`, `choices` (worst first) and
`reasoning`. Its text has the placeholders `{inputs}`, `{outputs}` and, if a gold answer is shown,
`{reference_outputs}`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.plain_yaml import load_yaml
from kofinlaw.decoding import clean_text
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import sha256_text

__all__ = [
    "PLACEHOLDERS",
    "REASONING_CHARACTERS",
    "SHIPPED",
    "Choice",
    "Rubric",
    "read_rubric",
    "read_verdict",
]

SHIPPED = ("correctness", "helpfulness", "pairwise")
PLACEHOLDERS = ("inputs", "outputs", "reference_outputs", "other_outputs")
Choice = int | float | str
REASONING_CHARACTERS = 160
_FRONT = re.compile(r"\A---\n(?P<front>.*?)\n---\n(?P<text>.*)", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")


@dataclass(frozen=True, slots=True)
class Rubric:
    """One criterion.

    `choices` are the scores that a verdict may have: numbers, worst first, or, for a comparison of
    two answers, the names of the sides.
    """

    name: str
    version: str
    text: str
    choices: tuple[Choice, ...]
    reasoning: bool
    sha256: str

    @property
    def schema(self) -> dict[str, object]:
        """JSON Schema of a verdict, with the keys of openevals: `reasoning`, then `score`."""
        kind = "string" if isinstance(self.choices[0], str) else "number"
        fields: dict[str, object] = {}
        if self.reasoning:
            fields["reasoning"] = {"type": "string", "maxLength": REASONING_CHARACTERS}
        fields["score"] = {"enum": list(self.choices), "type": kind}
        return {
            "type": "object",
            "properties": fields,
            "required": list(fields),
            "additionalProperties": False,
        }

    def prompt(self, **given: str) -> str:
        """Return the text with its placeholders filled, in one pass.

        Braces inside an answer stay unchanged. Its angle brackets are replaced, so that an answer
        cannot close the block that contains it.
        """

        def value(match: re.Match[str]) -> str:
            return given.get(match.group(1), "").replace("<", "‹").replace(">", "›").strip()

        return _PLACEHOLDER.sub(value, self.text).strip()

    def unit(self, score: float) -> float:
        """Return a numeric score scaled to 0..1: the worst choice is 0, the best 1."""
        low, high = float(self.choices[0]), float(self.choices[-1])
        return (float(score) - low) / (high - low)


def read_rubric(name: str, *, reasoning: bool | None = None) -> Rubric:
    """Read a shipped rubric by its name, or a file by its path.

    `reasoning` overrides the rubric's own setting. Raises UserError for an unknown name or a file
    that is not a rubric.
    """
    import yaml

    if name in SHIPPED:
        raw = files("kofinlaw.scoring.judge").joinpath("prompts", f"{name}.md").read_text("utf-8")
    else:
        try:
            raw = clean_text(Path(name).read_text(encoding="utf-8"))
        except OSError as error:
            raise_if_machine(error, name)
            raise UserError(
                f"no rubric {name!r}",
                where="judge.criteria",
                remedy=f"name {', '.join(SHIPPED[:2])}, or a Markdown file with `choices`",
            ) from error
    match = _FRONT.match(raw)
    try:
        loaded = load_yaml(match.group("front")) if match else None
    except yaml.YAMLError as error:
        raise UserError(
            f"the head of the rubric is not YAML: {getattr(error, 'problem', None) or error}",
            where=name,
            remedy="write `version` and `choices: [worst, …, best]` between the two `---`",
        ) from error
    front = loaded if isinstance(loaded, dict) else {}
    choices = front.get("choices")
    if match is None or not isinstance(choices, list) or len(choices) < 2:
        raise UserError(
            "a rubric begins with `---`, `version`, `choices: [worst, …, best]`, `---`", where=name
        )
    numbers = all(isinstance(c, (int, float)) and not isinstance(c, bool) for c in choices)
    if not (numbers or all(isinstance(c, str) for c in choices)):
        raise UserError("the choices must be all numbers or all texts", where=name)
    if numbers and list(choices) != sorted(set(choices)):
        raise UserError("numeric choices must rise from worst to best", where=name)
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


def read_verdict(text: str, rubric: Rubric) -> tuple[Choice, str] | None:
    """Return (score, reasoning) of a judge's text; None if it is not a verdict by the rubric.

    The first JSON object in the text counts. Its score must be one of the choices.
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
