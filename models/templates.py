"""Render chat messages as the exact text that a model reads.

Templates are rendered with jinja2 alone, in the same sandbox and with the same options as in
transformers. Planning therefore needs no torch, and the text equals
`tokenizer.apply_chat_template(tokenize=False)`.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.decoding import without_surrogates
from kofinlaw.models.catalogue import ModelCard, recognise_folder
from kofinlaw.models.folder_checks import read_config
from kofinlaw.results import JsonValue

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
    the template comes from. The rendered text contains the BOS token if the template writes it:
    tokenize it with `add_special_tokens=False`.
    """

    source: str
    bos: str = ""
    eos: str = ""
    name: str = "custom"

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
        assistant's turn.

        Raises: UserError for an unknown role, a missing key or turns that the template refuses.
        """
        from jinja2 import TemplateError

        for number, message in enumerate(messages, 1):
            if message.get("role") not in ("system", "user", "assistant"):
                raise UserError(
                    f"message {number} has the role {message.get('role')!r}",
                    remedy="roles are system, user and assistant",
                )
            if not isinstance(message.get("content"), str):
                raise UserError(f"message {number} has no text in `content`")
        try:
            return _compiled(self.source).render(
                messages=list(messages),
                add_generation_prompt=add_generation_prompt,
                bos_token=self.bos,
                eos_token=self.eos,
            )
        except TemplateError as error:
            raise UserError(f"chat template {self.name}: {error}") from error


@functools.lru_cache(maxsize=32)
def _compiled(source: str) -> jinja2.Template:
    """Compile a template, without `strftime_now`, so that no text contains today's date."""
    from jinja2 import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    def tojson(value: object, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.globals["raise_exception"] = raise_exception
    environment.filters["tojson"] = tojson
    return environment.from_string(source)


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
    bos, eos = _token_text(config.get("bos_token")), _token_text(config.get("eos_token"))
    file = model / "chat_template.jinja"
    if file.exists():
        return ChatTemplate(file.read_text(encoding="utf-8-sig"), bos, eos, f"{model.name}'s own")
    own = config.get("chat_template")
    if isinstance(own, list):
        named = {item["name"]: item["template"] for item in own if isinstance(item, dict)}
        own = named.get("default")
    if isinstance(own, str):
        return ChatTemplate(without_surrogates(own), bos, eos, f"{model.name}'s own")
    name = card.template if card is not None and card.template else "solar"
    return built_in_template(name, bos=bos, eos=eos)


def _token_text(value: JsonValue) -> str:
    """Return the text of a token, which the configuration gives as text or as an object."""
    if isinstance(value, dict):
        return str(value.get("content", ""))
    return value if isinstance(value, str) else ""
