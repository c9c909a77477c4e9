"""Measure how well `verify-citations` refutes, abstains and agrees with labels, and its speed.

    python benchmarks/verify_citations.py [--shared ../shared/data] [--fuzz 1000000] [--show]

- (a) References mutated by rule so that the corpus refutes them, in sentences of the statutes and
  of court decisions: another article, 항 or 호 number than the act has; another heading; other
  words in a quotation; a day before a known 시행일 (on a corpus with two versions of each act).
- (b) Mutations that the corpus cannot refute: another article that exists, an act that the corpus
  lacks, a day before its first version, and words of a provision whose text the corpus lacks.
- (c) References that were labelled by hand: id of the decision or article, offsets, a hash of the
  words and the verdict in `tests/data/labels/verified_citations.jsonl`. The verdict is that of the
  newest text. `random` are references of random sentences of decisions (half of them sentences with
  an act of the corpus) and of articles; `refuted` were drawn from those that an earlier version
  refuted, and show how many alarms are right. A false alarm is a refuting verdict where the label
  has none. The label `none` marks words that are no reference.
- Fuzzed texts, speed in processor time, and growth with the length of a text.

The baseline is the check that a user would write with regular expressions: 「act」 제N조, looked up
in the list of articles.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from development_data import DATA, require
from outcome import outcome

from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.law.verifying.checked import FAILED, CheckedCitation
from kofinlaw.data.law.verifying.known_law import ArticleText, KnownAct, KnownLaw
from kofinlaw.data.law.verifying.verify import verify_citations
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import sha256_text

LABELS = Path(__file__).parents[1] / "tests" / "data" / "labels" / "verified_citations.jsonl"
FIELDS = ("판시사항", "판결요지", "참조조문")
REFUTED = 2000
OLD, NEW = "2015-01-01", "2022-01-01"  # days of the two versions of (a) and (b)
_CITED = re.compile(r"제(\d+)조((?:의\d+)*)")
_NAIVE = re.compile(r"「([^「」]{2,60})」\s*제(\d+)조((?:의\d+)?)")


@dataclass(frozen=True, slots=True)
class Case:
    """A text, the offsets of its mutated reference, and the day to check for."""

    kind: str
    text: str
    start: int
    end: int
    day: str | None = None


def corpus(shared: Path, folder: Path) -> KnownLaw:
    """Build the corpus of the statutes and regulations."""
    places = [shared / "statutes" / "acts", shared / "statutes" / "admin_rules"]
    settings = DataSettings.model_validate(
        {"sources": [*map(str, places), str(shared / "regulations")]}
    )
    build_corpus(settings, folder, base=Path("/"))
    return KnownLaw.of_corpus(folder)


def decisions(shared: Path) -> dict[str, str]:
    """Return the texts of the court decisions by id."""
    path = shared / "precedents" / "precedents_dev.jsonl.xz"
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return {
            row["판례일련번호"]: "\n".join(str(row.get(name) or "") for name in FIELDS)
            for row in map(json.loads, lines)
        }


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


def at(case: Case, law: KnownLaw) -> list[CheckedCitation]:
    """Return the references that begin in the mutated words."""
    found = verify_citations(case.text, law, as_of=case.day)
    return [one for one in found if case.start <= one.start < case.end]


def naive_catches(case: Case, law: KnownLaw) -> bool:
    """Return whether looking 「act」 제N조 up in the list of articles refutes the case."""
    for match in _NAIVE.finditer(case.text[case.start : case.end]):
        title = match[1].strip()
        if title in law.acts and f"제{match[2]}조{match[3]}" not in law.acts[title].articles:
            return True
    return False


def refuted_figures(
    cases: list[Case], law: KnownLaw, later: KnownLaw, show: bool
) -> dict[str, Any]:
    """Return the share of cases that are caught, by kind, and that of the baseline."""
    caught: Counter[str] = Counter()
    naive: Counter[str] = Counter()
    total = Counter(case.kind for case in cases)
    for case in cases:
        found = at(case, later if case.kind == "day" else law)
        caught[case.kind] += any(one.failed for one in found)
        naive[case.kind] += naive_catches(case, law)
        if show and not any(one.failed for one in found):
            print(
                "missed",
                case.kind,
                case.text[case.start - 20 : case.end + 30],
                [(o.text, o.message) for o in found],
            )
    return {
        "n": len(cases),
        "caught": sum(caught.values()) / len(cases),
        "baseline": sum(naive.values()) / len(cases),
        "kinds": {
            k: {"n": n, "caught": caught[k] / n, "baseline": naive[k] / n} for k, n in total.items()
        },
    }


def undecidable_figures(
    cases: list[Case], law: KnownLaw, later: KnownLaw, bare: KnownLaw, show: bool
) -> dict[str, Any]:
    """Return the share of cases with an allowed verdict: never `holds` by words, and refuted only
    where the corpus has another heading.
    """
    right: Counter[str] = Counter()
    total = Counter(case.kind for case in cases)
    for case in cases:
        known = {"day": later, "no text": bare}.get(case.kind, law)
        found = at(case, known)
        allowed = {
            "article": ("holds", "unknown"),
            "heading of another": ("differs", "unknown"),
        }.get(case.kind, ("unknown",))
        good = bool(found) and all(one.verdict in allowed and one.basis != "words" for one in found)
        right[case.kind] += good
        if show and not good:
            print(
                "wrong",
                case.kind,
                case.text[case.start - 20 : case.end + 30],
                [(o.text, o.title, o.message) for o in found],
            )
    return {
        "n": len(cases),
        "right": sum(right.values()) / len(cases),
        "kinds": {k: {"n": n, "right": right[k] / n} for k, n in total.items()},
    }


def label_figures(texts: dict[str, str], law: KnownLaw, show: bool) -> dict[str, Any]:
    """Return how the verdicts agree with the labels; see the module's docstring."""
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    by_set: dict[str, Counter[str]] = {}
    checked: dict[str, list[CheckedCitation]] = {}
    for row in rows:
        act, name = row.get("act", ""), row["id"]
        number = name.rpartition(" ")[2] if act else ""
        text = law.acts[act].articles[number][0].text if act else texts[name]
        if sha256_text(text[row["start"] : row["end"]])[:16] != row["sha256"]:
            print("the text of a label has changed:", name, row["start"])
            continue
        if name not in checked:
            checked[name] = verify_citations(text, law, act=act, article=number)
        same = [o for o in checked[name] if o.end == row["end"] and o.start >= row["start"]]
        count = by_set.setdefault(row["set"], Counter())
        if row["verdict"] == "none":
            count["not a reference"] += 1
            count["listed without reason"] += bool(same)
            continue
        count["n"] += 1
        if not same:
            count["not found"] += 1
            if show:
                print("not found", row)
            continue
        verdict = next((o.verdict for o in same if o.failed), same[0].verdict)
        count["agree"] += verdict == row["verdict"]
        count["alarms"] += verdict in FAILED
        wrong = verdict in FAILED and row["verdict"] not in FAILED
        count["false alarms"] += wrong
        count["missed"] += verdict not in FAILED and row["verdict"] in FAILED
        if show and verdict != row["verdict"]:
            print("label", row, verdict, same[0].message)
    return {name: dict(count) for name, count in by_set.items()}


