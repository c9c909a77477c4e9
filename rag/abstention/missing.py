"""Find out that a question is about a provision or a document that does not exist."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kofinlaw.data.korean.quantities import BRANCH
from kofinlaw.data.korean.words import josa
from kofinlaw.data.law.annexes import split_unit
from kofinlaw.data.law.citations import Citation, find_citations
from kofinlaw.data.law.titles import ALIASES, canonical_title, title_key
from kofinlaw.rag.abstention.misspelling import correct_names
from kofinlaw.rag.abstention.provisions import (
    DocumentProvisions,
    Place,
    Provisions,
    article_place,
    title_ends,
)

__all__ = ["Missing", "MissingReason", "Named", "read_names"]

MissingReason = Literal["absent_provision", "deleted_provision", "absent_document"]
_QUOTED = re.compile(r"「([^「」\n]{2,80})」(\s*(?:시행령|시행규칙))?")
_FORM = re.compile(
    r"(법률|법|시행령|시행규칙|규정|세칙|규칙|지침|고시|요령|기준|편람|매뉴얼|약관|정관)$"
)
_NUMBER = re.compile(rf"제\s*\d+\s*조(?:{BRANCH}\d+)?")
_PARAGRAPH = re.compile(r"^제(\d+)항")
# What is before a shortened title, if it does not belong to the name: `회사의 여비 규칙`.
_CLAUSE_END = re.compile(r"[,.?!:;)」’”]$|(?<=[가-힣])(?:은|는|이|가|을|를|에|에서|의|로|와|도)$")
_ONLY_FORM = re.compile(rf"(?:시행)?{_FORM.pattern}")
_FIRST_ARTICLE: Place = (1, 0, 0)
_WORDS_OF_A_NAME = 5
_SHORTEST_ABBREVIATION = 3  # letters


@dataclass(frozen=True)
class Missing:
    """What the question asks about and the index does not have, and the sentence that says so."""

    reason: MissingReason
    text: str


@dataclass(frozen=True)
class Named:
    """What a question names: the provision that is missing, if any, or one that exists."""

    missing: Missing | None = None
    exists: bool = False


def read_names(question: str, provisions: Provisions) -> Named:
    """Return which document or provision the question depends on, and whether it is missing.

    A misspelt title is read as the title (`correct_names`), a shortened one as the only title that
    it abbreviates. Nothing is missing where one of several named provisions exists, and no document
    is missing where the question names another one that the index has.
    """
    text = correct_names(question, provisions.titles)
    citations = [
        citation
        for citation in find_citations(text, act="", article="", scope=provisions.scope)
        if split_unit(citation.target)[0]
    ]
    missing: Missing | None = None
    for citation in citations:
        named, number = split_unit(citation.target)
        title = _title_before(text, citation, provisions)
        if title is not None:
            found = _check(title, number, citation.provision, provisions.documents[title])
            if found is None:
                return Named(exists=True)
        elif _FORM.fullmatch(named):
            continue  # the end of a longer name that is not known: `사내 규정 제3조`
        else:
            found = _absent_document(named)
        missing = missing or found
    if missing is None:
        missing = _absent_quoted(text, provisions)
    if missing is None and not citations:
        missing = _in_no_document(text, provisions)
    absent = missing is not None and missing.reason == "absent_document"
    if absent and _names_document(text, citations, provisions):
        missing = None
    return Named(missing)


def _in_no_document(text: str, provisions: Provisions) -> Missing | None:
    """Return the article that a question without a title names, if no document has it."""
    numbers = list(dict.fromkeys(re.sub(r"\s", "", named) for named in _NUMBER.findall(text)))
    documents = [one for one in provisions.documents.values() if one.articles]
    if not numbers or not documents:
        return None
    for one in documents:
        known, unsure = set(one.articles), _unsure_range(one)
        if any(number in known or _between(number, unsure) for number in numbers):
            return None
    said = josa(numbers[0], "이/가")
    return Missing("absent_provision", f"색인의 어느 문서에도 {said} 없습니다.")


def _names_document(text: str, citations: Sequence[Citation], provisions: Provisions) -> bool:
    """Return whether the text has the title of a document in the index outside its citations.

    `전자금융거래법 제21조에 따른 여신 규정의 절차` is about the regulation. A title inside a longer
    name does not count: `한국은행법` is not `은행법`.
    """
    letters = list(text)
    for citation in citations:
        letters[citation.start : citation.end] = " " * (citation.end - citation.start)
    rest = _QUOTED.sub(
        lambda match: match[0] if _known_title(_quoted_name(match), provisions) else " ",
        "".join(letters),
    )
    spaced = (r"\s*".join(map(re.escape, re.sub(r"\s", "", one))) for one in provisions.titles)
    return any(re.search(rf"(?<![가-힣]){title}", rest) for title in spaced)


def _title_before(text: str, citation: Citation, provisions: Provisions) -> str | None:
    """Return the title in the index that a citation means; None if there is none.

    Of a name in several words, which no known title equals, a citation has only the last one.
    """
    named, _ = split_unit(citation.target)
    if (title := _known_title(named, provisions)) is not None:
        return title
    before = text[: citation.start].rsplit(maxsplit=_WORDS_OF_A_NAME)[-_WORDS_OF_A_NAME:]
    longer = (" ".join([*before[-count:], named]) for count in range(len(before), 0, -1))
    found = next((one for name in longer if (one := _known_title(name, provisions))), None)
    if found is None:
        words = () if text.startswith("「", citation.start) else reversed(before)
        own = itertools.takewhile(lambda word: not _CLAUSE_END.search(word), words)
        found = _title_with_end(" ".join([*reversed(list(own)), named]), provisions)
    return found


def _title_with_end(name: str, provisions: Provisions) -> str | None:
    """Return the only title whose last words are the name: `출장 여비 규칙` means `국내외 출장 여비
    규칙`. None for a name that is no more than a form (`시행세칙`), and for a part of a word:
    `은행법` does not mean `한국은행법`.
    """
    key = title_key(name)
    if len(key) < _SHORTEST_ABBREVIATION or _ONLY_FORM.fullmatch(key):
        return None
    found = provisions.titles_by_last_words.get(key, ())
    return found[0] if len(found) == 1 else None


def _check(title: str, number: str, provision: str, document: DocumentProvisions) -> Missing | None:
    """Return what is missing of a document's provision; None if the index may have it."""
    if number in document.deleted:
        form = (
            "별표" if number.startswith("별표") else "서식" if number.startswith("별") else "조문"
        )
        text = f"「{title}」 {josa(number, '은/는')} 삭제된 {form}입니다."
        return Missing("deleted_provision", text)
    if number.startswith("별"):
        return _check_annex(title, number, document)
    if number in document.articles:
        return _check_paragraph(title, number, provision, document)
    if not article_place(number) or _between(number, _unsure_range(document)):
        return None
    return Missing(
        "absent_provision",
        f"「{title}」에는 {josa(number, '이/가')} 없습니다. {_range(title, document)}",
    )


