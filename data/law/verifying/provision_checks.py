"""Decide whether a provision of an act exists on a day, and whether its words are those claimed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kofinlaw.data.law.citation_locations import Location
from kofinlaw.data.law.verifying.checked import Verdict
from kofinlaw.data.law.verifying.claims import Claimed
from kofinlaw.data.law.verifying.known_law import ArticleText, KnownAct, KnownLaw
from kofinlaw.data.law.verifying.words import close_words, holds_words, letters, names_heading

__all__ = ["Finding", "check_provision"]

_PLACE = re.compile(r"^제(\d+)(?:-(\d+))?조((?:의\d+)*)$")
_FIRST = re.compile(r"^제1항")
_DELETED = re.compile(r"^\W*삭\s?제")
_SHOWN = 160  # characters of the right words


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with its reason; the fields are those of `CheckedCitation`."""

    verdict: Verdict
    message: str
    basis: str = ""
    right: str = ""
    since: str = ""
    until: str = ""


def check_provision(
    law: KnownLaw, act: KnownAct, location: Location, claims: Claimed, day: str
) -> Finding:
    """Return the verdict on a provision of a known act.

    Args:
        law: The corpus.
        act: The act of the corpus that the reference means.
        location: Article, 항, 호 and 목.
        claims: The heading and the words that the text claims.
        day: The ISO day to check for; empty for the newest text.
    """
    number = location.article
    if not number:
        return _existence(act)
    if day and act.oldest and day < act.oldest:
        return Finding(
            "unknown", f"the corpus has 「{act.title}」 from {act.oldest} on only", since=act.oldest
        )
    if not number.startswith("제"):
        return _annex(act, number, claims)
    texts = act.articles.get(number)
    if not texts and (branch := _branch(number)) in act.articles:
        number, texts = branch, act.articles[branch]
    if not texts:
        return _no_article(act, number, day)
    current = _on(texts, day)
    if current is None:
        return _other_time(act, number, texts, day)
    if current.deleted:
        return Finding(
            "repealed", f"「{act.title}」 {number} is deleted (삭제)", since=current.since
        )
    found = _path(current, location.provision)
    if found is None:
        return _no_provision(act, number, location.provision, texts, current, day)
    words = current.words.get(found, "") if found else ""
    if found and _DELETED.match(words) and len(letters(words)) < 12:
        said = f"「{act.title}」 {number} {location.provision} is deleted (삭제)"
        return Finding("repealed", said, since=current.since, until=current.until)
    return _words(law, act, location, claims, current, found)


def _branch(number: str) -> str:
    """Return `제382-3조` as `제382조의3`; empty for a number without a hyphen."""
    match = _PLACE.match(number)
    return f"제{match[1]}조의{match[2]}{match[3]}" if match and match[2] else ""


def _existence(act: KnownAct) -> Finding:
    return Finding("holds", f"the corpus has 「{act.title}」", "existence", since=act.oldest)


def _on(texts: Sequence[ArticleText], day: str) -> ArticleText | None:
    """Return the text in force on a day; the newest one without a day."""
    if not day:
        return texts[0] if not texts[0].until else None
    for one in texts:
        if one.since <= day and (not one.until or day < one.until):
            return one
    return None


def _other_time(act: KnownAct, number: str, texts: Sequence[ArticleText], day: str) -> Finding:
    """Return the verdict on an article that exists on another day only."""
    later = [one.since for one in texts if day and one.since > day]
    if later:
        said = f"「{act.title}」 {number} is in force since {min(later)}, not on {day}"
        return Finding("not_in_force", said, since=min(later))
    until = max(one.until for one in texts)
    said = f"「{act.title}」 {number} was in force until {until} and is not in the later text"
    return Finding("repealed", said, until=until)


