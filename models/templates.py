"""Render chat messages as the exact text that a model reads.

Templates are rendered with jinja2 alone, in the same sandbox and with the same options as in
transformers. Planning therefore needs no torch, and the text equals
`tokenizer.apply_chat_template(tokenize=False)`.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.models.catalogue import ModelCard, recognise_folder
from kofinlaw.models.folder_checks import read_config
from kofinlaw.models.rendering.control_tokens import (
    ANY,
    ControlTokens,
    as_text,
    control_tokens,
    own_template,
    token_text,
)

if TYPE_CHECKING:
    import jinja2

__all__ = ["BUILT_IN", "FOLDER", "PROBE", "ChatTemplate", "built_in_template", "template_for"]

FOLDER = Path(__file__).parent / "templates"
BUILT_IN = ("gemma", "solar", "exaone", "chatml")
PROBE = "\u241fanswer\u241f"


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A chat template with the special tokens that it uses.

    `source` is the Jinja source. `bos` and `eos` are token texts (may be empty). `name` says where
    the template comes from, and `controls` which tokens a text must not become. The rendered text
    contains the BOS token if the template writes it: tokenize it with `add_special_tokens=False`.
    """

    source: str
    bos: str = ""
    eos: str = ""
    name: str = "custom"
    controls: ControlTokens = ANY

    @property
    def sha256(self) -> str:
        """SHA-256 of the source (hexadecimal), compared in training, merging and answering."""
        return hashlib.sha256(self.source.encode("utf-8")).hexdigest()

    @property
    def stop(self) -> str:
        """Text of the token that ends the assistant's turn, for example `<end_of_turn>`.

        It is the text that the template writes right after an answer, without white space, or the
        EOS token if there is none. Raises UserError if there is no EOS token either.
        """
        text = self.render(
            [{"role": "user", "content": "?"}, {"role": "assistant", "content": PROBE}],
            add_generation_prompt=False,
        )
        stop = text.partition(PROBE)[2].strip() or self.eos
        if not stop:
            raise UserError(
                f"chat template {self.name} has no stop token",
                remedy="change the template to write the EOS token after each assistant turn",
            )
        return stop

    def render(
        self, messages: Sequence[Mapping[str, str]], *, add_generation_prompt: bool = False
    ) -> str:
        """Return the text of `messages` (each with a `role` and a `content`).

        Roles are system, user and assistant. `add_generation_prompt` adds the start of the
        assistant's turn. Contents are plain text: what looks like a control token in them is
        marked, and `Tokenizer` encodes it as text.

        Raises: UserError for an unknown role, a missing key, turns that the template refuses, and a
        template that fails or needs more than the limit of work.
        """
        from jinja2 import TemplateError

        from kofinlaw.models.rendering.template_meter import TemplateLimitError, metered_render

        for number, message in enumerate(messages, 1):
            if message.get("role") not in ("system", "user", "assistant"):
                raise UserError(
                    f"message {number} has the role {message.get('role')!r}",
                    remedy="roles are system, user and assistant",
                )
            if not isinstance(message.get("content"), str):
                raise UserError(f"message {number} has no text in `content`")
        try:
            return metered_render(
                _compiled(self.source),
                messages=[
                    {**message, "content": self.plain(message["content"])} for message in messages
                ],
                add_generation_prompt=add_generation_prompt,
                bos_token=self.bos,
                eos_token=self.eos,
            )
        except TemplateLimitError as error:
            raise UserError(
                f"chat template {self.name} is refused: {error}",
                remedy="use the template of the model's publisher, or write a simpler "
                "chat_template.jinja",
            ) from error
        except TemplateError as error:
            raise UserError(f"chat template {self.name}: {error}") from error
        except Exception as error:  # the template is a program of others
            raise UserError(
                f"chat template {self.name} fails: {type(error).__name__}: {str(error)[:200]}",
                remedy="use the template of the model's publisher",
            ) from error

    def has_rendered(self, text: str) -> bool:
        """Return whether a text is one that this template has rendered: it begins as they begin.

        They begin with the BOS token, or with another control token that the template writes first.
        Without such a token no text counts as rendered.
        """
        if self.bos:
            return text.startswith(self.bos)
        start = self.render([{"role": "user", "content": PROBE}]).partition(PROBE)[0]
        first = self.controls.first_of(start)
        return bool(first) and text.startswith(first)

    def plain(self, text: str) -> str:
        """Return a text of a user so that no control token in it becomes one.

        Most texts are returned unchanged. `control_tokens.as_text` describes the others.
        """
        return as_text(text, self.controls)


@functools.lru_cache(maxsize=32)
def _compiled(source: str) -> jinja2.Template:
    """Compile a template, without `strftime_now`, so that no text contains today's date."""
    from kofinlaw.models.rendering.template_meter import MeteredEnvironment

    return MeteredEnvironment().metered(source)


def built_in_template(name: str, *, bos: str = "", eos: str = "") -> ChatTemplate:
    """Return one of kofinlaw's templates (`BUILT_IN`), for models without a template.

    Raises: UserError for an unknown name.
    """
    if name not in BUILT_IN:
        raise UserError(
            f"no built-in chat template {name!r}", remedy=f"use one of {', '.join(BUILT_IN)}"
        )
    source = (FOLDER / f"{name}.jinja").read_text(encoding="utf-8")
    return ChatTemplate(source, bos, eos, name)


def template_for(model: Path | ModelCard) -> ChatTemplate:
    """Return the chat template of a local folder or of a catalogue entry.

    A folder's own template has priority (`chat_template.jinja`, else `chat_template` in
    `tokenizer_config.json`), then the catalogue's template of the model that the folder is
    recognised as. An unknown folder gets the `### User:` form, which needs no special token.

    Raises: UserError if tokenizer_config.json is not readable.
    """
    if isinstance(model, ModelCard):
        return built_in_template(model.template or "solar", bos=model.bos, eos=model.eos)
    config = read_config(model / "tokenizer_config.json")
    card = recognise_folder(model)
    bos, eos = token_text(config.get("bos_token")), token_text(config.get("eos_token"))
    controls = control_tokens(model)
    if (own := own_template(model)) is not None:
        return ChatTemplate(own, bos, eos, f"{model.name}'s own", controls)
    name = card.template if card is not None and card.template else "solar"
    return replace(built_in_template(name, bos=bos, eos=eos), controls=controls)