def _unsure_range(document: DocumentProvisions) -> tuple[Place, Place] | None:
    """Return the places between which the document may have an article without a passage; None if
    all of its articles are known.
    """
    if document.whole or not document.articles:
        return None
    places = [article_place(one) for one in document.articles]
    return min([_FIRST_ARTICLE, *places]), max(places)


def _between(number: str, ends: tuple[Place, Place] | None) -> bool:
    return ends is not None and ends[0] <= article_place(number) <= ends[1]


def _check_annex(title: str, number: str, document: DocumentProvisions) -> Missing | None:
    if number in document.annexes or not number.startswith("별표"):
        return None
    found = [one for one in document.annexes if one.startswith("별표")]
    if not found:  # the document may have annexes that are not in its file
        return Missing("absent_provision", f"색인에는 「{title}」의 별표가 없습니다.")
    return Missing(
        "absent_provision",
        f"「{title}」에는 {josa(number, '이/가')} 없습니다. "
        f"이 문서의 별표는 {_spelt(found)}입니다.",
    )


def _check_paragraph(
    title: str, number: str, provision: str, document: DocumentProvisions
) -> Missing | None:
    asked = _PARAGRAPH.match(provision)
    count = document.paragraphs.get(number, 0)
    if asked is None or not count or int(asked.group(1)) <= count:
        return None
    known = "제1항뿐입니다" if count == 1 else f"제1항–제{count}항입니다"
    text = f"「{title}」 {number}에는 {asked.group(0)}이 없습니다. 이 조는 {known}."
    return Missing("absent_provision", text)


def _range(title: str, document: DocumentProvisions) -> str:
    form = _FORM.search(title)
    subject = josa(f"이 {form.group(1)}" if form else "이 문서", "은/는")
    if not document.articles:
        return f"{subject} 조문으로 나뉘어 있지 않습니다."
    ordered = sorted(document.articles, key=article_place)
    if len(ordered) == 1:
        return f"{subject} {ordered[0]}뿐입니다."
    return f"{subject} {ordered[0]}–{ordered[-1]}입니다."


def _spelt(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"


def _absent_quoted(text: str, provisions: Provisions) -> Missing | None:
    """Return the document in quotation brackets that the index lacks, if all of them are absent."""
    names = [_quoted_name(match) for match in _QUOTED.finditer(text)]
    names = [name for name in names if _FORM.search(name.strip())]
    if not names or any(
        _known_title(name, provisions) or _title_with_end(name, provisions) for name in names
    ):
        return None
    return _absent_document(names[0].strip())


def _quoted_name(match: re.Match[str]) -> str:
    return f"{match.group(1)}{match.group(2) or ''}"


def _absent_document(name: str) -> Missing:
    particle = josa(name, "은/는")[len(name) :]
    return Missing("absent_document", f"「{name}」{particle} 색인에 없습니다.")


def _known_title(name: str, provisions: Provisions) -> str | None:
    """Return the title in the index that the name means; None if there is none."""
    title = canonical_title(name, provisions.scope.titles)
    if title in provisions.documents:
        return title
    short = title_key(name)
    if short in ALIASES:
        return None
    if len(short) < _SHORTEST_ABBREVIATION:
        return None
    alike = provisions.titles_by_ends.get(title_ends(short), ())
    longer = [one for one in alike if _in_order(short, title_key(one))]
    return longer[0] if len(longer) == 1 else None


def _in_order(short: str, title: str) -> bool:
    """Return whether the title has the letters of the name in their order."""
    rest = iter(title)
    return all(letter in rest for letter in short)