def _no_article(act: KnownAct, number: str, day: str) -> Finding:
    known = sorted((place, one) for one in act.articles if (place := _place(one)))
    if not known:
        return Finding("unknown", f"the corpus has no articles of 「{act.title}」")
    first, last = known[0], known[-1]
    said = f"「{act.title}」 has {first[1]}–{last[1]}, and no {number}"
    if not act.whole and first[0] <= _place(number) <= last[0]:
        return Finding("unknown", f"the passages of 「{act.title}」 do not name {number}")
    return Finding("absent", said, right=f"{first[1]}–{last[1]}")


def _place(number: str) -> tuple[int, ...]:
    match = _PLACE.match(number)
    if match is None:
        return ()
    branches = [int(one) for one in match[3].split("의") if one]
    return (int(match[1]), int(match[2] or 0), *branches)


def _annex(act: KnownAct, name: str, claims: Claimed) -> Finding:
    same = {one.replace("-", "의") for one in act.annexes}  # `별표 19-3` is `별표 19의3`
    if name.replace("-", "의") in same:
        if claims.quoted or claims.heading:
            return Finding("unknown", f"words of {name} are not compared")
        return Finding("holds", f"the corpus has 「{act.title}」 {name}", "existence")
    known = [one for one in act.annexes if one.startswith("별표")]
    if not known or not name.startswith("별표"):
        kind = "supplementary provisions" if name.startswith("부칙") else name
        return Finding("unknown", f"the corpus has no {kind} of 「{act.title}」")
    ends = known[0] if len(known) == 1 else f"{known[0]}–{known[-1]}"
    if _annex_number(name) <= max(map(_annex_number, known)):  # its file may be missing
        return Finding("unknown", f"the documents have no text of 「{act.title}」 {name}")
    return Finding("absent", f"「{act.title}」 has {ends}, and no {name}", right=ends)


def _annex_number(name: str) -> int:
    match = re.search(r"\d+", name)
    return int(match[0]) if match else 0


def _path(text: ArticleText, provision: str) -> str | None:
    """Return the path of a provision in the article; None if the article lacks it.

    `제1항` of an article without 항 is its whole text. A 호 without its 항 is the first 호
    of that number.
    """
    words = text.words
    if not provision or provision in words:
        return provision
    if provision.startswith("제1항") and not any(one.startswith("제1항") for one in words):
        rest = _FIRST.sub("", provision)
        if not rest or rest in words:
            return rest
    if "항" not in provision:
        return next((path for path in words if path.endswith(f"항{provision}")), None) or next(
            (path for path in words if provision.endswith("목") and path.endswith(provision)), None
        )
    return None


def _no_provision(
    act: KnownAct,
    number: str,
    provision: str,
    texts: Sequence[ArticleText],
    current: ArticleText,
    day: str,
) -> Finding:
    """Return the verdict on a 항, 호 or 목 that the article does not have on the day."""
    unit = f"「{act.title}」 {number}"
    if day:
        later = [one for one in texts if one.since > day and _path(one, provision) is not None]
        if later:
            since = min(one.since for one in later)
            said = f"{unit} {provision} is in force since {since}, not on {day}"
            return Finding("not_in_force", said, since=since)
    earlier = [
        one for one in texts if one.until and one.until <= (day or "9999")
        and _path(one, provision) is not None
    ]  # fmt: skip
    if earlier:
        until = max(one.until for one in earlier)
        return Finding("repealed", f"{unit} {provision} was in force until {until}", until=until)
    if (level := _unread_level(current, provision)) is not None:
        said = f"the {level} of {unit} are not read in the documents: look up {provision}"
        return Finding("unknown", said, since=current.since)
    right = _range(current, provision)
    return Finding(
        "absent", f"{unit} has {right}, and no {provision}", right=right, since=current.since
    )


