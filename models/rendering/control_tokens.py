"""Keep texts of users apart from control tokens, such as `<end_of_turn>`, in one string.

A prompt is one string with the control tokens of the chat template and with texts of users. A text
that holds what might be a control token is put between two marks. `MarkedEncoder` reads the marks
and encodes what lies between them as plain characters. The marks are Unicode noncharacters, which
no document may hold.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.decoding import without_surrogates
from kofinlaw.models.folder_checks import read_config
from kofinlaw.results import JsonValue

if TYPE_CHECKING:
    import tokenizers

__all__ = [
    "ANY",
    "CLOSE",
    "OPEN",
    "ControlTokens",
    "MarkedEncoder",
    "as_text",
    "broken_text",
    "control_tokens",
    "has_marks",
    "own_template",
    "token_text",
    "without_marks",
]

OPEN, CLOSE = "\ufdd0", "\ufdd1"
# Forms of control tokens, for a tokenizer that is not known.
_USUAL = re.compile(
    r"<\|[^|\s]{1,48}\|>|\[\|[^|\s]{1,48}\|\]|</?[A-Za-z_][A-Za-z0-9_]{0,32}>|<｜[^\s<>]{1,48}｜>"
    r"|\[/?[A-Z_]{2,16}\]|<<?/?[A-Z]{2,16}>?>"
)
_REASONING = ("<think>", "</think>")  # answers may hold them, where they are not special


class ControlTokens:
    """The texts of a tokenizer's control tokens. Without any, texts of the usual forms count."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts = tuple(dict.fromkeys(texts))
        self._known = frozenset(self.texts)
        self._lengths = sorted({len(text) for text in self.texts})
        # Thousands of tokens begin with few pairs of characters, which few texts hold.
        heads = sorted({re.escape(text[:2]) for text in self.texts})
        self._heads = re.compile("|".join(heads)) if heads else _USUAL

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ControlTokens) and self.texts == other.texts

    def __hash__(self) -> int:
        return hash(self.texts)

    def __repr__(self) -> str:
        return f"ControlTokens({len(self.texts)})"

    def occur_in(self, text: str) -> bool:
        """Return whether a text holds a control token, also one in other forms of its letters."""
        if self._found(text):
            return True
        if text.isascii() or unicodedata.is_normalized("NFKC", text):
            return False
        return self._found(unicodedata.normalize("NFKC", text))

    def first_of(self, text: str) -> str:
        """Return the control token that a text begins with; empty if there is none."""
        if not self.texts:
            found = _USUAL.match(text)
            return found[0] if found else ""
        lengths = (n for n in reversed(self._lengths) if text[:n] in self._known)
        return text[: next(lengths, 0)]

    def _found(self, text: str) -> bool:
        if not self.texts:
            return _USUAL.search(text) is not None
        for head in self._heads.finditer(text):
            start = head.start()
            for length in self._lengths:
                if text[start : start + length] in self._known:
                    return True
        return False


ANY = ControlTokens()


def as_text(text: str, controls: ControlTokens = ANY) -> str:
    """Return a text in marks if it holds a control token, else unchanged.

    White space at both ends stays outside of the marks, because templates cut it off.
    """
    if has_marks(text):
        text = without_marks(text)
    core = text.strip()
    if not core or not controls.occur_in(core):
        return text
    start = text.index(core)
    return f"{text[:start]}{OPEN}{core}{CLOSE}{text[start + len(core) :]}"


def has_marks(text: str) -> bool:
    """Return whether a text holds marks."""
    return OPEN in text or CLOSE in text


def without_marks(text: str) -> str:
    """Return a text without marks."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def broken_text(text: str) -> str:
    """Return a text without marks for a server whose tokenizer is not known.

    Between the marks, a zero-width space follows the first character of what has the form of a
    control token.
    """
    parts = re.split(f"({OPEN}[^{CLOSE}]*{CLOSE}?)", text)
    return without_marks(
        "".join(
            _USUAL.sub(lambda found: f"{found[0][0]}\u200b{found[0][1:]}", part)
            if part.startswith(OPEN)
            else part
            for part in parts
        )
    )


class MarkedEncoder:
    """Encode texts with marks: what lies between marks never becomes a control token.

    A second tokenizer is made when it is first needed (some seconds). In it the control tokens have
    other names, so that their texts are plain characters.
    """

    def __init__(self, fast: tokenizers.Tokenizer, controls: Iterable[str]) -> None:
        self._fast = fast
        ids = ((fast.token_to_id(text), text) for text in controls)
        self._names = {number: text for number, text in ids if number is not None}
        self._twin: tokenizers.Tokenizer | None = None

    def encode(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Return token ids, and each token's (start, end) in characters of the marked text."""
        bare, origin, plain = _read_marks(text)
        encoding = self._fast.encode(bare, add_special_tokens=False)
        hits = [
            (start, end, number)
            for number, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)
            if number in self._names and _same(bare[start:end], self._names[number])
        ]
        inside = [any(s < end and start < e for s, e in plain) for start, end, _ in hits]
        if not any(inside):
            return encoding.ids, [_moved(span, origin) for span in encoding.offsets]
        parts, places, position = [], [], 0
        for (start, end, number), is_text in zip(hits, inside, strict=True):
            if is_text or start < position:
                continue
            parts += [bare[position:start], _alias(number)]
            places += [(at, at + 1) for at in range(position, start)]
            places += [(start, end)] * len(_alias(number))
            position = end
        parts.append(bare[position:])
        places += [(at, at + 1) for at in range(position, len(bare))]
        if self._twin is None:
            self._twin = _twin_of(self._fast, self._names)
        encoding = self._twin.encode("".join(parts), add_special_tokens=False)
        spans = [
            _moved((places[start][0], places[end - 1][1]) if end > start else (0, 0), origin)
            for start, end in encoding.offsets
        ]
        return encoding.ids, spans


