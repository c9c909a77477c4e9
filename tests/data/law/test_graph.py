"""References of annexes in the citation graph."""

from __future__ import annotations

from kofinlaw.data.law.citations import find_citations
from kofinlaw.data.law.former_names import FormerName
from kofinlaw.data.law.graph import ChunkLookup, Passage, citation_graph
from kofinlaw.files import read_json_lines


def test_an_annex_is_read_with_the_short_names_of_its_documents_articles(build, act, tmp_path):
    (act / "가람법 시행령.md").write_text(
        "---\n제목: 가람법 시행령\n법령구분: 대통령령\n시행일자: 2024-07-01\n---\n\n# 가람법 시행령\n\n"
        "##### 제2조 (수수료)\n\n수수료는 백원으로 한다.\n",
        encoding="utf-8",
    )
    (act / "가람감독규정.md").write_text(
        "---\n제목: 가람감독규정\n법령구분: 고시\n시행일자: 2024-07-01\n---\n\n# 가람감독규정\n\n"
        '##### 제1조 (목적)\n\n이 규정은 「가람법」(이하 "법"이라 한다) 및 같은 법 시행령'
        '(이하 "영"이라 한다)에서 위임된 사항을 정한다.\n\n'
        "##### 제2조 (보고)\n\n은행은 보고하여야 한다.\n\n"
        "## 별표 1 수수료의 기준(영 제2조제1항 관련)\n\n수수료는 이용자에게 미리 알린다.\n",
        encoding="utf-8",
    )
    build([act], tmp_path / "out")
    edges = read_json_lines(tmp_path / "out" / "citations.jsonl")
    assert [
        (e["target"], e["provision"]) for _, e in edges if e["source"] == "가람감독규정 별표 1"
    ] == [("가람법 시행령 제2조", "제1항")]


def test_a_passage_whose_references_cannot_be_read_is_reported_and_the_others_are_written(
    monkeypatch,
):
    def read(text, **options):
        if "고장" in text:
            raise RecursionError
        return find_citations(text, **options)

    monkeypatch.setattr("kofinlaw.data.law.graph.find_citations", read)
    rows = [("제1조", "제2조에 따른다."), ("제2조", "고장 제1조"), ("제3조", "제1조에 따른다.")]
    passages = [Passage(f"가람법 {n}", "가람법", n, text, False) for n, text in rows]
    lookup, said = ChunkLookup(), []
    for number, _ in rows:
        lookup.add("가람법", number, f"가람법 {number}", ())
    found = list(citation_graph(passages, lookup, said.append))
    assert [(e.source, e.target) for e in found] == [
        ("가람법 제1조", "가람법 제2조"),
        ("가람법 제3조", "가람법 제1조"),
    ]
    assert said == ["가람법 제2조: its references cannot be read: it is nested too deeply"]


def test_a_former_name_leads_to_the_present_act():
    lookup = ChunkLookup()
    lookup.add("새이름법", "제5조", "새이름법 제5조", ["새이름법/제5조"])
    lookup.add("새이름법 시행령", "제2조", "새이름법 시행령 제2조", ["새이름법_시행령/제2조"])
    lookup.add("후속법", "제5조", "후속법 제5조", ["후속법/제5조"])
    names = [
        FormerName("옛이름법", ("새이름법",), same=True),
        FormerName("앞선법", ("후속법",)),
        FormerName("나뉜법", ("새이름법", "후속법")),
    ]
    text = "「옛 이름법」 제5조, 「옛이름법」 시행령 제2조, 「앞선법」 제5조 및 「나뉜법」 제3조"
    passage = Passage("규정 제1조", "규정", "제1조", text, deleted=False)
    found = list(citation_graph([passage], lookup, former=names))
    assert [(one.target, one.resolved) for one in found] == [
        ("새이름법 제5조", True),
        ("새이름법 시행령 제2조", True),
        ("후속법", False),
        ("나뉜법 제3조", False),
    ]
    before = list(citation_graph([passage], lookup))
    assert not any(one.resolved for one in before)
