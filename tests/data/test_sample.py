"""The sample corpus: its size, its mix of questions, and answers that are in the corpus."""

from __future__ import annotations

import csv
import html
import re
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from kofinlaw.files import read_jsonl
from kofinlaw.records import Key, Question

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
CORPUS = SAMPLE / "corpus"
LAST_CONTEST_DAY = "2025-07-31"


def rulebooks() -> dict[str, str]:
    """Title → Markdown of the six rulebooks (the guideline has no front matter)."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.md"))]
    return {re.search(r"^# (.+)$", t, re.M)[1]: t for t in texts if t.startswith("---\n")}


def pdf_text() -> str:
    pdfium = pytest.importorskip("pypdfium2")
    document = pdfium.PdfDocument(CORPUS / "재해복구_훈련_시행세칙.pdf")
    return "".join(page.get_textpage().get_text_range() for page in document)


def hwpx_paragraphs() -> list[str]:
    with zipfile.ZipFile(CORPUS / "민원_응대_편람.hwpx") as archive:
        section = archive.read("Contents/section0.xml").decode("utf-8")
    return [html.unescape(text) for text in re.findall(r"<hp:t>([^<]+)</hp:t>", section)]


def units() -> dict[str, str]:
    """Every unit a key may name → its text, read here without the project's own parsers."""
    out: dict[str, str] = {}
    for title, text in rulebooks().items():
        for number, body in re.findall(
            r"^##### (제\d+조(?:의\d+)?)(.*?)(?=^#|\Z)", text, re.M | re.S
        ):
            out[f"{title} {number}"] = body
        for number, body in re.findall(r"^## 별표 (\d+)(.*?)(?=^#|\Z)", text, re.M | re.S):
            out[f"{title} 별표 {number}"] = body
    page = (CORPUS / "모바일뱅킹_이용자_보호_지침.html").read_text(encoding="utf-8")
    page = page[page.index("<article>") :]
    for heading, body in re.findall(r"<h2>(.*?)</h2>(.*?)(?=<h2>|</article>)", page, re.S):
        out[f"모바일뱅킹 이용자 보호 지침 > {heading}"] = body
    guide = (CORPUS / "생성형_인공지능_업무_활용_지침.md").read_text(encoding="utf-8")
    for heading, body in re.findall(r"^## (.+?)$(.*?)(?=^## |\Z)", guide, re.M | re.S):
        out[f"생성형 인공지능 업무 활용 지침 > {heading}"] = body
    rules = pdf_text()
    for number, body in re.findall(r"^(제\d+조)\((.*?)(?=^제\d+조\(|^부칙|\Z)", rules, re.M | re.S):
        out[f"재해복구 훈련 시행세칙 {number}"] = body
    source = (SAMPLE / "sources" / "민원_응대_편람.txt").read_text(encoding="utf-8")
    found = re.findall(r"^## (.+?)$(.*?)(?=^## |\Z)", source, re.M | re.S)
    for number, (heading, body) in zip("가나다라마바사", found, strict=False):
        out[f"민원 응대 편람 > {number}. {heading}"] = body  # numbered by its outline style
    return out


QUESTIONS = list(read_jsonl(SAMPLE / "questions.jsonl", Question))
KEYS = {key.id: key for key in read_jsonl(SAMPLE / "key.jsonl", Key)}
CHOICE = [q for q in QUESTIONS if q.options]
FREE = [q for q in QUESTIONS if not q.options]
UNITS = units()


def share(slice_name: str) -> float:
    return sum(slice_name in KEYS[q.id].slices for q in CHOICE) / len(CHOICE)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_rulebooks_have_at_least_eighty_articles_in_statute_form():
    books = rulebooks()
    articles = [n for t in books.values() for n in re.findall(r"^##### 제\d+조\S*", t, re.M)]
    everything = "\n".join(books.values())
    assert len(books) == 6
    assert len(articles) >= 80
    for mark in (
        "## 제1편",
        "### 제1장",
        "#### 제1절",
        "제12조의2",
        "  1\\. ",
        "    가\\. ",
        "## 부칙",
    ):
        assert mark in everything
    assert re.search(r"^## 별표 1 .*\n\n\|.*\|\n\| --- ", everything, re.M)


def test_every_rulebook_takes_effect_after_the_contest_cut_off():
    for title, text in rulebooks().items():
        front = text.split("---")[1]
        promulgated = re.search(r"^공포일자: (\S+)$", front, re.M)[1]
        effective = re.search(r"^시행일자: (\S+)$", front, re.M)[1]
        assert LAST_CONTEST_DAY < promulgated < effective, title
        assert "라이선스: Apache-2.0" in front


def test_cross_references_point_to_articles_that_exist():
    pattern = re.compile(
        r"(?:「([^」]+)」 )?(제\d+조(?:의\d+)?)(?:제\d+항)?(?:부터 (제\d+조)까지)?"
    )
    for title, text in rulebooks().items():
        body = text[text.index("##### 제1조") : text.index("## 부칙")]
        for act, article, until in pattern.findall(body):
            target = act or title
            assert f"{target} {article}" in UNITS
            assert not until or f"{target} {until}" in UNITS


