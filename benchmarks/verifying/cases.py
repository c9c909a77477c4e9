"""Mutate references so that the corpus refutes them, or cannot refute them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kofinlaw.data.law.verifying.checked import CheckedCitation
from kofinlaw.data.law.verifying.known_law import ArticleText, KnownAct, KnownLaw
from kofinlaw.data.law.verifying.verify import verify_citations

REFUTED = 2000
OLD, NEW = "2015-01-01", "2022-01-01"  # days of the two versions of (a) and (b)
_CITED = re.compile(r"제(\d+)조((?:의\d+)*)")


@dataclass(frozen=True, slots=True)
class Case:
    """A text, the offsets of its mutated reference, and the day to check for."""

    kind: str
    text: str
    start: int
    end: int
    day: str | None = None


def dated(law: KnownLaw) -> KnownLaw:
    """Return the law as if each third article had come into force on NEW, the others on OLD."""
    acts = {}
    for title, act in law.acts.items():
        articles = {}
        for index, (number, texts) in enumerate(act.articles.items()):
            since = NEW if index % 3 == 2 else OLD
            articles[number] = [replace(texts[0], since=since, until="")]
        acts[title] = KnownAct(title, NEW, OLD, articles, act.annexes, act.whole)
    return KnownLaw(acts)


def holding(texts: list[str], law: KnownLaw) -> Iterator[tuple[str, CheckedCitation]]:
    """Yield (sentence, a reference to a whole article in it that holds and names its act)."""
    for text in texts:
        for one in verify_citations(text, law):
            if one.verdict != "holds" or one.provision or one.day or one.heading or one.quoted:
                continue
            if _CITED.match(one.text) or not _CITED.search(one.text) or "같은" in one.text:
                continue  # the words of the reference name no act
            low = max(text.rfind("\n", 0, one.start), text.rfind(". ", 0, one.start)) + 1
            high = min(
                h for h in (text.find("\n", one.end), text.find(". ", one.end), len(text)) if h >= 0
            )
            sentence = text[low:high]
            alone = verify_citations(sentence, law)
            place = one.start - low
            if any(
                x.start == place
                and x.target == one.target
                and x.verdict == "holds"
                and not x.heading
                and not x.quoted
                and not x.provision
                for x in alone
            ):
                yield sentence, replace(one, start=place, end=one.end - low)


def mutated(law: KnownLaw, later: KnownLaw, texts: list[str], rng: random.Random) -> list[Case]:
    """Return REFUTED cases that the corpus refutes, the kinds in turn."""
    out: list[Case] = []
    wanted = dict.fromkeys(("article", "항", "호", "heading", "quotation", "day"), REFUTED // 6 + 1)
    for text, one in holding(texts, law):
        title, _, number = one.target.rpartition(" ")
        act = law.acts[title]
        article = act.articles[number][0]
        kinds = [k for k, n in wanted.items() if n and _possible(k, article, later, title, number)]
        if not kinds:
            continue
        kind = rng.choice(kinds)
        before, after = text[: one.start], text[one.end :]
        words, day = _refuted(kind, one.text, act, article, rng)
        if not words:
            continue
        out.append(Case(kind, before + words + after, len(before), len(before) + len(words), day))
        wanted[kind] -= 1
        if len(out) >= REFUTED:
            break
    return out


def _possible(kind: str, article: ArticleText, later: KnownLaw, title: str, number: str) -> bool:
    if kind == "호":
        return any(path.endswith("호") for path in article.words)
    if kind == "heading":
        return bool(article.heading)
    if kind == "quotation":
        return len(article.text) > 60
    if kind == "day":
        return later.acts[title].articles[number][0].since == NEW
    return True


def _refuted(
    kind: str, words: str, act: KnownAct, article: ArticleText, rng: random.Random
) -> tuple[str, str | None]:
    """Return the words of the reference after its mutation, and the day to check for."""
    if kind == "day":
        return words, f"{rng.randrange(2015, 2022)}-06-01"
    if kind == "article":
        most = max((int(m[1]) for n in act.articles if (m := _CITED.match(n))), default=0)
        if not most:
            return "", None
        return _CITED.sub(f"제{most + rng.randrange(1, 60)}조", words), None
    if kind == "항":
        paragraphs = [path for path in article.words if re.fullmatch(r"제\d+항", path)]
        return f"{words}제{max(1, len(paragraphs)) + rng.randrange(1, 6)}항", None
    if kind == "호":
        item = rng.choice([path for path in article.words if path.endswith("호")])
        above = item[: item.rindex("제")]
        most = max(
            int(m[1])
            for path in article.words
            if (m := re.fullmatch(rf"{above}제(\d+)호(?:의\d+)*", path))
        )
        return f"{words}{above}제{most + rng.randrange(1, 9)}호", None
    if kind == "heading":
        other = [
            t[0].heading
            for t in act.articles.values()
            if t[0].heading and t[0].heading != article.heading
        ]
        return (f"{words}({rng.choice(other)})", None) if other else ("", None)
    return f"{words}는 “{_other_words(article.text, rng)}”라고 정하고 있고, ", None


def _other_words(text: str, rng: random.Random) -> str:
    """Return a sentence of the article with one word changed: a figure, a modal ending, a word."""
    whole = re.sub(r"[“”\"\n]", " ", text)
    part = next((p for p in re.split(r"(?<=다)\. ?", whole) if len(p) > 40), whole)[:200]
    words = part.split()
    kind = rng.randrange(3)
    if kind == 0 and re.search(r"\d+", part):
        return re.sub(r"\d+", lambda m: str(int(m[0]) + 3), part, count=1)
    if kind == 1 and re.search(r"하여야 한다|할 수 있다", part):
        return (
            part.replace("하여야 한다", "할 수 있다")
            if "하여야 한다" in part
            else part.replace("할 수 있다", "하여야 한다")
        )
    del words[len(words) // 2]  # without a mark of omission
    changed = " ".join(words)
    return changed if re.sub(r"\W", "", changed) not in re.sub(r"\W", "", text) else "다만 " + part


def undecidable(
    law: KnownLaw, texts: list[str], rng: random.Random, count: int = 600
) -> list[Case]:
    """Return cases that the corpus cannot refute."""
    out: list[Case] = []
    for text, one in holding(texts, law):
        title, _, number = one.target.rpartition(" ")
        act = law.acts[title]
        others = [
            n
            for n, t in act.articles.items()
            if n != number and _CITED.fullmatch(n) and not t[0].deleted
        ]
        kind = ("article", "act", "day", "no text", "heading of another")[len(out) % 5]
        before, after, words, day = text[: one.start], text[one.end :], one.text, None
        if kind in ("article", "heading of another"):
            if not others:
                continue
            words = _CITED.sub(rng.choice(others), words)
            if kind != "article":
                words += f"({act.articles[number][0].heading or '목적'})"
        elif kind == "act":
            words = "「우주항공개발촉진법」 " + number
        elif kind == "day":
            day = "1960-01-01"
        else:
            words += "는 “이 조문의 문언을 확인할 수 없는 경우에 쓰인 문장이다”라고 정하고 있고, "
        out.append(Case(kind, before + words + after, len(before), len(before) + len(words), day))
        if len(out) >= count:
            break
    return out


def without_texts(law: KnownLaw) -> KnownLaw:
    """Return the law without the texts and headings of its articles."""
    return KnownLaw(
        {
            title: KnownAct(
                title,
                act.as_of,
                act.oldest,
                {n: [ArticleText("", "", t[0].deleted)] for n, t in act.articles.items()},
                act.annexes,
                act.whole,
            )
            for title, act in law.acts.items()
        }
    )
