"""The law portal's XML and JSON."""

from __future__ import annotations

import json

import pytest

from kofinlaw import UserError
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


def test_the_law_portals_xml_and_json_give_the_same_articles(tmp_path):
    from kofinlaw.data.law.statute import parse_statute
    from kofinlaw.data.readers.archives import parse_xml
    from kofinlaw.data.readers.portal import _mapping

    (tmp_path / "a.xml").write_text(PORTAL, encoding="utf-8")
    tree = {"법령": _mapping(parse_xml(PORTAL.encode(), "a.xml"))}
    tree["법령"]["기본정보"]["소관부처"] = {"content": "금융위원회", "소관부처코드": "1"}
    (tmp_path / "a.json").write_text(json.dumps(tree, ensure_ascii=False), encoding="utf-8")
    (one,), (two,) = read(tmp_path / "a.xml"), read(tmp_path / "a.json")
    assert (one.title, one.kind, one.as_of) == ("가람법", "statute", "2024-07-01")
    assert one.text == two.text
    statute = parse_statute(one.text)
    assert [(a.number, a.heading, a.path, a.text) for a in statute.articles] == [
        ("제1조", "목적", ("제1장 총칙",), "이 법은 목적을 정한다."),
        ("제2조의3", "의무", ("제1장 총칙",), "① 다음 각 호와 같다.\n1. 첫째\n가. 하나\n2. 둘째"),
    ]
    assert statute.supplements[-1].text == "공포한 날부터 시행한다."
    (tmp_path / "b.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(UserError, match="not a statute of the law portal"):
        read(tmp_path / "b.json")
