"""Annexes in files of their own belong to their regulation."""

from __future__ import annotations

import json
import random
import re

import pytest

from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.law.citations import cited_units
from kofinlaw.data.law.versions import read_chunks
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_jsonl
from kofinlaw.records import Chunk, Rejected

TABLE = """\
┌────┬─────┐
│구분    │비율      │
├────┼─────┤
│예금    │100%      │
└────┴─────┘"""


def regulation(title="가람업감독규정", day="2026-04-01", *, annex="<별표 3>", more=""):
    return (
        f'---\n제목: {title}\n행정규칙구분: 고시\n시행일자: "{day}"\n'
        f"출처: https://www.law.go.kr/행정규칙/{title}\n{more}---\n\n# {title}\n\n"
        "제1조(목적) 이 규정은 은행의 감독에 필요한 사항을 정한다.\n\n"
        f"제2조(분류) 은행의 자산은 {annex}에 따라 분류하여야 한다.\n"
    )


def annex(name: str, title: str, *, body: str = "") -> str:
    words = (
        body or f"가. {title}을 위하여 은행은 위험을 평가하여야 한다.\n\n나. 평가의 결과를 알린다."
    )
    return f"# [{name}] {title}\n\n<{name}> <개정 2019.6.4>\n\n\n\n{title}\n\n\n\n{words}\n"


def corpus(tmp_path, files: dict[str, str], **settings):
    for name, text in files.items():
        path = tmp_path / "규정" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    out = tmp_path / "data"
    build_corpus(DataSettings(sources=[str(tmp_path / "규정")], **settings), out, base=tmp_path)
    return out


def units(out) -> dict[str, Chunk]:
    return {chunk.unit: chunk for chunk in read_jsonl(out / "chunks.jsonl", Chunk)}


def card(out):
    return json.loads((out / "card.json").read_text(encoding="utf-8"))


def rejected(out) -> dict[str, str]:
    return {r.id: r.reason for r in read_jsonl(out / "rejected.jsonl", Rejected)}


def edges(out) -> dict[str, list[str]]:
    lines = (out / "citations.jsonl").read_text(encoding="utf-8").splitlines()
    return {e["target"]: e["chunk_ids"] for e in map(json.loads, lines)}


def test_an_annex_takes_title_day_and_licence_from_its_regulation(tmp_path):
    out = corpus(
        tmp_path,
        {
            "가람업감독규정/고시.md": regulation(),
            "가람업감독규정/별표3.md": annex("별표 3", "자산건전성 분류기준"),
            "가람업감독규정/별표8.md": "# [별표 8]\n\n<별표 8> <삭제 2021.3.25.>\n",
        },
    )
    found = units(out)
    chunk = found["가람업감독규정 별표 3"]
    assert chunk.id == "가람업감독규정/별표 3"
    assert (chunk.title, chunk.kind, chunk.as_of) == ("가람업감독규정", "rule", "2026-04-01")
    assert chunk.license == "KR-Copyright-Act-Art7"
    assert chunk.source == "규정/가람업감독규정/별표3.md"
    header, *body = chunk.text.split("\n")
    assert header == "가람업감독규정 [별표 3] 자산건전성 분류기준"
    assert [line[:2] for line in body] == ["가.", "나."]
    # The reference of 제2조 leads to it, and a question finds it in any spelling.
    assert edges(out)["가람업감독규정 별표 3"] == ["가람업감독규정/별표 3"]
    for words in (
        "「가람업감독규정」 별표 3",
        "가람업감독규정 <별표3>",
        "가람업 감독규정 [별표 3]의 기준",
    ):
        assert cited_units(f"{words}은 무엇인가?", ["가람업감독규정"]) == ["가람업감독규정 별표 3"]
    assert found["가람업감독규정 별표 8"].text == "가람업감독규정 [별표 8]\n삭제 <2021-03-25>"
    assert rejected(out) == {}


