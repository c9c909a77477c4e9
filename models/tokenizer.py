"""Read a model folder's `tokenizer.json` and convert between text and token ids, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.errors import raise_if_machine
from kofinlaw.models.folder_checks import read_config
from kofinlaw.models.rendering.control_tokens import (
    MarkedEncoder,
    as_text,
    control_tokens,
    has_marks,
)

if TYPE_CHECKING:
    import tokenizers

__all__ = ["ANCHOR_CHARACTERS", "Tokenizer", "load_tokenizer"]

# Characters at the end of a prompt that decide how the text after it is tokenized. No token is
# longer than this.
ANCHOR_CHARACTERS = 40


class Tokenizer:
    """The tokenizer of a model folder, through the `tokenizers` library alone.

    It loads in 0.7 s; AutoTokenizer imports torch and takes ten times as long. It never adds
    special tokens, because rendered chat text already contains them. What lies between the marks of
    `control_tokens.as_text` never becomes a control token.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer as FastTokenizer

        file = folder / "tokenizer.json"
        if not file.exists():
            raise UserError(
                "the model folder has no tokenizer.json",
                where=str(folder),
                remedy="copy the repository's fast tokenizer (tokenizer.json) into this folder",
            )
        try:
            self.fast: tokenizers.Tokenizer = FastTokenizer.from_file(str(file))
        except Exception as error:
            raise_if_machine(error, file)
            raise UserError(f"broken tokenizer.json: {error}", where=str(file)) from error
        self.fast.no_padding()
        self.fast.no_truncation()
        self.folder = folder
        self._config = read_config(folder / "tokenizer_config.json")
        self._controls = control_tokens(folder)
        self._marked = MarkedEncoder(self.fast, self._controls.texts)

    def plain(self, text: str) -> str:
        """Return a text of a user so that no control token in it becomes one."""
        return as_text(text, self._controls)

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text; special tokens are not added."""
        if has_marks(text):
            return self._marked.encode(text)[0]
        return self.fast.encode(text, add_special_tokens=False).ids

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of several texts, in order."""
        if any(map(has_marks, texts)):
            return [self.encode(text) for text in texts]
        return [e.ids for e in self.fast.encode_batch(list(texts), add_special_tokens=False)]

    def offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the token ids and each token's (start, end) in characters of the text."""
        if has_marks(text):
            return self._marked.encode(text)
        encoding = self.fast.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """Return the text of token ids."""
        return self.fast.decode(list(ids), skip_special_tokens=skip_special_tokens)

    def count(self, text: str) -> int:
        """Return the number of tokens of a prompt or a rendered text."""
        return len(self.encode(text))

    def count_plain(self, text: str) -> int:
        """Return the number of tokens of a text of a user, for example of a document."""
        return len(self.encode(self.plain(text)))

    def continuation(self, prompt: str, text: str) -> list[int]:
        """Return the tokens of `text` right after `prompt`, as an answer has them in training.

        The end of the prompt is tokenized with and without the text, and the difference is
        returned: a sentencepiece vocabulary (SOLAR) encodes `1` after a line break differently
        from `1` at the start of a text. If prompt and text merge into one token, the tokens of the
        text alone are returned. No control token in the text becomes one.
        """
        text = self.plain(text)
        end = prompt[-ANCHOR_CHARACTERS:]
        before, after = self.encode_batch([end, end + text])
        merged = after[: len(before)] != before
        return self.encode(text) if merged else after[len(before) :]

    def id_of(self, token: str) -> int | None:
        """Return the id of one token by its text; None if the vocabulary does not contain it."""
        return self.fast.token_to_id(token)

    def is_special(self, token: int) -> bool:
        """Return whether a token id is special: end of text, start of text or a turn marker."""
        added = self.fast.get_added_tokens_decoder().get(token)
        return added is not None and added.special

    @property
    def vocabulary(self) -> int:
        """Number of vocabulary entries, added tokens included."""
        return self.fast.get_vocab_size(with_added_tokens=True)

    def special(self, name: str) -> int | None:
        """Return the id of `bos_token`, `eos_token`, `pad_token` or `unk_token`.

        The token comes from tokenizer_config.json; None if it is not set there.
        """
        value = self._config.get(name)
        if isinstance(value, dict):
            value = value.get("content")
        return self.id_of(value) if isinstance(value, str) else None


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load the tokenizer of a local model folder.

    Raises: UserError if tokenizer.json is missing or broken.
    """
    return Tokenizer(Path(folder))
