"""Read a question from the fields of a row: its text, its options in any form, its day.

Options are inside the text, or a field holds them as a list, a mapping or a text, or each has a
column of its own (`A` to `D`, `보기1`, `choice_1`, `option_a`, `①` …).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kofinlaw import UserError
from kofinlaw.data.korean.marks import SIGNS, sign_number
from kofinlaw.data.korean.words import normalise
from kofinlaw.decoding import load_json
from kofinlaw.rag.questions.asking import asks_to_pick
from kofinlaw.rag.questions.field_names import (
    ANSWER_NAMES,
    ID_NAMES,
    OPTION_NAMES,
    QUESTION_NAMES,
    field_named,
    field_of,
    text_of_field,
)
from kofinlaw.rag.questions.mark_series import series_of, shadow
from kofinlaw.rag.questions.notes import note_start, without_keys
from kofinlaw.rag.questions.option_marks import (
    MAX_OPTIONS,
    QuestionText,
    checked_options,
    read_text,
)
from kofinlaw.rag.questions.plain_lines import plain_lines

__all__ = ["fields_of", "is_option_name", "question_of"]

_TEXT_NAMES = ("text", "content", "내용", "value", "option", "보기", "label_text", "body")
_SIGN_NAMES = ("label", "key", "no", "number", "번호", "id", "index", "mark")
_REQUIRED_OPTIONS = 4  # a blank cell of these columns is an error; questions may lack later ones
_COLUMN = re.compile(
    rf"(?P<word>보기|선택지|선지|답지|항목|options?|choices?|opt|ans)?"
    rf"(?P<sign>\d|{SIGNS}|[a-i]|[가나다라마바사아자]|[ㄱ-ㅈ])(?:번|번보기)?"
)
_FORMS = (
    "options inside `question` (`1) …`), a list or mapping `options`, or the columns A, B, C, D, "
    "or 보기1, 보기2 …"
)


class _Column(NamedTuple):
    """A column of one option: its family (`word`, kind of sign), its number, its name."""

    family: str
    number: int
    name: str


def fields_of(
    header: Sequence[str], row: Sequence[str], id_index: int, question_index: int
) -> dict[str, str]:
    """Return the cells of a row by the names of their columns, of which two are known."""
    names = list(header)
    # The column of the ids may be called like an option (`번호`), and a text is read once.
    names[id_index], names[question_index] = "id", "question"
    return dict(zip(names, row, strict=True))


def is_option_name(name: str) -> bool:
    """Return whether a column holds an option, or all of them."""
    return _column(name) is not None or field_named((name,), OPTION_NAMES) is not None


def question_of(row: Mapping[str, object], where: str) -> QuestionText:
    """Return the stem and the options of a row, whose fields have names in any case.

    Options of a field or of columns come before those inside the text. A mark or a note that comes
    with them (`① …`, `정답: 3`) does not belong to them.

    Raises UserError, with `where`, for options of an unknown form, ten or more, an empty one, and
    columns with a gap.
    """
    stem = normalise(text_of_field(field_of(row, QUESTION_NAMES)))
    options = _field_options(row, where) or _column_options(row, where)
    if not options:
        found = read_text(stem, where=where)
        if not found.options and (other := _unread(row)) and asks_to_pick(stem):
            raise UserError(
                f"the question has no options, and the field `{other}` is not read",
                where=where,
                remedy=f"name it `options`, as a list of texts; the forms are: {_FORMS}",
            )
        return found
    texts, note = _bare_texts([plain_lines(normalise(text)).strip() for text in options])
    inside = read_text(stem, where=where)
    if inside.options == texts:
        bare = inside.stem
    else:
        bare, notes = without_keys(plain_lines(stem), lambda _: False)
        note += notes
    bare, texts = checked_options(bare.strip(), texts, where)
    doubt = "two options are the same text" if len(set(texts)) < len(texts) else ""
    return QuestionText(bare, texts, doubt, note)


def _field_options(row: Mapping[str, object], where: str) -> tuple[str, ...]:
    """Return the options of a field that holds all of them; empty without one."""
    name = field_named(tuple(row), OPTION_NAMES)
    value = row[name] if name is not None else None
    if name is None or value is None or value == "" or value == [] or value == {}:
        return ()
    texts = _texts_of(value, where)
    if texts is None:
        raise UserError(
            f"`{name}` must be a list of texts, not {_kind(value)}",
            where=where,
            remedy='write {"options": ["…", "…"]}, {"options": {"1": "…", "2": "…"}}, or '
            '[{"label": "1", "text": "…"}, …]',
        )
    return texts


def _texts_of(value: object, where: str) -> tuple[str, ...] | None:
    """Return the options in a list, mapping or text; None for another form."""
    if isinstance(value, str):
        return _texts_of_text(value, where)
    if isinstance(value, Mapping):
        texts, signs = value.get("text"), value.get("label")
        if isinstance(texts, (list, tuple)) and isinstance(signs, (list, tuple)):
            if len(texts) != len(signs):
                return None
            return _in_order(list(zip(map(str, signs), texts, strict=True)), where)
        return _in_order([(str(sign), text) for sign, text in value.items()], where)
    if not isinstance(value, (list, tuple)):
        return None
    if all(isinstance(item, Mapping) for item in value):
        pairs = [(field_of(item, _SIGN_NAMES), field_of(item, _TEXT_NAMES)) for item in value]
        if any(text is None for _, text in pairs):
            single = [next(iter(item.items())) for item in value if len(item) == 1]
            return _in_order(single, where) if len(single) == len(value) else None
        if all(sign is not None for sign, _ in pairs):
            return _in_order([(str(sign), text) for sign, text in pairs], where)
        value = [text for _, text in pairs]
    texts = [_plain(item) for item in value]
    return None if any(text is None for text in texts) else tuple(text or "" for text in texts)


def _texts_of_text(value: str, where: str) -> tuple[str, ...] | None:
    """Return the options in one text: JSON, marks, or a line or bar between them."""
    text = normalise(value).strip()
    if text[:1] in "[{":
        for form in (text, text.replace("'", '"')):
            try:
                parsed = load_json(form)
            except ValueError:
                continue
            if isinstance(parsed, (list, dict)):
                return _texts_of(parsed, where)
    options = read_text(f"다음 중 옳은 것은?\n{text}", where=where).options
    if options:
        return options
    for separator in ("\n", "|", "\t", ";", " / "):
        parts = tuple(part.strip() for part in text.split(separator) if part.strip())
        if len(parts) >= 2:
            return parts
    return None


def _in_order(pairs: Sequence[tuple[str, object]], where: str) -> tuple[str, ...] | None:
    """Return the texts in the order of their signs, which begin with the first and miss none."""
    numbered: list[tuple[int, object]] = []
    for sign, text in pairs:
        column = _column(sign)
        numbered.append((column.number if column else -1, text))
    first = min((number for number, _ in numbered), default=-1)
    wanted = list(range(first, first + len(numbered)))
    if first not in (0, 1) or sorted(number for number, _ in numbered) != wanted:
        raise UserError(
            f"the options are marked {', '.join(sign for sign, _ in pairs)}: not a series from the "
            "first one without a gap",
            where=where,
            remedy='mark them "1", "2", "3" …, or write a list of texts',
        )
    texts = [_plain(text) for _, text in sorted(numbered, key=lambda pair: pair[0])]
    return None if any(text is None for text in texts) else tuple(text or "" for text in texts)


def _plain(value: object) -> str | None:
    """Return a text or number as text; None for another kind of value."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return text_of_field(value)