def test_the_card_lists_every_file_with_its_day_and_where_it_came_from(tmp_path):
    out = corpus(
        tmp_path,
        {
            "가람/고시.md": regulation(),
            "가람/별표3.md": annex("별표 3", "분류기준"),
            "가람/별표8.md": "<별표 8> <삭제 2021.3.25.>\n",
            "지침.md": "# 이용자 보호\n\n은행은 이용자를 보호하기 위하여 다음을 지켜야 한다.\n",
        },
    )
    figures = card(out)
    assert (figures["documents"], figures["annexes"], figures["deleted_annexes"]) == (2, 2, 1)
    assert figures["days_from"] == {"front matter: 시행일자": 1, "unknown": 1}
    shown = {row["source"]: row for row in figures["sources"]}
    assert shown["규정/가람/고시.md"]["day_from"] == "front matter: 시행일자"
    assert shown["규정/가람/별표3.md"]["day_from"] == "규정/가람/고시.md: front matter: 시행일자"
    assert shown["규정/가람/별표3.md"]["as_of"] == "2026-04-01"
    assert shown["규정/가람/별표3.md"]["chunks"] == 1
    assert shown["규정/가람/별표8.md"]["deleted"]
    assert shown["규정/지침.md"]["as_of"] == shown["규정/지침.md"]["day_from"] == ""
    text = (out / "card.md").read_text(encoding="utf-8")
    assert "| 이용자 보호 | guideline | unknown |" in text
    assert r"가람업감독규정 \[별표 8\] (삭제)" in text


def test_an_annex_that_names_its_articles_refers_to_them(tmp_path):
    out = corpus(
        tmp_path,
        {
            "가람/고시.md": regulation(),
            "가람/별표3.md": annex(
                "별표 3", "분류기준", body="(제2조 관련)\n\n가. 자산은 다섯으로 나눈다."
            ),
        },
    )
    assert units(out)["가람업감독규정 별표 3"].text.startswith(
        "가람업감독규정 [별표 3] 분류기준(제2조 관련)\n가."
    )
    assert edges(out)["가람업감독규정 제2조"] == ["가람업감독규정/제2조"]


def test_a_drawn_table_in_an_annex_is_rows_without_separators(tmp_path):
    out = corpus(
        tmp_path,
        {"가람/고시.md": regulation(), "가람/별표3.md": annex("별표 3", "분류기준", body=TABLE)},
    )
    text = units(out)["가람업감독규정 별표 3"].text
    assert text.split("\n")[1:] == ["| 구분 | 비율 |", "| 예금 | 100% |"]


@pytest.mark.parametrize(
    "files, owner",
    [
        # Two regulations in one folder: the annex or its name must say whose it is.
        (("가람.md", "나루.md", "별표3.md"), ""),
        (("가람.md", "나루.md", "[별표 3] 분류기준(나루업감독규정).md"), "나루업감독규정"),
        (("가람.md", "나루.md", "나루업감독규정 별표 3.md"), "나루업감독규정"),
        (("가람.md", "나루.md", "■별표3.md"), "나루업감독규정"),
        (("a/가람.md", "a/b/별표3.md"), "가람업감독규정"),
        (("a/가람.md", "b/나루.md", "b/별표3.md"), "나루업감독규정"),
        (("a/가람.md", "a/고시/나루.md", "b/별표3.md"), ""),
        (("a/고시.md", "a/나루.md", "a/별표3.md"), "가람업감독규정"),
        (("a/고시.md", "a/안내.md", "a/별표3.md"), "가람업감독규정"),
    ],
)
def test_an_annex_finds_its_regulation(tmp_path, files, owner):
    texts = {}
    for name in files:
        if "별표" in name:
            head = "■ 나루업감독규정 [별표 3]\n\n" if name.startswith("■") else ""
            texts[name.lstrip("■")] = head + annex("별표 3", "분류기준")
        elif "안내" in name:
            texts[name] = "# 안내\n\n은행은 이용자를 보호하기 위하여 다음을 지켜야 한다.\n"
        else:
            texts[name] = regulation("나루업감독규정" if "나루" in name else "가람업감독규정")
    out = corpus(tmp_path, texts)
    found = [unit for unit in units(out) if unit.endswith("별표 3")]
    assert found == ([f"{owner} 별표 3"] if owner else [])
    warnings = [w for w in card(out)["warnings"] if "without its regulation" in w]
    assert len(warnings) == (0 if owner else 1)
    if not owner:  # the text is still there, under its own title
        assert any("분류기준" in unit for unit in units(out))