def _read_marks(text: str) -> tuple[str, list[int], list[tuple[int, int]]]:
    """Return the text without marks, the place of each of its characters, and the plain spans.

    A text may be cut: a mark without its partner is the end of a span that begins with the text, or
    the start of one that ends with it.
    """
    characters: list[str] = []
    origin: list[int] = []
    spans: list[tuple[int, int]] = []
    start: int | None = None
    for place, character in enumerate(text):
        if character == OPEN:
            start = len(characters)
        elif character == CLOSE:
            if start is not None or not spans:
                spans.append((start or 0, len(characters)))
            start = None
        else:
            characters.append(character)
            origin.append(place)
    if start is not None:
        spans.append((start, len(characters)))
    return "".join(characters), origin, spans


def _moved(span: tuple[int, int], origin: list[int]) -> tuple[int, int]:
    start, end = span
    if end <= start:
        return (origin[start], origin[start]) if start < len(origin) else (0, 0)
    return origin[start], origin[end - 1] + 1


def _same(found: str, name: str) -> bool:
    """Return whether a text is a control token's, not an unknown character with its id."""
    one, other = (unicodedata.normalize("NFKC", text).strip().casefold() for text in (found, name))
    return one == other


def _alias(number: int) -> str:
    return f"\ufdd2{number}\ufdd2"


def _twin_of(fast: tokenizers.Tokenizer, names: dict[int, str]) -> tokenizers.Tokenizer:
    """Return a tokenizer with the same ids, in which the control tokens are called `_alias(id)`."""
    aliases = {text: _alias(number) for number, text in names.items()}
    value = json.loads(fast.to_str())
    listed = set()
    for token in value["added_tokens"]:
        if token["content"] in aliases:
            listed.add(token["content"])
            token["content"] = aliases[token["content"]]
            token |= {"normalized": False, "lstrip": False, "rstrip": False, "single_word": False}
    for number, text in sorted(names.items()):
        if text not in listed:
            flags = dict.fromkeys(("normalized", "lstrip", "rstrip", "single_word"), False)
            entry = {"id": number, "content": aliases[text], "special": True, **flags}
            value["added_tokens"].append(entry)
    model = value["model"]
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, dict):
        model["vocab"] = {aliases.get(text, text): number for text, number in vocabulary.items()}
    elif isinstance(vocabulary, list):
        model["vocab"] = [[aliases.get(text, text), score] for text, score in vocabulary]
    if "merges" in model:
        pairs = ((m, m.split(" ") if isinstance(m, str) else m) for m in model["merges"])
        model["merges"] = [
            merge
            for merge, (left, right) in pairs
            if not {left, right, left + right} & aliases.keys()
        ]
    if model.get("unk_token") in aliases:
        model["unk_token"] = aliases[model["unk_token"]]
    value["post_processor"] = None
    try:
        return type(fast).from_str(json.dumps(value))
    except Exception as error:
        raise UserError(
            f"the text of a control token cannot be encoded with this tokenizer: {error}",
            remedy=f"remove them from questions and documents: {', '.join([*aliases][:3])} …",
        ) from error


def own_template(folder: Path) -> str | None:
    """Return the source of a model folder's own chat template, or None.

    It is `chat_template.jinja`, else `chat_template` in `tokenizer_config.json`.
    """
    file = folder / "chat_template.jinja"
    if file.exists():
        return file.read_text(encoding="utf-8-sig")
    own = read_config(folder / "tokenizer_config.json").get("chat_template")
    if isinstance(own, list):
        named = {item["name"]: item["template"] for item in own if isinstance(item, dict)}
        own = named.get("default")
    return without_surrogates(own) if isinstance(own, str) else None


def control_tokens(folder: Path) -> ControlTokens:
    """Return the control tokens of a model folder's tokenizer.

    They are its special tokens, those that `tokenizer_config.json` names (`eos_token` …), and added
    tokens that the folder's own template writes. `ANY` if there is no readable tokenizer.json.
    """
    file = folder / "tokenizer.json"
    try:
        state = file.stat()
    except OSError:
        return ANY
    config = read_config(folder / "tokenizer_config.json")
    named = [token_text(value) for key, value in config.items() if key.endswith("_token")]
    source = own_template(folder) or ""
    added = _added_tokens(file, state.st_mtime_ns, state.st_size)
    special = [text for text, is_special in added if is_special]
    written = [
        text
        for text, is_special in added
        if not is_special and len(text) > 2 and text in source and text not in _REASONING
    ]
    found = [text for text in (*special, *named, *written) if text.strip()]
    return _controls(tuple(found))


@functools.lru_cache(8)
def _controls(texts: tuple[str, ...]) -> ControlTokens:
    return ControlTokens(texts)


@functools.lru_cache(8)
def _added_tokens(file: Path, changed: int, size: int) -> tuple[tuple[str, bool], ...]:
    """Return text and `special` of each added token, without reading the vocabulary.

    `changed` and `size` only separate the cached answers.
    """
    text = file.read_text(encoding="utf-8", errors="replace")
    start = text.find('"added_tokens"')
    try:
        tokens, _ = (
            json.JSONDecoder().raw_decode(text, text.index("[", start)) if start >= 0 else ([], 0)
        )
        return tuple((str(one["content"]), bool(one["special"])) for one in tokens)
    except (ValueError, KeyError, TypeError):
        return ()  # the tokenizer's own reader names the damage


def token_text(value: JsonValue) -> str:
    """Return the text of a token, which tokenizer_config.json gives as text or as an object."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""
