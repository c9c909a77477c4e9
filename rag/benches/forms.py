"""Define what is known of an evaluation set: forms, corpus, licence, and their sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kofinlaw.decoding import load_json
from kofinlaw.files import sha256_text
from kofinlaw.rag.questions.exam_files import Row
from kofinlaw.rag.questions.field_names import text_of_field

__all__ = [
    "BenchSet",
    "Corpus",
    "Form",
    "Groups",
    "Item",
    "Passage",
    "json_objects",
    "letter_options",
    "list_of",
    "passage_id",
    "singles",
    "slices_of_row",
    "text_in",
]

# Each inner tuple names passages of which one is enough; a question needs one of every tuple.
Groups = tuple[tuple[str, ...], ...]


class Passage(NamedTuple):
    """A passage of an evaluation set: its id in the set's corpus, its text, its title."""

    id: str
    text: str
    title: str = ""


class Item(NamedTuple):
    """A row of an evaluation set.

    `fields` are those of the exam reader: `id`, `question`, `options`, `answer` and `slices`; for
    free text `reference` and `keywords` instead of options and answer. `gold` names passages of a
    corpus, `passages` are gold passages that the row itself holds. `unread` counts further
    references that are not used.
    """

    fields: dict[str, object]
    gold: Groups = ()
    passages: tuple[Passage, ...] = ()
    unread: int = 0


@dataclass(frozen=True)
class Form:
    """One kind of file of an evaluation set.

    - `columns` must all be in the file (lower case); a set's forms are tried in their order;
    - `read` maps a row to an item; it raises ValueError with a sentence on a field that is wrong;
    - `separate_key`: the answers are in another file, one a row;
    - `unusable` says why a form that is known cannot be measured.
    """

    name: str
    columns: tuple[str, ...]
    read: Callable[[Row], Item]
    kind: Literal["choice", "free"] = "choice"
    separate_key: bool = False
    unusable: str = ""


@dataclass(frozen=True)
class Corpus:
    """The passages that a set's gold passages are in: one a row, or the pages of documents.

    `names` are the usual names of the file, searched next to the questions. With `strict` every
    gold id must be in it. `pages` means a folder of documents, whose units are `FILE p.3`.
    """

    columns: tuple[str, ...] = ()
    read: Callable[[Row], Passage] | None = None
    names: tuple[str, ...] = ()
    strict: bool = False
    pages: bool = False


@dataclass(frozen=True)
class BenchSet:
    """An evaluation set, and where its columns and its licence are published.

    `reader` is the version of its reader. `only` keeps the rows with these values, by field of the
    row (`{"domain": "finance"}`). `key_names` are usual names of a file with the answers alone.
    """

    name: str
    title: str
    license: str
    schema_from: str
    forms: tuple[Form, ...]
    reader: int = 1
    schema_day: str = "2026-11-30"
    corpora: tuple[Corpus, ...] = ()
    only: tuple[tuple[str, str], ...] = ()
    key_names: tuple[str, ...] = ()


def text_in(row: Row, name: str) -> str:
    """Return the text of a field that must not be empty; raises ValueError for an empty one."""
    text = text_of_field(row.get(name))
    if not text:
        raise ValueError(f"`{name}` is empty")
    return text


def letter_options(row: Row, letters: str) -> list[str]:
    """Return the options in columns with these letters; empty ones behind the last are left out.

    Raises ValueError for fewer than two options and for an empty one before the last.
    """
    texts = [text_of_field(row.get(letter)) for letter in letters]
    while texts and not texts[-1]:
        texts.pop()
    if len(texts) < 2:
        raise ValueError(f"fewer than two of the columns {', '.join(letters.upper())} are filled")
    if "" in texts:
        raise ValueError(f"option {letters[texts.index('')].upper()} is empty")
    return texts


def list_of(value: object, name: str) -> list[object]:
    """Return a list that a file holds as a list or as JSON text; None becomes an empty list.

    Raises ValueError for another value.
    """
    if isinstance(value, str) and value.strip()[:1] == "[":
        try:
            value = load_json(value)
        except ValueError as error:
            raise ValueError(f"`{name}` is not a JSON list: {error}") from error
    if value is None or value == "":
        return []
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"`{name}` must be a list, not {type(value).__name__}")
    return list(value)


def slices_of_row(row: Row, names: Iterable[str]) -> list[str]:
    """Return `name:value` for each of these fields that a row has."""
    return [f"{name}:{text}" for name in names if (text := text_of_field(row.get(name)))]


def passage_id(title: str, text: str) -> str:
    """Return an id of a passage without one: its title and a hash of its text.

    Equal passages have equal ids, with blanks and line ends ignored.
    """
    bare = re.sub(r"\s+", "", title + text)
    return f"{title.strip() or 'passage'}#{sha256_text(bare)[:10]}"


def json_objects(value: object, name: str) -> list[Mapping[str, object]]:
    """Return a list of objects, each of which may be JSON text; raises ValueError for others."""
    found: list[Mapping[str, object]] = []
    for item in list_of(value, name):
        if isinstance(item, str):
            try:
                item = load_json(item)
            except ValueError as error:
                raise ValueError(f"an item of `{name}` is broken JSON: {error}") from error
        if not isinstance(item, Mapping):
            raise ValueError(f"an item of `{name}` must be an object, not {type(item).__name__}")
        found.append(item)
    return found


def singles(ids: Sequence[str]) -> Groups:
    """Return groups of one passage each: all of them are needed."""
    return tuple((one,) for one in dict.fromkeys(ids))