def _unread_level(text: ArticleText, provision: str) -> str | None:
    """Return 호 or 목 if the article announces them (`다음 각 호`) above the provision, and its
    text has none: the document runs them together in a line.
    """
    for level in ("호", "목"):
        above = re.match(rf"(.*?)(?:제\d+|[가-힣]){level}", provision)
        if above is None or (above[1] and (place := _path(text, above[1])) is None):
            continue
        words = text.words.get(place or "", "") if above[1] else text.text
        below = place if above[1] else ""
        listed = any(p.startswith(below or "") and p.endswith(level) for p in text.words)
        number = re.match(r"제(\d+)호|([가-힣])목", provision[len(above[1]) :])
        mark = (number[1] or number[2]) if number else ""
        before = r"(?<![\d.])" if level == "호" else r"(?<![가-힣])"
        if re.search(rf"다음\s?각\s?{level}", words) and (
            not listed or re.search(rf"{before}{mark}\.\s?[^\d\s]", words)
        ):
            return level
    return None


def _range(text: ArticleText, provision: str) -> str:
    """Return what the article has at the first level that it lacks: `제1항–제4항`."""
    parts = re.findall(r"제\d+항|제\d+호(?:의\d+)*|[가-힣]목(?:의\d+)?", provision)
    above = ""
    for part in parts:
        if _path(text, above + part) is None:
            break
        above += part
    at = _path(text, above) or ""
    level = [
        path[len(at) :]
        for path in text.words
        if path.startswith(at) and path != at
        and len(re.findall(r"[항호목]", path[len(at) :])) == 1
    ]  # fmt: skip
    if not level:
        return f"no part below {above}" if above else "one text without 항 and 호"
    known = level[0] if len(level) == 1 else f"{level[0]}–{level[-1]}"
    return f"{above} {known}".strip()


def _words(
    law: KnownLaw,
    act: KnownAct,
    location: Location,
    claims: Claimed,
    current: ArticleText,
    path: str,
) -> Finding:
    """Return the verdict on an existing provision by the words that the text claims."""
    unit = f"「{act.title}」 {location.article}"
    since, until = current.since, current.until
    if not claims.heading and not claims.quoted:
        said = f"{unit}{' ' + location.provision if location.provision else ''} exists"
        return Finding("holds", said, "existence", since=since, until=until)
    if claims.heading:
        if not current.heading:
            return Finding("unknown", f"the corpus has no heading of {unit}", since=since)
        if not names_heading(claims.heading, current.heading):
            said = f"the heading of {unit} is ({current.heading}), not ({claims.heading})"
            return Finding("differs", said, right=current.heading, since=since, until=until)
    if claims.quoted:
        if not current.text.strip():
            return Finding("unknown", f"the corpus has no text of {unit}", since=since)
        words = current.words.get(path) if path else current.text
        if not holds_words(words or current.text, claims.quoted):
            return _other_words(law, act, location, claims, current, words or current.text)
    return Finding("holds", f"the words are those of {unit}", "words", since=since, until=until)


def _other_words(
    law: KnownLaw,
    act: KnownAct,
    location: Location,
    claims: Claimed,
    current: ArticleText,
    words: str,
) -> Finding:
    """Return the verdict on quoted words that the provision lacks, and where they are."""
    unit = f"「{act.title}」 {location.article}"
    right = " ".join(words.split())
    right = right if len(right) <= _SHOWN else f"{right[:_SHOWN]}…"
    inner = next(
        (path for path, one in current.words.items() if holds_words(one, claims.quoted)), ""
    )
    said = f"{unit} {location.provision}".strip()
    if re.search("[호목]", location.provision) and close_words(current.text, claims.quoted):
        message = f"the quoted words are close to those of {said}: compare them"
        return Finding("unknown", message, right=right, since=current.since, until=current.until)
    if inner or holds_words(current.text, claims.quoted):
        message = f"the quoted words are not in {said}, but in {inner or 'another part'}"
    elif number := law.find_words(act, letters(claims.quoted)):
        message = f"the quoted words are not in {said}, but in {number}"
    else:
        message = f"the quoted words are not in {said}"
    return Finding("differs", message, right=right, since=current.since, until=current.until)
