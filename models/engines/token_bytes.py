"""Map each token of a vocabulary to its bytes."""

from __future__ import annotations

import functools
import re

from kofinlaw import UserError
from kofinlaw.models.tokenizer import Tokenizer

__all__ = ["byte_characters", "token_bytes"]

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def token_bytes(tokenizer: Tokenizer) -> tuple[list[bytes], list[int]]:
    """Return the bytes of every token by id, and the ids of special tokens (with empty bytes).

    Byte-level vocabularies (GPT-2, EXAONE, Qwen) represent each byte by a character. Sentencepiece
    vocabularies with byte fallback (Gemma, SOLAR) write a space as `▁` and a byte as `<0xEA>`.

    Raises: UserError for any other kind of vocabulary.
    """
    fast = tokenizer.fast
    vocabulary = fast.get_vocab(with_added_tokens=True)
    added = fast.get_added_tokens_decoder()
    special = sorted(i for i, token in added.items() if token.special)
    kind = str(fast.decoder)
    byte_level = "ByteLevel" in kind
    if not byte_level and not any(word in kind for word in ("ByteFallback", "Metaspace")):
        raise UserError(
            "the tokens of this tokenizer cannot be mapped to bytes",
            where=str(tokenizer.folder),
            remedy="use a byte-level or sentencepiece tokenizer, or engine llamacpp",
        )
    out = [b""] * (max(vocabulary.values(), default=-1) + 1)
    table = byte_characters()
    for text, number in vocabulary.items():
        if number in added:
            out[number] = b"" if added[number].special else text.encode("utf-8")
        elif byte_level:
            out[number] = bytes(table[character] for character in text)
        elif match := _BYTE.fullmatch(text):
            out[number] = bytes([int(match[1], 16)])
        else:
            out[number] = text.replace("▁", " ").encode("utf-8")
    return out, special


@functools.cache
def byte_characters() -> dict[str, int]:
    """Return the byte that each character of a byte-level vocabulary represents.

    This is GPT-2's table (openai/gpt-2, encoder.py): printable Latin-1 characters represent their
    own byte; the characters from U+0100 on represent the other bytes, in order.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {chr(byte): byte for byte in printable}
    others = [byte for byte in range(256) if byte not in printable]
    return table | {chr(0x100 + n): byte for n, byte in enumerate(others)}