def _kind(value: object) -> str:
    if isinstance(value, (list, tuple)):
        kinds = dict.fromkeys(type(item).__name__ for item in value)
        return f"a list of {', '.join(kinds)}"
    return f"a {type(value).__name__}" if not isinstance(value, str) else f"{value[:40]!r}"


def _column(name: str) -> _Column | None:
    """Return which option a column holds; None for another column."""
    bare = normalise(name).strip().lstrip("\ufeff")
    if len(bare) == 1 and (number := sign_number(bare)):
        return _Column(f":{_alphabet(bare)}", number, name)
    bare = re.sub(r"[\s_\-.()\[\]:]+", "", shadow(bare)).casefold()
    found = _COLUMN.fullmatch(bare)
    if found is None or (not found["word"] and len(bare) > 2):
        return None
    sign = found["sign"]
    if sign == "0":  # counted from 0, as `choice_0`
        return _Column(f"{found['word']}:number", 0, name) if found["word"] or name == "0" else None
    number = sign_number(sign)
    return _Column(f"{found['word'] or ''}:{_alphabet(sign)}", number, name) if number else None


def _alphabet(sign: str) -> str:
    if sign.isascii():
        return "number" if sign.isdigit() else "letter"
    return "한글" if "가" <= sign <= "하" else unicodedata.name(sign).rpartition(" ")[0]