def test_question_set_has_the_promised_mix():
    options = Counter(len(q.options) for q in CHOICE)
    assert len(CHOICE) >= 60
    assert len(FREE) >= 12
    assert share("negative") >= 1 / 3
    assert share("numeric") >= 1 / 4
    assert set(options) == {4, 5}
    assert min(options.values()) >= len(CHOICE) // 3
    assert set(KEYS) == {q.id for q in QUESTIONS}


def test_ids_stems_and_options_are_not_repeated():
    assert len({q.id for q in QUESTIONS}) == len(QUESTIONS)
    assert len({q.question for q in QUESTIONS}) == len(QUESTIONS)
    for q in CHOICE:
        assert len({squeezed(option) for option in q.options}) == len(q.options), q.id


def test_answers_are_labels_in_range_and_slices_agree_with_the_options():
    for q in CHOICE:
        key = KEYS[q.id]
        assert 1 <= int(key.answer) <= len(q.options)
        assert {4: "four", 5: "five"}[len(q.options)] in key.slices
        negative = re.search(r"않[은는] 것은\?|아닌 것은\?|없는 것은\?$", q.question)
        asks_what_is_not = negative and "수신을 거부할" not in q.question
        assert bool(asks_what_is_not) == ("negative" in key.slices), q.id


def test_free_text_has_short_references_that_contain_their_keywords():
    in_question = []
    for q in FREE:
        key = KEYS[q.id]
        assert 40 <= len(key.reference) <= 90
        assert 1 <= len(key.keywords) <= 2
        assert all(word in key.reference for word in key.keywords)
        in_question += [word in q.question for word in key.keywords]
        assert key.answer == ""
        assert "free" in key.slices
    assert sum(in_question) > len(in_question) / 2


def test_every_gold_unit_exists_and_all_documents_are_asked_about():
    asked = set()
    for key in KEYS.values():
        assert key.units
        assert set(key.units) <= set(UNITS), key.id
        asked |= {re.split(r" > | 제\d+조| 별표", unit)[0] for unit in key.units}
    assert len(asked) == 10


def test_numeric_answers_are_in_their_gold_article():
    checked = 0
    for q in CHOICE:
        key = KEYS[q.id]
        if "numeric" not in key.slices or "computed" in key.slices:
            continue
        value = squeezed(q.options[int(key.answer) - 1])
        assert re.search(rf"(?<!\d){value}", squeezed(" ".join(map(UNITS.get, key.units)))), q.id
        checked += 1
    assert checked >= 15


def test_answer_positions_are_near_uniform():
    for size in (4, 5):
        answers = Counter(KEYS[q.id].answer for q in CHOICE if len(q.options) == size)
        assert set(answers) == {str(label) for label in range(1, size + 1)}
        assert max(answers.values()) - min(answers.values()) <= 2


@pytest.mark.parametrize("group", ["all", "negative", "numeric"])
def test_picking_the_longest_option_is_no_better_than_chance(group: str):
    chosen = [q for q in CHOICE if group == "all" or group in KEYS[q.id].slices]
    chance = sum(1 / len(q.options) for q in chosen) / len(chosen)
    hits = 0.0
    for q in chosen:
        longest = max(map(len, q.options))
        tied = [i for i, option in enumerate(q.options, 1) if len(option) == longest]
        hits += (int(KEYS[q.id].answer) in tied) / len(tied)
    assert abs(hits / len(chosen) - chance) <= (0.05 if group == "all" else 0.10)


def test_contest_file_has_the_same_questions():
    with open(SAMPLE / "contest_questions.csv", encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert (SAMPLE / "contest_questions.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    for row, q in zip(rows, QUESTIONS, strict=True):
        lines = row["Question"].split("\n")
        assert (row["ID"], lines[0]) == (q.id, q.question)
        assert lines[1:] == [f"{label} {text}" for label, text in enumerate(q.options, 1)]


def test_pdf_text_layer_gives_the_source_back():
    source = (SAMPLE / "sources" / "재해복구_훈련_시행세칙.txt").read_text(encoding="utf-8")
    furniture = r"가람솔은행 사규집 재해복구 훈련 시행세칙\s*- \d+ -"
    assert len(re.findall(furniture, pdf_text())) >= 2
    assert squeezed(re.sub(furniture, "", pdf_text())) == squeezed(source)


def test_hwpx_paragraphs_give_the_source_back():
    source = (SAMPLE / "sources" / "민원_응대_편람.txt").read_text(encoding="utf-8")
    assert squeezed("".join(hwpx_paragraphs())) == re.sub(r"[#|\s]", "", source)


def test_binary_documents_are_small():
    for path in CORPUS.iterdir():
        assert path.stat().st_size < 300_000, path.name