def test_the_words_before_a_number_are_a_regulation_only_if_there_is_one(tmp_path):
    out = corpus(
        tmp_path, {"가람.md": regulation(), "개정안 별표 3.md": annex("별표 3", "분류기준")[2:]}
    )
    # The text itself names the annex, and there is one regulation next to it.
    assert "가람업감독규정 별표 3" in units(out)
    other = corpus(
        tmp_path / "둘",
        {
            "가람.md": regulation(),
            "개정안 별표 3.md": "개정안의 이유\n\n" + "은행을 보호한다.\n" * 9,
        },
    )
    assert "가람업감독규정 별표 3" not in units(other)
    assert "개정안 별표 3" in units(other)  # a document of its own, with the name of its file
    assert card(other)["warnings"] == []


def test_the_second_file_of_one_annex_is_rejected_by_name(tmp_path):
    text = annex("별표 3", "분류기준")
    out = corpus(
        tmp_path,
        {
            "가람/고시.md": regulation(),
            "가람/별표3.md": text,
            "가람/별표3.txt": text,
            "가람/별표 3.md": text.replace("알린다", "알리지 아니한다"),
        },
    )
    assert rejected(out) == {
        "규정/가람/별표3.md": "same_annex",
        "규정/가람/별표3.txt": "same_annex",
    }
    assert "알리지 아니한다" in units(out)["가람업감독규정 별표 3"].text


def test_a_file_of_an_annex_that_the_regulation_contains_is_rejected(tmp_path):
    inside = regulation() + "\n## 별표 3 분류기준\n\n자산은 다섯으로 나누어 관리하여야 한다.\n"
    out = corpus(tmp_path, {"가람/고시.md": inside, "가람/별표3.md": annex("별표 3", "분류기준")})
    assert rejected(out) == {"규정/가람/별표3.md": "same_annex"}
    assert "다섯으로" in units(out)["가람업감독규정 별표 3"].text


def test_equal_annexes_of_different_regulations_never_remove_each_other(tmp_path):
    """Property: any number of regulations with one annex text keep all of them."""
    rng = random.Random(5)
    words = [f"{n}. 은행은 담보인정비율 {n}퍼센트를 지켜야 한다." for n in range(1, 40)]
    files = {}
    for number in range(5):
        title = f"{'가나다라마'[number]}업감독규정"
        files[f"{title}/고시.md"] = regulation(title)
        changed = list(words)
        changed[rng.randrange(len(words))] = f"{number}. 다른 문장이다."
        files[f"{title}/별표{number + 1}.md"] = annex(
            f"별표 {number + 1}",
            "리스크관리기준",
            body="\n\n".join(words if number % 2 else changed),
        )
    out = corpus(tmp_path, files)
    assert {unit for unit in units(out) if "별표" in unit} == {
        f"{'가나다라마'[n]}업감독규정 별표 {n + 1}" for n in range(5)
    }
    pairs = [json.loads(line) for line in (out / "duplicates.jsonl").open(encoding="utf-8")]
    assert pairs
    assert not any(pair["removed"] for pair in pairs)
    assert rejected(out) == {}


def test_an_annex_is_superseded_with_its_regulation(tmp_path):
    out = corpus(
        tmp_path,
        {
            "2024/고시.md": regulation(day="2024-01-01"),
            "2024/별표3.md": annex("별표 3", "분류기준", body="가. 연체는 석 달로 본다."),
            "2024/별표4.md": annex("별표 4", "산정기준"),
            "2026/고시.md": regulation(day="2026-01-01"),
            "2026/별표3.md": annex("별표 3", "분류기준", body="가. 연체는 한 달로 본다."),
            "2026/별표4.md": annex("별표 4", "산정기준"),
        },
    )
    known = {c.id: (c.since, c.until) for c in read_chunks(out / "chunks.jsonl")}
    assert known["가람업감독규정/별표 3"] == ("2026-01-01", "")
    assert known["가람업감독규정@2024-01-01/별표 3"] == ("2024-01-01", "2026-01-01")
    assert known["가람업감독규정/별표 4"] == ("2024-01-01", "")
    assert rejected(out) == {}


