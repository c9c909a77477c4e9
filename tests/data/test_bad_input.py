import contextlib
import importlib.util
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.corpus import build_corpus, document_facts
from kofinlaw.data.readers.formats import read_file
from kofinlaw.data.settings import DataSettings, LimitSettings, SourceSettings
from kofinlaw.files import read_jsonl
from kofinlaw.records import Chunk, Rejected

spec = importlib.util.spec_from_file_location("data_files", Path(__file__).with_name("conftest.py"))
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)


def build(folder, out, **settings):
    return build_corpus(DataSettings(sources=[str(folder)], **settings), out, base=Path("/"))


def rejects(out):
    return {r.id: (r.reason, r.detail) for r in read_jsonl(out / "rejected.jsonl", Rejected)}


def refuse(path, match, **limits):
    with pytest.raises(UserError, match=match):
        list(read_file(path, SourceSettings(path="x"), LimitSettings(**limits)))


def test_a_bad_file_is_rejected_with_its_reason_and_the_run_goes_on(act, tmp_path):
    (act / "빈.md").write_bytes(b"")
    (act / "깨진 이름.txt").write_bytes(b"\xff\xff\x81\x00\xfe\xfa" * 20)
    (act / "가짜.pdf").write_bytes(b"%PDF-1.7 nothing")
    (act / "가짜.hwpx").write_bytes(b"PK\x03\x04")
    (act / "그림.png").write_bytes(b"png")
    counts = build(act, tmp_path / "out")
    assert counts["documents"] == 1
    found = rejects(tmp_path / "out")
    assert set(found) == {"acts/빈.md", "acts/깨진 이름.txt", "acts/가짜.pdf", "acts/가짜.hwpx"}
    assert found["acts/빈.md"] == ("unreadable", "the file is empty")
    assert "cannot be opened" in found["acts/가짜.pdf"][1]


def test_an_empty_folder_and_a_missing_one_are_errors(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no document could be read"):
        build(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(UserError, match="no such file or folder"):
        build(tmp_path / "nowhere", tmp_path / "out")


def test_text_in_force_later_is_refused_with_article_and_day(act, tmp_path):
    with pytest.raises(UserError, match="no document could be read") as error:
        build(act, tmp_path / "out", as_of="2024-06-30")
    assert "가람법 제1조 is in force from 2024-07-01" in error.value.remedy
    assert build(act, tmp_path / "out", as_of="2024-07-01")["documents"] == 1
    assert (
        build(act, tmp_path / "out", as_of="2024-06-30", allow_not_in_force=True)["documents"] == 1
    )
    facts = document_facts(DataSettings(sources=[str(act)]), base=Path("/"))
    assert facts == [("가람법", "2024-07-01", "KR-Copyright-Act-Art7")]


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    bomb = files.make_zip(tmp_path / "a.hwpx", {"Contents/section0.xml": b"0" * (64 << 20)})
    assert bomb.stat().st_size < 1 << 20
    refuse(bomb, "unpacks to 64 MiB")
    refuse(
        files.make_hwpx(tmp_path / "b.hwpx", files.HWPX_SECTION + " " * (3 << 20)),
        "unpacks to",
        expanded_mebibytes=1,
    )


def test_a_member_larger_than_its_directory_says_is_stopped(tmp_path, monkeypatch):
    path = files.make_zip(tmp_path / "a.hwpx", {"Contents/section0.xml": os.urandom(3 << 20)})
    real = zipfile.ZipFile.infolist

    def lying(self):
        infos = real(self)
        for info in infos:
            info.file_size = 10
        return infos

    monkeypatch.setattr(zipfile.ZipFile, "infolist", lying)
    with pytest.raises(UserError):
        list(read_file(path, SourceSettings(path="x"), LimitSettings(expanded_mebibytes=1)))


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY b "boom">]>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd">',
    ],
)
def test_xml_with_entities_or_a_document_type_is_refused(tmp_path, head):
    section = f'<?xml version="1.0"?>{head}<sec><p><run><t>&b;</t></run></p></sec>'
    refuse(files.make_hwpx(tmp_path / "a.hwpx", section), "refused")


def test_deep_xml_is_refused_and_deep_html_is_read(tmp_path):
    refuse(files.make_hwpx(tmp_path / "a.hwpx", "<t>" * 5000 + "</t>" * 5000), "nests deeper")
    page = tmp_path / "a.html"
    page.write_text("<div>" * 20000 + "<p>본문이다.</p>" + "</div>" * 20000, encoding="utf-8")
    list(read_file(page, SourceSettings(path="x"), LimitSettings()))


def test_a_scanned_pdf_says_that_it_is_one(tmp_path):
    refuse(
        files.make_pdf(tmp_path / "a.pdf", ["", "", ""]), "a scan: no text layer on 3 of 3 pages"
    )


def test_a_pdf_with_too_many_pages_is_refused(tmp_path):
    refuse(files.make_pdf(tmp_path / "a.pdf", ["x"] * 30), "has 30 pages, more than 20", pages=20)


def test_ten_thousand_empty_pages_are_refused_by_their_number_and_as_a_scan(tmp_path):
    path = files.make_pdf(tmp_path / "a.pdf", [""] * 10_000)
    refuse(path, "has 10000 pages, more than 5000")
    refuse(path, "a scan: no text layer on 10000 of 10000 pages", pages=10_000)