def fuzz(law: KnownLaw, count: int, rng: random.Random) -> int:
    """Return the number of fuzzed texts that raise or whose offsets do not fit."""
    pieces = [
        "제",
        "第",
        "3",
        "12",
        "조",
        "條",
        "의2",
        " ",
        "항",
        "호",
        "가목",
        "「",
        "」",
        "은행법",
        "민법",
        "구 ",
        "(",
        ")",
        "“",
        "”",
        "별표 1",
        "부칙 ",
        "같은 법 ",
        "동법",
        "영 ",
        "시행령",
        "부터 ",
        "까지",
        "ㆍ",
        "는 ",
        "라고 정한다",
        "2019. 1. 1. 기준",
        "대법원 ",
        "2010도11015",
        "\u1112\u1161\u11ab",
        "\u200b",
        "３",
        "삼",
        "\n",
        "관한 법률",
        "전의 것",
        "이하 “법”이라 한다",
        "\ud800",
        "\U0001f600",
        "<",
        "[",
        "법률",
        "제9999999999999999999조",
    ]
    bad = 0
    for _ in range(count):
        if rng.random() < 0.8:
            text = "".join(rng.choices(pieces, k=rng.randrange(1, 24)))
        else:
            text = "".join(
                chr(
                    rng.choice(
                        (
                            rng.randrange(1, 0x250),
                            rng.randrange(0x1100, 0x1200),
                            rng.randrange(0x3000, 0x3200),
                            rng.randrange(0xAC00, 0xD7A4),
                        )
                    )
                )
                for _ in range(rng.randrange(1, 40))
            )
        try:
            bad += any(
                text[o.start : o.end] != o.text or not o.text for o in verify_citations(text, law)
            )
        except Exception as error:
            bad += 1
            print("fuzz", type(error).__name__, error, ascii(text))
    return bad


