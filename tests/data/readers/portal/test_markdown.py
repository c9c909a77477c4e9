"""The law portal's XML and JSON: the same text, all of it, in the order of the file."""

from __future__ import annotations

import json
import re
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.law.statute import parse_statute
from kofinlaw.data.readers.archives import local_name, parse_xml
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


PORTAL = """<?xml version="1.0" encoding="UTF-8"?><법령 법령키="1"><기본정보>
<법령ID>000001</법령ID><공포일자>20240102</공포일자><법령명_한글><![CDATA[가람법]]></법령명_한글>
<시행일자>20240701</시행일자><소관부처 소관부처코드="1">금융위원회</소관부처></기본정보><조문>
<조문단위><조문번호>1</조문번호><조문여부>전문</조문여부><조문내용><![CDATA[    제1장 총칙]]></조문내용></조문단위>
<조문단위><조문번호>1</조문번호><조문여부>조문</조문여부><조문제목>목적</조문제목>
<조문내용><![CDATA[제1조(목적) 이 법은 목적을 정한다.]]></조문내용></조문단위>
<조문단위><조문번호>2</조문번호><조문가지번호>3</조문가지번호><조문여부>조문</조문여부><조문제목>의무</조문제목>
<조문내용><![CDATA[제2조의3(의무)]]></조문내용><항><항번호>①</항번호><항내용><![CDATA[① 다음 각 호와 같다. <개정 2024.1.2>]]></항내용>
<호><호번호>1.</호번호><호내용><![CDATA[1. 첫째]]></호내용><목><목번호>가.</목번호><목내용><![CDATA[가. 하나]]></목내용></목></호>
<호><호번호>2.</호번호><호내용><![CDATA[2. 둘째]]></호내용></호></항></조문단위></조문>
<부칙><부칙단위><부칙내용><![CDATA[부칙 <제1호,2024.1.2>
공포한 날부터 시행한다.]]></부칙내용></부칙단위></부칙></법령>"""


def as_json(element):
    """An element as the portal's JSON has it: a list if a name repeats."""
    if not len(element):
        return element.text or ""
    out = {}
    for child in element:
        name, value = local_name(child.tag), as_json(child)
        if name in out:
            out[name] = out[name] if isinstance(out[name], list) else [out[name]]
            out[name].append(value)
        else:
            out[name] = value
    return out


