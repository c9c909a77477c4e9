"""Yield questions on lists: which case belongs to a list, among cases of its neighbouring lists.

All options are items of shown lists, so only the list that an item belongs to differs.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from kofinlaw.augment.generators.drafts import Draft, distinct, source_rng
from kofinlaw.augment.generators.falsity import items_not_in_list
from kofinlaw.augment.hard.facts import ListFact, list_facts
from kofinlaw.augment.hard.rewriting import Style, draw_style, rewrite
from kofinlaw.augment.hard.runs import LONGEST_RUN, Source, longest_run, shares_run
from kofinlaw.augment.hard.stems import act_or_article, asks, topic
from kofinlaw.augment.hard.surroundings import Surroundings
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.augment.reading.clauses import item_noun
from kofinlaw.augment.reading.particles import topic_as_subject
from kofinlaw.augment.reading.phrasing import joins_another_subject
from kofinlaw.augment.reading.short_names import needs_article
from kofinlaw.data.korean.words import josa

__all__ = ["KINDS", "generate"]

KINDS = ("slot_member",)
ATTEMPTS = 5
# Articles on each side whose lists give wrong items.
REACH = 10
# `사항` and `서류` are anything that is decided, written or enclosed; only lists with the same verb
# hold things of the same sort.
_MIXED = ("사항", "서류", "내용", "정보", "자료", "업무", "기관")
_PERSONS = re.compile(r"(?:자|사람|인|원|장|위원회|기관|회사|법인|단체|협회|은행|조합)$")


def generate(law: Law, laws: Laws, seed: int) -> Iterator[Draft]:
    """Yield for each list questions for an item that belongs to it and one that does not."""
    around = Surroundings(law, laws)
    lists = list_facts(law)
    for here in lists:
        article = here.listing.clause.article
        place = around.position[article.id]
        near = [
            other.listing
            for other in lists
            if other.noun == here.noun
            and (here.noun not in _MIXED or other.after[-6:] == here.after[-6:])
            and abs(around.position[other.listing.clause.article.id] - place) <= REACH
        ]
        rng = source_rng(seed, "member", article.id, here.listing.clause.label)
        foreign = [
            item
            for item in items_not_in_list(law, here.listing, near, rng)
            if _same_sort(item, here.items)
        ]
        if foreign:
            source = around.source([article])
            yield from _named(around, here, foreign, source, seed)
            yield from _not_named(around, here, foreign, source, seed)


def _same_sort(item: str, items: Sequence[str]) -> bool:
    """Return whether the item is a person or body only where the list has such items too."""
    person = bool(_PERSONS.search(item))
    return any(bool(_PERSONS.search(other)) == person for other in items) and (
        item_noun(item) in {item_noun(other) for other in items}
    )


def _named(
    around: Surroundings, here: ListFact, foreign: list[str], source: Source, seed: int
) -> Iterator[Draft]:
    """Yield a question for each of up to two items of the list, among items of other lists."""
    if len(foreign) < 3:
        return
    rng = source_rng(seed, "named", here.listing.clause.article.id, here.listing.clause.label)
    items = [i for i in here.items]
    rng.shuffle(items)
    for item in items[:3]:
        wrong = foreign[:6]
        rng.shuffle(wrong)
        yield from _question(around, here, item, wrong[:4], source, rng, negative=False)


def _not_named(
    around: Surroundings, here: ListFact, foreign: list[str], source: Source, seed: int
) -> Iterator[Draft]:
    """Yield a question for each of up to three items that the list does not have."""
    if len(here.items) < 3:
        return
    rng = source_rng(seed, "not_named", here.listing.clause.article.id, here.listing.clause.label)
    for odd in foreign[:3]:
        right = list(here.items)
        rng.shuffle(right)
        yield from _question(around, here, odd, right[:4], source, rng, negative=True)


def _question(
    around: Surroundings,
    here: ListFact,
    answer: str,
    others: list[str],
    source: Source,
    rng: random.Random,
    *,
    negative: bool,
) -> Iterator[Draft]:
    article = here.listing.clause.article
    for _ in range(ATTEMPTS):
        style = draw_style(rng)
        asked = _asked(around, here, style, source, rng, negative=negative)
        if asked is None or shares_run(asked[0], source):
            continue
        stem, whole = asked
        key = _option(here, answer, style, whole=whole)
        wrong = [_option(here, item, style, whole=whole) for item in others]
        runs = [longest_run(text, source) for text in wrong]
        if longest_run(key, source) > max(LONGEST_RUN, min(runs, default=0)) and not negative:
            continue
        if negative and max(runs, default=0) > LONGEST_RUN + 4:
            continue
        options = distinct(key, wrong)
        if len(options) < 3:
            return
        lines = [here.listing.lead[:30]]
        lines += [text[:20] for text in (others if negative else [answer])]
        yield Draft(
            kind="slot_member",
            stem=stem,
            answer=key,
            distractors=options,
            units=(article.id,),
            focus=tuple(lines),
            negative=negative,
            document=around.law.title,
            hard=True,
        )
        return


def _option(here: ListFact, item: str, style: Style, *, whole: bool) -> str:
    return rewrite(here.statement(item), style) + "." if whole else rewrite(item, style)


def _asked(
    around: Surroundings,
    here: ListFact,
    style: Style,
    source: Source,
    rng: random.Random,
    *,
    negative: bool,
) -> tuple[str, bool] | None:
    """Return (stem, whether the options are whole statements)."""
    if rng.random() < 0.5:
        articles = (here.listing.clause.article,)
        subject = topic(around.law, around.laws, articles, style, source, rng)
        return asks(subject, negative=negative, rng=rng), True
    question = _relative(here, style)
    if not question:
        return None
    ends = (
        ("에 해당하지 않는 것은?", "에 속하지 않는 것은?", "이/가 아닌 것은?")
        if negative
        else ("에 해당하는 것은?", "에 속하는 것은?", "에 해당하는 것으로 옳은 것은?")
    )
    end = rng.choice(ends)
    article = here.listing.clause.article
    named = rng.random() < 0.8 or needs_article(article, question) or around.law.parent_articles
    where = f"{act_or_article(around.law, article, question, rng)} " if named else ""
    if end.startswith("이/가"):
        return f"{where}{josa(question, '이/가')}{end[3:]}", False
    return f"{where}{question}{end}", False


_ENDS = (
    ("할 수 있다", "할 수 있는"),
    ("하여야 한다", "해야 하는"),
    ("해야 한다", "해야 하는"),
    ("받아야 한다", "받아야 하는"),
    ("하여서는 아니 된다", "해서는 안 되는"),
    ("하여서는 아니된다", "해서는 안 되는"),
    ("할 수 없다", "할 수 없는"),
    ("하지 아니한다", "하지 않는"),
    ("심의한다", "심의하는"),
    ("의결한다", "의결하는"),
    ("수행한다", "수행하는"),
    ("한다", "하는"),
    ("된다", "되는"),
)


def _relative(here: ListFact, style: Style) -> str:
    """Return the list's opening as a noun phrase (`조정을 거부할 수 있는 경우`); empty for none."""
    noun = {"때": "경우"}.get(here.noun, here.noun)
    before, after = here.before, here.after
    match = re.match(r"^(?P<who>[^,]{2,25}?)(?P<particle>은|는) (?P<rest>[^,]*)$", before)
    if match and not re.search(r"[은는] ", match.group("rest")):
        topic_words = match.group("who") + match.group("particle")
        before = f"{topic_as_subject(topic_words)} {match.group('rest')}"
    after = re.sub(r"^(?:에는|에|에 한정하여|에 한하여|로서),? ?", "", after.strip())
    if here.particle in ("이/가", "은/는") or "," in before or noun in ("자", "사람"):
        return ""
    if joins_another_subject(after):
        return ""
    for old, new in _ENDS:
        if after.endswith(old):
            return rewrite(f"{before}{after[: -len(old)]}{new} {noun}", style)
    return ""
