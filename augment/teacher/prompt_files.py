"""Read the prompt files of the teacher's tasks. Each has a version and its own hash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

from kofinlaw import UserError
from kofinlaw.augment.teacher.tasks import Source
from kofinlaw.data.prompting.wording import option_lines
from kofinlaw.files import sha256_text

__all__ = ["Prompt", "read_prompt"]

_VERSION = re.compile(r"<!-- version: (\S+) -->\n")
_PLACEHOLDER = re.compile(
    r"\{(title|place|passage|question|answer|options|other_title|other_place|other_passage"
    r"|slot_a|slot_b)\}"
)


@dataclass(frozen=True)
class Prompt:
    """A prompt file: its text with placeholders (`{passage}`), its version, and a hash of both."""

    name: str
    text: str
    version: str
    sha256: str

    def fill(self, **values: str) -> str:
        """Return the text with its placeholders replaced.

        The braces of JSON examples do not change.
        """
        return _PLACEHOLDER.sub(lambda match: values[match.group(1)], self.text)

    def fill_source(self, source: Source) -> str:
        """Return the text filled with a provision, its question, options and answer.

        Of a pair, the second provision and the slot of each are filled too.
        """
        other = source.second or source
        return self.fill(
            title=source.title,
            place=source.citation,
            passage=source.passage,
            question=source.question,
            answer=source.answer,
            options=option_lines(source.options),
            other_title=other.title,
            other_place=other.citation,
            other_passage=other.passage,
            slot_a=source.answer,
            slot_b=other.answer,
        )


def read_prompt(name: str) -> Prompt:
    """Return the prompt file `augment/teacher/prompts/NAME.md`. Its first line holds its version.

    Raises UserError if the first line does not.
    """
    text = files("kofinlaw.augment.teacher").joinpath("prompts", f"{name}.md").read_text("utf-8")
    match = _VERSION.match(text)
    if match is None:
        raise UserError(
            f"the prompt {name} does not begin with its version",
            where=f"{name}.md:1",
            remedy="begin the file with `<!-- version: 1 -->`",
        )
    return Prompt(name, text[match.end() :].rstrip("\n"), match.group(1), sha256_text(text))
