"""Documents to chunks: split by structure, within the limit, without losing a character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.chunking import chunk_document, estimate_tokens, heading_sections
from kofinlaw.data.readers.documents import Document
from kofinlaw.data.settings import ChunkSettings
from kofinlaw.files import read_jsonl
from kofinlaw.records import Chunk


def document(text, kind="statute", title="전자금융거래법"):
    return Document(title, kind, text, "2024-09-15", "acts/a.md", "x", "markdown")


def check(doc, result, limit, count=len):
    """No chunk over the limit; each character that is not blank in exactly one span."""
    assert len({c.id for c in result.chunks}) == len(result.chunks)
    for chunk in result.chunks:
        assert count(chunk.text) <= limit, chunk.id
    spans = sorted([*result.spans, *result.removed], key=lambda s: (s.start, s.end))
    covered = 0
    for span in spans:
        assert covered <= span.start <= span.end <= len(doc.text)
        assert not doc.text[covered : span.start].strip()
        covered = span.end
    assert not doc.text[covered:].strip()


def test_an_article_is_one_chunk_headed_by_its_act_and_its_header():
    doc = document(
        "## 제1장 총칙\n\n##### 제9조 (손해배상)\n\n**①** 은행은 배상한다. <개정 2013.5.22>\n"
    )
    result = chunk_document(doc, ChunkSettings())
    (chunk,) = result.chunks
    assert chunk.id == "전자금융거래법/제9조"
    assert chunk.unit == "전자금융거래법 제9조"
    assert chunk.path == "제1장 총칙 > 제9조(손해배상)"
    assert chunk.text == "전자금융거래법 제9조(손해배상)\n① 은행은 배상한다."
    assert result.articles[0].id == chunk.unit
    assert result.articles[0].chunk_ids == (chunk.id,)
    check(doc, result, 1024, estimate_tokens)


def test_a_long_article_is_split_by_paragraph_then_item_under_the_same_header():
    items = "\n".join(f"  {n}\\. {'항목 내용 ' * 6}{n}" for n in range(1, 6))
    doc = document(
        f"##### 제9조 (의무)\n\n**①** 다음 각 호를 지킨다.\n\n{items}\n\n**②** 짧은 항이다.\n"
    )
    result = chunk_document(doc, ChunkSettings(max_tokens=110), len)
    assert [c.id.rpartition("/")[2] for c in result.chunks] == [
        "제1항제1호",
        "제1항제2호",
        "제1항제3호",
        "제1항제4호",
        "제1항제5호",
        "제2항",
    ]
    assert result.chunks[0].text.splitlines()[:3] == [
        "전자금융거래법 제9조(의무)",
        "① 다음 각 호를 지킨다.",
        f"1. {('항목 내용 ' * 6)}1",
    ]
    assert {c.unit for c in result.chunks} == {"전자금융거래법 제9조"}
    check(doc, result, 110)


def test_a_sentence_longer_than_the_limit_is_cut_and_nothing_is_lost():
    doc = document(f"##### 제9조 (의무)\n\n{'가나다라마바사 ' * 80}\n")
    result = chunk_document(doc, ChunkSettings(max_tokens=100), len)
    words = " ".join(c.text.partition("\n")[2] for c in result.chunks)
    assert words.split() == ["가나다라마바사"] * 80
    check(doc, result, 100)


def test_two_articles_with_one_number_get_different_ids_and_a_warning():
    doc = document("##### 제1조 (목적)\n\n첫째 본문이다.\n\n##### 제1조 (목적)\n\n둘째 본문이다.\n")
    result = chunk_document(doc, ChunkSettings())
    assert [c.id for c in result.chunks] == ["전자금융거래법/제1조", "전자금융거래법/제1조@2"]
    assert [a.id for a in result.articles] == ["전자금융거래법 제1조", "전자금융거래법 제1조@2"]
    assert result.warnings == ("제1조 occurs 2 times",)


def test_supplements_are_left_out_unless_asked_for_and_annexes_become_rows():
    text = (
        "##### 제1조 (목적)\n\n정한다.\n\n##### 제2조 (정의)\n\n말한다.\n\n## 부칙\n\n공포한 날부터 시행한다.\n\n"
        "## 별표 1 한도\n\n```text\n│구분 │한도 │\n├───┼───┤\n│ 전자화폐 │ 200 │\n```\n"
    )
    result = chunk_document(document(text), ChunkSettings())
    assert [c.id.rpartition("/")[2] for c in result.chunks] == ["제1조", "제2조", "별표 1"]
    assert result.chunks[2].text == "전자금융거래법 별표 1 한도\n구분 | 한도\n전자화폐 | 200"
    assert [s.name for s in result.removed] == ["supplement"]
    more = chunk_document(document(text), ChunkSettings(include_supplements=True))
    assert "전자금융거래법 부칙" in [c.unit for c in more.chunks]


def test_a_guideline_is_cut_by_heading():
    doc = document(
        "# 지침\n\n머리말이다.\n\n## 1. 이체\n\n한도를 둔다.\n\n#### 깊은 제목\n\n기록한다.\n",
        "guideline",
        "지침",
    )
    result = chunk_document(doc, ChunkSettings())
    assert [(c.unit, c.text) for c in result.chunks] == [
        ("지침", "지침\n머리말이다."),
        ("지침 > 1. 이체", "지침 > 1. 이체\n한도를 둔다."),
        ("지침 > 1. 이체 > 깊은 제목", "지침 > 1. 이체 > 깊은 제목\n기록한다."),
    ]


@pytest.mark.parametrize(
    "number",
    ["", "1. ", "가. ", "(1) ", "Ⅰ. ", "① ", "1 ", "1.1. ", "II. ", "A. ", "a) ", "제1장 "],
)
def test_a_heading_that_repeats_the_title_is_no_part_of_a_unit(number):
    text = f"# {number}응대 편람\n\n## 다. 등급\n\n가 등급은 부장이 맡는다.\n"
    (chunk,) = chunk_document(document(text, "guideline", "응대 편람"), ChunkSettings()).chunks
    assert chunk.unit == "응대 편람 > 다. 등급"


def test_a_heading_that_ends_with_the_title_stays_a_part_of_a_unit():
    text = "# 민원 응대 편람\n\n가 등급은 부장이 맡는다.\n"
    (chunk,) = chunk_document(document(text, "guideline", "응대 편람"), ChunkSettings()).chunks
    assert chunk.unit == "응대 편람 > 민원 응대 편람"


def test_headings_in_fences_are_text():
    sections = heading_sections("## 가\n```\n# 나\n```\n## 다\n라\n")
    assert [path for path, *_ in sections] == [("가",), ("다",)]


def test_an_article_keeps_its_chunk_when_another_changes():
    one = "##### 제1조 (목적)\n\n정한다.\n\n##### 제2조 (정의)\n\n말한다.\n"
    two = one.replace("정한다", "아주 길게 정한다")
    first = chunk_document(document(one), ChunkSettings()).chunks
    second = chunk_document(document(two), ChunkSettings()).chunks
    assert first[1] == second[1]
    assert first[0].id == second[0].id
    assert first[0].sha256 != second[0].sha256


WORDS = st.sampled_from(
    ["은행은", "이용자의", "동의를", "받아야 한다.", "제2항에", "따라", "<개정 2013.5.22>", "가."]
)


SENTENCE = st.lists(WORDS, min_size=1, max_size=40).map(" ".join)


@st.composite
def acts(draw):
    lines = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        lines.append(f"##### 제{number}조 (제목)")
        for paragraph in range(draw(st.integers(0, 3))):
            lines += ["", f"**{'①②③'[paragraph]}** {draw(SENTENCE)}"]
            for item in range(draw(st.integers(0, 3))):
                lines.append(f"  {item + 1}\\. {draw(SENTENCE)}")
                lines += [
                    f"    {'가나'[n]}\\. {draw(SENTENCE)}" for n in range(draw(st.integers(0, 2)))
                ]
        lines += ["", draw(SENTENCE), ""]
    return "\n".join(lines)


@settings(max_examples=150, deadline=None)
@given(acts(), st.integers(64, 300))
def test_no_character_is_lost_and_no_chunk_is_too_long(text, limit):
    doc = document(text)
    check(doc, chunk_document(doc, ChunkSettings(max_tokens=limit), len), limit)


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="가나 .\n#|-`①1다\\*", max_size=400), st.sampled_from(["statute", "guideline"])
)
def test_any_text_is_cut_within_the_limit(text, kind):
    doc = document(text, kind)
    check(doc, chunk_document(doc, ChunkSettings(max_tokens=64), len), 64)


@pytest.mark.parametrize("size", [1_000_000])
def test_a_line_of_a_million_characters_is_cut(size):
    doc = document("가" * size, "manual")
    result = chunk_document(doc, ChunkSettings(max_tokens=1024))
    check(doc, result, 1024, estimate_tokens)
    assert sum(len(c.text.partition("\n")[2]) for c in result.chunks) == size


def test_a_long_table_is_cut_by_rows_under_its_first_row():
    rows = [f"| {n} | 지점 {n} | 담당자 {n} |" for n in range(40)]
    text = (
        "# 지점 표\n\n## 목록\n\n다음 표와 같다.\n\n| 번호 | 지점 | 담당 |\n| --- | --- | --- |\n"
    )
    text += "\n".join(rows) + "\n\n표의 끝이다.\n"
    doc = document(text, "guideline", "지점 표")
    result = chunk_document(doc, ChunkSettings(max_tokens=160))
    check(doc, result, 160, estimate_tokens)
    assert len(result.chunks) > 3
    for chunk in result.chunks[1:-1]:
        assert chunk.text.split("\n")[1] == "| 번호 | 지점 | 담당 |"
    written = [line for c in result.chunks for line in c.text.split("\n") if line in rows]
    assert written == rows
    assert result.chunks[-1].text.endswith("표의 끝이다.")


def test_a_paragraph_of_a_manual_is_split_at_the_sentence_ends_of_kiwi():
    said = [f"{n}번 창구에서는 손님의 말씀을 먼저 들어요 그리고 서류를 받습니다" for n in range(30)]
    text = "# 창구 편람\n\n## 응대\n\n" + " ".join(said) + "\n"
    doc = document(text, "manual", "창구 편람")
    result = chunk_document(doc, ChunkSettings(max_tokens=128))
    check(doc, result, 128, estimate_tokens)
    assert len(result.chunks) > 3
    for chunk in result.chunks:
        assert chunk.text.rstrip().endswith(("들어요", "받습니다")), chunk.text


def test_a_line_of_a_million_characters_is_read_and_cut(build, tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    sentence = "은행은 이용자에게 알린다. "
    (folder / "a.md").write_text(
        "# 긴 줄\n\n## 1. 범위\n\n" + sentence * (1_000_000 // len(sentence) + 1), encoding="utf-8"
    )
    counts = build([folder], tmp_path / "out", near_duplicates={"enabled": False})
    assert counts.longest_tokens <= 1024
    assert counts.chunks > 500


def test_headings_that_jump_and_articles_of_one_number_keep_their_words(files, build, tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "a.md").write_text(
        "###### 끝부터\n\n여섯째 단계의 제목이 앞에 선다.\n\n# 첫째\n\n#### 넷째\n\n"
        "둘과 셋을 건너뛴 제목이다.\n",
        encoding="utf-8",
    )
    (folder / "b.md").write_text(
        files.ACT.replace("제3조 (수수료)", "제2조 (수수료)"), encoding="utf-8"
    )
    build([folder], tmp_path / "out")
    units = [c.unit for c in read_jsonl(tmp_path / "out" / "chunks.jsonl", Chunk)]
    assert units == [
        "첫째 > 끝부터",
        "첫째 > 넷째",
        "가람법 제1조",
        "가람법 제2조",
        "가람법 제2조@2",
    ]
