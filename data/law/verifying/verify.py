"""Verify every reference of a text against a corpus: acts, articles, annexes and decisions."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

from kofinlaw.data.korean.anchored_pattern import AnchoredPattern
from kofinlaw.data.korean.hanja import has_hanja
from kofinlaw.data.law.former_names import FormerName
from kofinlaw.data.law.verifying.checked import FAILED, Basis, CheckedCitation
from kofinlaw.data.law.verifying.claims import Claimed, claimed
from kofinlaw.data.law.verifying.decision_numbers import DecisionMention, decision_mentions
from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.data.law.verifying.mentions import FORMER, Mention, mentions
from kofinlaw.data.law.verifying.provision_checks import Finding, check_provision
from kofinlaw.data.law.verifying.written import WrittenText, written_text

__all__ = ["KnownLaw", "text_day", "verify_citations"]

_COURTS = {"헌재": "헌법재판소", "대판": "대법원", "대결": "대법원"}
_DAY = re.compile(
    r"(?P<y>(?:19|20)\d\d)\s?[.년-]\s?(?P<m>\d{1,2})\s?[.월-]\s?(?P<d>\d{1,2})\s?(?:일|\.)?\s?"
    r"(?:현재|기준|당시|시점|시행)"
)
_DATE_LINE = re.compile(
    r"(?<![^\n])(?:선고일자|시행일자|작성일|date|as_of|기준일)\s?:\s?['\"]?"
    r"(?P<y>(?:19|20)\d\d)[-.]?\s?(?P<m>\d{1,2})[-.]?\s?(?P<d>\d{1,2})"
)

_DATE_LINES = AnchoredPattern(re.compile(r"[선시작da기](?<![^\n].)"), _DATE_LINE)
_HEAD = 4000  # characters in which a text names its day in a line


def verify_citations(
    text: str,
    law: KnownLaw | Path | str,
    *,
    as_of: datetime.date | str | None = None,
    act: str = "",
    article: str = "",
) -> list[CheckedCitation]:
    """Return every reference of a text with a verdict, in order of their offsets.

    Args:
        text: The text, in any spelling.
        law: What the corpus says, or the folder of the corpus.
        as_of: The day whose law counts. Without it the day that the text names (`text_day`), and
            without that the newest text of each act.
        act: The act that the text belongs to, for `이 법` and articles without an act.
        article: The article that the text belongs to.

    No reference is left out: one that cannot be resolved has the verdict `unknown`. Raises
    UserError if `law` is a folder without a corpus, ValueError if `as_of` is not a day.
    """
    if not isinstance(law, KnownLaw):
        law = KnownLaw.of_corpus(Path(law))
    written = written_text(text, law.hanja_names if has_hanja(text) else None)
    if as_of is None:
        day = text_day(written.text)
    else:
        whole = as_of if isinstance(as_of, datetime.date) else datetime.date.fromisoformat(as_of)
        day = whole.isoformat()[:10]
    names = law.names_in(act) if act else {}
    found = mentions(written.text, law.scope, act=act, article=article, names=names)
    out = []
    for mention, claims in zip(found, claimed(written.text, found, law.headings), strict=True):
        finding, target, used = _checked(law, mention, claims, day)
        if mention.inside and finding.verdict != "holds":
            continue  # between the ends of a range the law may have gaps
        first = mention.start
        while written.text[first].isspace():
            first += 1
        start, end = written.span(first, mention.end)
        out.append(
            CheckedCitation(
                text=text[start:end],
                start=start,
                end=end,
                target=target,
                provision=mention.location.provision,
                verdict=finding.verdict,
                basis=_basis(finding.basis),
                message=finding.message,
                right=finding.right,
                heading=claims.heading,
                quoted=claims.quoted,
                since=finding.since,
                until=finding.until,
                day=used,
            )
        )
    out += [_decision(text, written, one, law) for one in decision_mentions(written.text)]
    return sorted(out, key=lambda one: (one.start, one.end))


def _basis(text: str) -> Basis:
    return "words" if text == "words" else "existence" if text == "existence" else ""


def text_day(text: str) -> str:
    """Return the ISO day whose law a text is about, empty if it names none.

    It is the day of a line such as `선고일자: 2019-05-01`, or the first day before 현재, 기준,
    당시, 시점 or 시행.
    """
    match = next(_DATE_LINES.finditer(text[:_HEAD]), None) or _DAY.search(text)
    if match is None:
        return ""
    try:
        return datetime.date(int(match["y"]), int(match["m"]), int(match["d"])).isoformat()
    except ValueError:
        return ""


def _checked(
    law: KnownLaw, mention: Mention, claims: Claimed, day: str
) -> tuple[Finding, str, str]:
    """Return (verdict, target, day that was checked) of a reference."""
    location = mention.location
    former = location.act.startswith(FORMER)
    name = location.act.removeprefix(FORMER)
    target = f"{name} {location.article}".strip()
    if not name:
        return Finding("unknown", "the text names no act for this reference"), target, day
    title = law.title_of(name)
    if not title and (renamed := law.former_name(name)):
        return _by_former_name(law, mention, claims, day, renamed)
    if not title:
        close = law.close_title(name)
        hint = f"; it has 「{close}」" if close else ""
        return Finding("unknown", f"「{name}」 is not in the corpus{hint}"), target, day
    target = f"{title} {location.article}".strip()
    act = law.acts[title]
    if former:
        day = _day_before(mention.until)
        if not day or (act.oldest and day < act.oldest) or not act.oldest:
            known = f"from {act.oldest} on" if act.oldest else "of one day"
            said = f"the text cites an earlier 「{title}」; the corpus has it {known} only"
            return Finding("unknown", said, since=act.oldest), target, day
    if not location.article and location.provision:
        return Finding("unknown", "the text names no article for this reference"), target, day
    finding = check_provision(law, act, location, claims, day)
    if finding.verdict in FAILED and (mention.assumed or _another(law, mention, claims, day)):
        said = f"the words may mean another provision; if 「{title}」 is meant: {finding.message}"
        return Finding("unknown", said, right=finding.right, since=finding.since), target, day
    return finding, target, day


def _by_former_name(
    law: KnownLaw, mention: Mention, claims: Claimed, day: str, renamed: FormerName
) -> tuple[Finding, str, str]:
    """Return what `_checked` does for an act by a name that it had before. The present text can
    confirm an article of a renamed act, and refutes none: the text is of an earlier day.
    """
    now = "」, 「".join(renamed.titles)
    title = renamed.titles[0]
    if renamed.same and len(renamed.titles) == 1 and not mention.location.act.startswith(FORMER):
        finding = check_provision(law, law.acts[title], mention.location, claims, day)
        target = f"{title} {mention.location.article}".strip()
        said = f"「{renamed.name}」 is now 「{now}」: {finding.message}"
        verdict = "unknown" if finding.verdict in FAILED else finding.verdict
        return replace(finding, verdict=verdict, message=said), target, day
    said = f"「{renamed.name}」 is a former name; the corpus has 「{now}」, with other articles"
    if renamed.same:
        said = f"「{renamed.name}」 is a former name of 「{now}」; the corpus lacks its text then"
    target = f"{renamed.name} {mention.location.article}".strip()
    return Finding("unknown", said), target, day


def _another(law: KnownLaw, mention: Mention, claims: Claimed, day: str) -> bool:
    """Return whether another location that the words may mean is not refuted."""
    for one in mention.rivals:
        title = law.title_of(one.act)
        if (
            not title
            or check_provision(law, law.acts[title], one, claims, day).verdict not in FAILED
        ):
            return True
    return False


def _day_before(day: str) -> str:
    if not day:
        return ""
    return (datetime.date.fromisoformat(day) - datetime.timedelta(days=1)).isoformat()


def _decision(
    text: str, written: WrittenText, mention: DecisionMention, law: KnownLaw
) -> CheckedCitation:
    """Return the verdict on the number of a decision. No corpus has all decisions, so a number that
    it lacks cannot be refuted.
    """
    start, end = written.span(mention.start, mention.end)
    known = law.decisions.get(mention.key)
    finding = Finding("unknown", f"the decision {mention.key} is not in the corpus")
    if known is not None:
        court = _COURTS.get(mention.court, mention.court)
        other_court = court and known.title.split()[0] not in (court, mention.key)
        if mention.day and known.day and mention.day != known.day:
            said = f"{known.title} is of {known.day}, not of {mention.day}"
            finding = Finding("differs", said, right=known.day)
        elif other_court and not known.title.startswith(court):
            finding = Finding("differs", f"{mention.key} is {known.title}", right=known.title)
        else:
            basis = "words" if mention.day and known.day else "existence"
            finding = Finding("holds", f"the corpus has {known.title}", basis)
    return CheckedCitation(
        text=text[start:end],
        start=start,
        end=end,
        target=mention.key,
        provision="",
        verdict=finding.verdict,
        basis=_basis(finding.basis),
        message=finding.message,
        right=finding.right,
    )