def test_the_law_portals_xml_and_json_give_the_same_articles(tmp_path):
    (tmp_path / "a.xml").write_text(PORTAL, encoding="utf-8")
    tree = {"법령": as_json(parse_xml(PORTAL.encode(), "a.xml"))}
    tree["법령"]["기본정보"]["소관부처"] = {"content": "금융위원회", "소관부처코드": "1"}
    (tmp_path / "a.json").write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8")
    (one,), (two,) = read(tmp_path / "a.xml"), read(tmp_path / "a.json")
    assert (one.title, one.kind, one.as_of) == ("가람법", "statute", "2024-07-01")
    assert one.text == two.text
    assert one.warnings == two.warnings == ()
    statute = parse_statute(one.text)
    assert [(a.number, a.heading, a.path, a.text) for a in statute.articles] == [
        ("제1조", "목적", ("제1장 총칙",), "이 법은 목적을 정한다."),
        ("제2조의3", "의무", ("제1장 총칙",), "① 다음 각 호와 같다.\n1. 첫째\n가. 하나\n2. 둘째"),
    ]
    assert statute.supplements[-1].text == "공포한 날부터 시행한다."
    (tmp_path / "b.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(UserError, match="not a statute of the law portal"):
        read(tmp_path / "b.json")


def law(tmp_path, **sections):
    """The document of the portal's JSON with these sections."""
    tree = {"법령": {"기본정보": {"법령명_한글": "가람법"}, **sections}}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8")
    return read(path)[0]


def article(**parts):
    return {"조문단위": {"조문번호": "3", "조문여부": "조문", "조문제목": "의무", **parts}}


def body(document):
    return parse_statute(document.text).articles[0].text.split("\n")


HEADER = "제3조(의무) 다음 각 호와 같다."


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        ({"호": [{"호내용": "1. 가"}], "목": [{"목내용": "가. 나"}]}, ["1. 가", "가. 나"]),
        ({"항": {"호": {"호내용": "1. 가"}, "목": {"목내용": "가. 나"}}}, ["1. 가", "가. 나"]),
        ({"호": {"호내용": ["1. 가", "계속"]}}, ["1. 가", "계속"]),
        ({"호": {"호내용": [["1. 가"], ["계속"]]}}, ["1. 가", "계속"]),
        ({"호": ["1. 가", {"호내용": "2. 나"}]}, ["1. 가", "2. 나"]),
        ({"항": ["① 가", "② 나"]}, ["① 가", "② 나"]),
        ({"호": {"호번호": "1.", "호내용": "가"}}, ["1. 가"]),
        ({"호": {"호번호": "1.", "호가지번호": "2", "호내용": "가"}}, ["1의2. 가"]),
        ({"항": {"항번호": "②", "호": {"호내용": "1. 가"}}}, ["②", "1. 가"]),
        ({"항": {"항내용": {"content": "① 가", "항키": "1"}}}, ["① 가"]),
        (
            {"호": [{"호번호": 1, "호내용": "가", "목": {"목번호": "나", "목내용": "다"}}]},
            ["1. 가", "나. 다"],
        ),
        (
            {"항": [{"항번호": "1", "항내용": "가"}, {"항번호": 2, "항내용": "나"}]},
            ["① 가", "② 나"],
        ),
        (
            {"항": {"@항키": "x", "항번호": {"_cdata": "①"}, "항내용": {"#cdata-section": "가"}}},
            ["① 가"],
        ),
        ({"조문참고자료": "비고: 가"}, ["비고: 가"]),
        ({"그림": {"설명": "가"}, "호": {"호내용": "1. 나"}}, ["가", "1. 나"]),
        ({"항": {"호": {"목": {"세목": {"세목내용": "1) 가"}}}}}, ["1) 가"]),
        ({"조문시행일자": "20240701", "조문변경여부": "N", "조문키": "0003001"}, []),
    ],
)
def test_all_texts_of_an_article_are_read_in_every_nesting(tmp_path, parts, lines):
    document = law(tmp_path, 조문=article(조문내용=HEADER, **parts))
    assert body(document) == ["다음 각 호와 같다.", *lines]


def test_a_name_that_occurs_twice_in_json_keeps_both_values(tmp_path):
    text = (
        '{"법령": {"기본정보": {"법령명_한글": "가람법"}, "조문": {"조문단위": {"조문번호": "1",'
        ' "호": {"호내용": "1. 가"}, "목": {"목내용": "가. 나"}, "호": {"호내용": "2. 다"}}}}}'
    )
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    assert body(read(tmp_path / "a.json")[0]) == ["1. 가", "가. 나", "2. 다"]


def test_mixed_xml_keeps_the_words_around_inner_elements(tmp_path):
    xml = (
        PORTAL.replace("<조문제목>의무", "<조문제목>의<b>무</b>")
        .replace(
            "<![CDATA[제2조의3(의무)]]>",
            "제2조의3(의무) 물 H<sub>2</sub>O<!-- 메모 --> 3m<sup>2</sup>는<br/>둘",
        )
        .replace("<호번호>2.</호번호>", "앞글<호번호>2.</호번호>")
    )
    (tmp_path / "a.xml").write_text(xml, encoding="utf-8")
    assert parse_statute(read(tmp_path / "a.xml")[0].text).articles[1].text.split("\n") == [
        "물 H2O 3m²는",
        "둘",
        *["① 다음 각 호와 같다.", "1. 첫째", "가. 하나", "앞글", "2. 둘째"],
    ]


def test_annexes_are_sections_and_those_without_text_are_counted(tmp_path):
    units = [
        {
            "별표번호": "0001",
            "별표가지번호": "02",
            "별표제목": "과태료",
            "별표내용": [["가", "나"]],
        },
        {"별표번호": "0003", "별표구분": "서식", "별표제목": "신청서", "별표내용": "이름"},
        {"별표번호": "0004", "별표서식파일링크": "/LSW/flDownload.do?flSeq=1"},
    ]
    document = law(tmp_path, 조문=article(조문내용=HEADER), 별표={"별표단위": units})
    annexes = parse_statute(document.text).annexes
    assert [(one.title, one.text) for one in annexes] == [
        ("[별표 1의2] 과태료", "가\n나"),
        ("[별지 제3호서식] 신청서", "이름"),
    ]
    (warning,) = document.warnings
    assert warning.startswith("annexes without text, only a title or a linked file: 1")