def _column_options(row: Mapping[str, object], where: str) -> tuple[str, ...]:
    """Return the options in columns of their own; empty without."""
    families: dict[str, list[_Column]] = {}
    for name in row:
        column = _column(name)
        if column is not None:
            families.setdefault(column.family, []).append(column)
    usable = {family: found for family, found in families.items() if len(found) >= 2}
    if not usable:
        return ()
    filled = {
        family: found
        for family, found in usable.items()
        if any(text_of_field(row[column.name]) for column in found)
    }
    if not filled:
        return ()
    if len(filled) > 1:
        names = "; ".join(", ".join(c.name for c in found) for found in filled.values())
        raise UserError(
            f"two groups of columns hold options: {names}",
            where=where,
            remedy="keep one of them",
        )
    columns = sorted(next(iter(filled.values())), key=lambda column: column.number)
    first = columns[0].number
    numbers = [column.number for column in columns]
    if first not in (0, 1) or numbers != list(range(first, first + len(columns))):
        raise UserError(
            f"the option columns are {', '.join(column.name for column in columns)}: not a series "
            "from the first one without a gap",
            where=where,
            remedy=f"add the missing column, or name them A, B, C …; the forms are: {_FORMS}",
        )
    texts = [text_of_field(row[column.name]) for column in columns[:MAX_OPTIONS]]
    while len(texts) > _REQUIRED_OPTIONS and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _bare_texts(texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the texts without marks of their own and without the notes behind the last one."""
    notes: tuple[str, ...] = ()
    if texts:
        last, notes = without_keys(texts[-1], lambda _: False)
        start = note_start(last, inline=not any("※" in text for text in texts[:-1]))
        if start > 0:
            last, notes = last[:start].rstrip(), (*notes, last[start:].strip())
        texts = [*texts[:-1], last if last.strip() else texts[-1]]
    joined = "x\n" + "\n".join(text.replace("\n", " ") for text in texts)
    starts = [0, *(i for i, sign in enumerate(joined) if sign == "\n")]
    for series in series_of(shadow(joined)):
        fronts = [mark for mark in series.marks if mark.in_front]
        loose = "bare" in series.style or "dense" in series.style
        if loose or len(fronts) != len(series.marks) or len(fronts) != len(texts):
            continue
        if [mark.start for mark in fronts] != [start + 1 for start in starts[1:]]:
            continue
        bare = [
            joined[mark.end : end].strip()
            for mark, end in zip(fronts, [*starts[2:], len(joined)], strict=True)
        ]
        if all(bare) and len(set(bare)) == len(bare):
            return tuple(bare), notes
    return tuple(" ".join(text.split("\n")) for text in texts), notes


def _unread(row: Mapping[str, object]) -> str:
    """Return the name of a field with several values that nothing reads; empty without."""
    known = {
        *ID_NAMES,
        *QUESTION_NAMES,
        *OPTION_NAMES,
        *ANSWER_NAMES,
        "slices",
        "units",
        "keywords",
    }
    for name, value in row.items():
        if isinstance(value, (list, dict)) and value and name.casefold() not in known:
            return name
    return ""