def test_the_recipes_day_keeps_and_leaves_out_annexes_with_their_regulation(tmp_path):
    files = {
        "가람/고시.md": regulation(day="2024-01-01"),
        "가람/별표3.md": annex("별표 3", "분류기준"),
        "나루/고시.md": regulation("나루업감독규정", day="2030-01-01"),
        "나루/별표3.md": annex("별표 3", "분류기준"),
    }
    out = corpus(tmp_path, files, as_of="2025-01-01")
    assert set(units(out)) == {f"가람업감독규정 {n}" for n in ("제1조", "제2조", "별표 3")}
    assert rejected(out) == {
        "규정/나루/고시.md": "not_in_force",
        "규정/나루/별표3.md": "not_in_force",
    }


def test_annexes_can_be_left_out(tmp_path):
    files = {"가람/고시.md": regulation(), "가람/별표3.md": annex("별표 3", "분류기준")}
    out = corpus(tmp_path, files, chunks={"include_annexes": False})
    assert not [unit for unit in units(out) if "별표" in unit]
    assert card(out)["removed_spans"]["annex"] == 1


@pytest.mark.shared
def test_every_real_annex_belongs_to_its_regulation(shared, tmp_path):
    source = shared / "regulations"
    if not source.is_dir():
        pytest.skip("the regulations with annexes in files are absent")
    out = tmp_path / "data"
    # Next to the regulations lies a list of the files, which is not a document.
    texts = DataSettings(sources=[{"path": str(source)}])
    counts = build_corpus(texts, out, base=tmp_path)
    figures = card(out)
    files = [p for p in source.rglob("*.md") if re.match(r"(별표|기타)\d", p.stem)]
    assert (counts.documents, figures["annexes"]) == (23, len(files)) == (23, 148)
    assert figures["deleted_annexes"] == 11
    assert figures["undated"] == 0
    chunks = list(read_jsonl(out / "chunks.jsonl", Chunk))
    assert {c.license for c in chunks} == {"KR-Copyright-Act-Art7"}
    assert not [c.id for c in chunks if re.search("[\u2500-\u257f]|\\| --- \\|", c.text)]
    assert set(rejected(out)) == {"regulations/manifest.csv"}
    found = {c.unit for c in chunks}
    assert {
        "은행업감독규정 별표 2-9",
        "보험업감독규정 별지 제6-2호서식",
        "신용정보업감독규정 기타 1",
    } <= found
    (target,) = cited_units(
        "「은행업감독규정」 별표 3의 자산건전성 분류기준은?", {c.title for c in chunks}
    )
    assert target in found


@pytest.mark.shared
def test_a_real_regulation_in_two_collections_is_two_versions(shared, tmp_path):
    folders = (shared / "regulations", shared / "statutes" / "admin_rules")
    sources = [{"path": str(folder), "include": ["*.md"]} for folder in folders]
    out = tmp_path / "data"
    build_corpus(DataSettings(sources=sources), out, base=tmp_path)
    days: dict[str, list[str]] = {}
    for row in card(out)["sources"]:
        if not row["annex"]:
            days.setdefault(row["title"], []).append(row["as_of"])
    assert days["전자금융감독규정"] == ["2026-02-13", "2025-02-05"]
    assert sum(len(found) == 2 for found in days.values()) == 5
    assert sorted(rejected(out).values()) == ["duplicate"] * 3 + ["not_included"]
    newest = {
        c.as_of for c in read_jsonl(out / "chunks.jsonl", Chunk) if c.title == "전자금융감독규정"
    }
    assert newest == {"2026-02-13"}