@pytest.mark.parametrize(
    ("unit", "title"),
    [
        ({"별표번호": "3의2", "별표제목": "기준"}, "[별표 3의2] 기준"),
        ({"별표번호": "0001", "별표구분": "서식", "별표제목": "서식"}, "[별지 제1호서식] 서식"),
        ({"별표번호": "0001", "별표키": "000100E", "별표제목": "별표 1 기준"}, "별표 1 기준"),
        ("[별표 2] 기준\n글", "[별표 2] 기준"),
    ],
)
def test_the_heading_of_an_annex_has_its_number(tmp_path, unit, title):
    unit = {**unit, "별표내용": "글"} if isinstance(unit, dict) else unit
    document = law(tmp_path, 조문=article(조문내용=HEADER), 별표={"별표단위": unit})
    assert [(one.title, one.text) for one in parse_statute(document.text).annexes] == [
        (title, "글")
    ]


def test_the_number_of_an_article_may_hold_its_branch(tmp_path):
    document = law(
        tmp_path, 조문={"조문단위": {"조문번호": "3의2", "조문제목": "뜻", "조문내용": "글"}}
    )
    (found,) = parse_statute(document.text).articles
    assert (found.number, found.heading, found.text) == ("제3조의2", "뜻", "글")


def test_pictures_inside_a_text_are_counted_and_their_marks_left_out(tmp_path):
    text = [HEADER, '<img id="13268491" src="https://example.org/a"></img>', "A는 금액이다."]
    document = law(tmp_path, 조문=article(조문내용=text), 법령키="0017062024")
    assert body(document) == ["다음 각 호와 같다.", "A는 금액이다."]
    (warning,) = document.warnings
    assert warning.startswith("pictures inside the text are not read: 1")


def test_a_list_around_the_statute_is_read(tmp_path):
    tree = {
        "법령": {
            "기본정보": {"법령명_한글": "가람법"},
            "조문": article(조문내용=HEADER, 호="1. 가"),
        }
    }
    (tmp_path / "a.json").write_text(json.dumps([tree]), encoding="utf-8")
    assert body(read(tmp_path / "a.json")[0]) == ["다음 각 호와 같다.", "1. 가"]


def test_sections_that_are_not_law_are_counted_by_name(tmp_path):
    document = law(
        tmp_path,
        조문=article(조문내용=HEADER),
        개정문={"개정문내용": [["일부를 다음과 같이 개정한다."]]},
        제개정이유={"제개정이유내용": ["가", "나"]},
        첨부파일={"첨부파일명": "가람법.hwp", "첨부파일링크": "https://example.org/a"},
    )
    assert document.warnings == (
        "texts outside 조문, 부칙 and 별표 are left out: 개정문 (1), 제개정이유 (2)",
    )


def test_each_supplement_is_a_section(tmp_path):
    units = [
        {"부칙공포일자": "20200101", "부칙내용": "부칙 <제1호,2020.1.1>\n공포한 날부터 시행한다."},
        {"부칙공포번호": "00002", "부칙내용": [["이 법은 2021년 1월 1일부터 시행한다."]]},
    ]
    document = law(tmp_path, 조문=article(조문내용=HEADER), 부칙={"부칙단위": units})
    texts = [one.text for one in parse_statute(document.text).supplements if one.text]
    assert texts == ["공포한 날부터 시행한다.", "이 법은 2021년 1월 1일부터 시행한다."]