def speed(texts: list[str], law: KnownLaw) -> float:
    """Return references in a second of processor time, the best of three."""
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        count = sum(len(verify_citations(text, law)) for text in texts)
        best = max(best, count / (time.process_time() - start))
    return best


def growth(texts: list[str], law: KnownLaw) -> float:
    """Return the largest ratio of processor time for twice the text, over fillings of one kind."""
    worst = 0.0
    for filling in (
        "\n".join(texts[:60]),
        "제3조 ",
        "“제3조",
        "(",
        "은행법 제3조는 “가나다라”라고 정한다. ",
        "관한 법률 ",
        "가나다라 ",
        "구 ",
        "대법원 ",
        "및 ",
    ):
        times = []
        for size in (60_000, 120_000):
            text = (filling * (size // len(filling) + 1))[:size]
            rounds = []
            for _ in range(3):
                start = time.process_time()
                verify_citations(text, law)
                rounds.append(time.process_time() - start)
            times.append(sorted(rounds)[1])
        if times[0] > 0.02:
            worst = max(worst, times[1] / times[0])
    return worst


def main() -> None:
    """Measure, print a table, and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=DATA, help="folder with statutes/")
    parser.add_argument("--corpus", type=Path, help="a corpus built before")
    parser.add_argument("--fuzz", type=int, default=1_000_000, help="number of fuzzed texts")
    parser.add_argument("--show", action="store_true", help="print what is wrong")
    options = parser.parse_args()
    require(options.shared / "statutes", "--shared")
    with tempfile.TemporaryDirectory() as folder:
        law = (
            KnownLaw.of_corpus(options.corpus)
            if options.corpus
            else corpus(options.shared, Path(folder))
        )
    later, bare = dated(law), without_texts(law)
    cases = decisions(options.shared)
    rng = random.Random(19)
    statutes = [
        t[0].text for act in law.acts.values() for t in act.articles.values() if "「" in t[0].text
    ]
    courts = list(cases.values())
    rng.shuffle(statutes)
    rng.shuffle(courts)
    mixed = [text for pair in zip(statutes, courts, strict=False) for text in pair]
    refuted = refuted_figures(mutated(law, later, mixed, rng), law, later, options.show)
    print("(a) refuted", json.dumps(refuted, ensure_ascii=False))
    unsure = undecidable_figures(undecidable(law, mixed[::-1], rng), law, later, bare, options.show)
    print("(b) undecidable", json.dumps(unsure, ensure_ascii=False))
    labels = label_figures(cases, law, options.show) if LABELS.is_file() else {}
    print("(c) labels", json.dumps(labels, ensure_ascii=False))
    rate = speed(courts[:400], law)
    ratio = growth(courts, law)
    bad = fuzz(law, options.fuzz, rng) if options.fuzz else None
    random_set = labels.get("random", {})
    false = (
        random_set.get("false alarms", 0) / max(1, random_set.get("n", 0)) if random_set else None
    )
    print(
        f"{rate:,.0f} references a second, {ratio:.2f} times the time for twice the text, "
        f"{bad} of {options.fuzz} fuzzed texts fail"
    )
    figures = {
        "refuted": refuted,
        "undecidable": unsure,
        "labels": labels,
        "rate": round(rate),
        "growth": round(ratio, 2),
        "fuzzed": options.fuzz,
        "fuzz_failures": bad,
    }
    print(
        outcome(
            figures,
            {
                "refutable references": (refuted["n"], (">=", REFUTED)),
                "share caught": (refuted["caught"], (">=", 0.99)),
                "undecidable with an allowed verdict": (unsure["right"], (">=", 1)),
                "labelled references": (random_set.get("n"), (">=", 300)),
                "false alarms of labelled": (false, ("<=", 0.01)),
                "fuzzed texts": (options.fuzz or None, (">=", 1_000_000)),
                "fuzz failures": (bad, ("<=", 0)),
                "references a second": (round(rate), (">=", 10_000)),
                "time for twice the text": (round(ratio, 2), ("<=", 2.6)),
            },
        )
    )


if __name__ == "__main__":
    main()