def test_a_line_of_a_million_characters_is_read_and_cut(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    sentence = "은행은 이용자에게 알린다. "
    (folder / "a.md").write_text(
        "# 긴 줄\n\n## 1. 범위\n\n" + sentence * (1_000_000 // len(sentence) + 1), encoding="utf-8"
    )
    counts = build(folder, tmp_path / "out", near_duplicates={"enabled": False})
    assert counts["longest_tokens"] <= 1024
    assert counts["chunks"] > 500


def test_headings_that_jump_and_articles_of_one_number_keep_their_words(tmp_path):
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
    build(folder, tmp_path / "out")
    units = [c.unit for c in read_jsonl(tmp_path / "out" / "chunks.jsonl", Chunk)]
    assert units == [
        "첫째 > 끝부터",
        "첫째 > 넷째",
        "가람법 제1조",
        "가람법 제2조",
        "가람법 제2조@2",
    ]


def test_an_hwpx_file_whose_relations_go_in_circles_is_read_once(tmp_path):
    circle = (
        '<opf:package xmlns:opf="http://www.idpf.org/2007/opf/"><opf:manifest>'
        '<opf:item id="a" href="Contents/content.hpf"/><opf:item id="b" href="META-INF/container.xml"/>'
        '<opf:item id="s" href="Contents/section0.xml"/></opf:manifest><opf:spine>'
        '<opf:itemref idref="s"/><opf:itemref idref="a"/><opf:itemref idref="s"/></opf:spine></opf:package>'
    )
    container = (
        '<ocf:container xmlns:ocf="urn:oasis:names:tc:opendocument:xmlns:container"><ocf:rootfiles>'
        '<ocf:rootfile full-path="META-INF/container.xml"/>'
        '<ocf:rootfile full-path="Contents/content.hpf"/></ocf:rootfiles></ocf:container>'
    )
    path = files.make_zip(
        tmp_path / "a.hwpx",
        {
            "mimetype": "application/hwp+zip",
            "META-INF/container.xml": container,
            "Contents/content.hpf": circle,
            "Contents/header.xml": files.HWPX_HEADER,
            "Contents/section0.xml": files.HWPX_SECTION,
        },
    )
    (document,) = read_file(path, SourceSettings(path="x"), LimitSettings())
    assert document.text.count("접수와 분류") == 1


def test_a_file_over_the_limit_is_refused(tmp_path):
    path = tmp_path / "a.md"
    path.write_bytes("가".encode() * (700 << 10))
    refuse(path, "more than 1", file_mebibytes=1)


def test_a_folder_that_links_to_itself_ends(act, tmp_path):
    (act / "아래").symlink_to(act, target_is_directory=True)
    assert build(act, tmp_path / "out")["documents"] == 1


def test_cp949_nul_bytes_and_a_truncated_file_are_read(tmp_path):
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "가 나.md").write_bytes(files.ACT.encode("cp949"))
    (folder / "다.md").write_bytes(
        files.ACT.replace("가람법", "나래법").encode()[:-7].replace(b"\n\n", b"\n\x00\n")
    )
    counts = build(folder, tmp_path / "out")
    assert counts["documents"] == 2
    chunks = list(read_jsonl(tmp_path / "out" / "chunks.jsonl", Chunk))
    assert {c.title for c in chunks} == {"가람법", "나래법"}
    assert not any("\x00" in c.text for c in chunks)


def test_a_title_with_slashes_makes_no_path(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "a.md").write_text(
        "# 여/수신 ../규정\n\n## 1. 범위\n\n여신과 수신을 다루는 범위를 정한다.\n", encoding="utf-8"
    )
    build(folder, tmp_path / "out")
    (chunk,) = read_jsonl(tmp_path / "out" / "chunks.jsonl", Chunk)
    assert chunk.document_id == "여∕수신_..∕규정"
    assert chunk.unit == "여/수신 ../규정 > 1. 범위"


FORMATS = (
    "a.hwpx",
    "a.docx",
    "a.pdf",
    "a.jsonl",
    "a.jsonl.xz",
    "a.csv",
    "a.parquet",
    "a.md",
    "a.html",
    "a.txt",
    "a.hwp",
    "a.xml",
    "a.json",
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.sampled_from(FORMATS), data=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused_by_every_reader(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with contextlib.suppress(UserError):
        list(read_file(path, SourceSettings(path="x"), LimitSettings()))


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    place=st.floats(0, 1),
    byte=st.integers(0, 255),
    cut=st.booleans(),
    kind=st.sampled_from(["hwpx", "pdf"]),
)
def test_damaged_archives_and_pdfs_are_read_or_refused(tmp_path, place, byte, cut, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "hwpx":
        files.make_hwpx(path)
    else:
        files.make_pdf(path, ["The first page of the rules", "The second page of the rules"])
    data = bytearray(path.read_bytes())
    at = min(int(place * len(data)), len(data) - 1)
    if cut:
        del data[at:]
    else:
        data[at] = byte
    path.write_bytes(bytes(data) or b"x")
    with contextlib.suppress(UserError):
        list(read_file(path, SourceSettings(path="x"), LimitSettings()))