def test_administrative_rules_list_their_articles_as_texts(tmp_path):
    texts = ["제1장 총칙", "제1조(목적) 목적을 정한다.", "제2조(정의) 뜻은 다음과 같다.\n1. 가"]
    tree = {"행정규칙기본정보": {"행정규칙명": "가람 규정"}, "조문내용": texts}
    for name, value in (("a", tree), ("b", {**tree, "조문내용": "", "조문": {"조문내용": texts}})):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"AdmRulService": value}), encoding="utf-8")
        found = parse_statute(read(path)[0].text).articles
        assert [(a.number, a.path, a.text) for a in found] == [
            ("제1조", ("제1장 총칙",), "목적을 정한다."),
            ("제2조", ("제1장 총칙",), "뜻은 다음과 같다.\n1. 가"),
        ]


def test_a_rule_whose_articles_are_one_text(tmp_path):
    text = "제1장 총칙\n제1조(목적) 가\n제2조(정의) 나\n  1. 다\n제2장에 따른 라\n제2장 벌칙\n제3조(벌칙) 마"
    tree = {"행정규칙기본정보": {"행정규칙명": "가람 규정"}, "조문내용": text}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"AdmRulService": tree}), encoding="utf-8")
    found = parse_statute(read(path)[0].text).articles
    assert [(a.number, a.path, a.text) for a in found] == [
        ("제1조", ("제1장 총칙",), "가"),
        ("제2조", ("제1장 총칙",), "나\n1. 다\n제2장에 따른 라"),
        ("제3조", ("제2장 벌칙",), "마"),
    ]


@pytest.mark.parametrize("name", ["EUC-KR", "ks_c_5601-1987"])
def test_xml_in_a_korean_encoding_is_read(tmp_path, name):
    text = PORTAL.replace('encoding="UTF-8"', f'encoding="{name}"').replace("하나", "똠방")
    (tmp_path / "a.xml").write_bytes(text.encode("cp949"))
    assert "가. 똠방" in read(tmp_path / "a.xml")[0].text


def test_deep_json_is_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"법령": ' + '{"조문": ' * 400 + "1" + "}" * 401)
    with pytest.raises(UserError, match="nests deeper than 200 levels"):
        read(tmp_path / "a.json")


# A nesting is a list of (name, values); a value is an empty text, which gets a marker, or a nesting.
NAMES = ["항", "호", "목", "세목", "항내용", "호내용", "목내용", "조문참고자료", "그림", "단락"]
NAMES += ["항번호", "조문내용", "별표내용", "부칙내용", "조문여부", "조문시행일자"]


def nestings(values):
    group = st.tuples(st.sampled_from(NAMES), st.lists(values, min_size=1, max_size=3))
    return st.lists(group, max_size=4, unique_by=lambda pair: pair[0])


NESTING = st.recursive(st.just(""), nestings, max_leaves=12)


def written(value, marks):
    """(XML, JSON) of a value, with the next markers as its texts."""
    if isinstance(value, str):
        word = f"표지{len(marks)}말"
        marks.append(word)
        return f"<![CDATA[{word}]]>" if len(marks) % 2 else escape(word), word
    xml, tree = [], {}
    for name, values in value:
        pairs = [written(one, marks) for one in values]
        xml += [f"<{name} 번호='1'>{text}</{name}>\n" for text, _ in pairs]
        tree[name] = [one for _, one in pairs] if len(pairs) > 1 else pairs[0][1]
    return "".join(xml), tree


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.tuples(*[st.lists(NESTING, min_size=1, max_size=3)] * 3))
def test_every_text_is_in_the_document_once_and_in_order(tmp_path_factory, sections):
    marks = []
    xml, tree = ["<기본정보><법령명_한글>가람법</법령명_한글></기본정보>"], {}
    tree["기본정보"] = {"법령명_한글": "가람법"}
    for name, units in zip(("조문", "부칙", "별표"), sections, strict=True):
        inner, value = written([(f"{name}단위", units)], marks)
        xml.append(f"<{name}>{inner}</{name}>")
        tree[name] = value
    folder = tmp_path_factory.mktemp("law")
    (folder / "a.xml").write_text(f"<법령>{''.join(xml)}</법령>", encoding="utf-8")
    (folder / "a.json").write_text(json.dumps({"법령": tree}), encoding="utf-8")
    for file in ("a.xml", "a.json"):
        text = read(folder / file)[0].text
        assert re.findall(r"표지\d+말", text) == marks
