"""Zip bombs, false sizes and dangerous XML are refused."""

from __future__ import annotations

import os
import zipfile

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def refuse(path, match, **limits):
    with pytest.raises(UserError, match=match):
        list(read_documents(path, SourceSettings(path="x"), LimitSettings(**limits)))


def test_a_zip_bomb_is_not_unpacked(files, tmp_path):
    bomb = files.make_zip(tmp_path / "a.hwpx", {"Contents/section0.xml": b"0" * (64 << 20)})
    assert bomb.stat().st_size < 1 << 20
    refuse(bomb, "unpacks to 64 MiB")
    refuse(
        files.make_hwpx(tmp_path / "b.hwpx", files.HWPX_SECTION + " " * (3 << 20)),
        "unpacks to",
        expanded_mebibytes=1,
    )


def test_a_member_larger_than_its_directory_says_is_stopped(files, tmp_path, monkeypatch):
    path = files.make_zip(tmp_path / "a.hwpx", {"Contents/section0.xml": os.urandom(3 << 20)})
    real = zipfile.ZipFile.infolist

    def lying(self):
        infos = real(self)
        for info in infos:
            info.file_size = 10
        return infos

    monkeypatch.setattr(zipfile.ZipFile, "infolist", lying)
    with pytest.raises(UserError):
        list(read_documents(path, SourceSettings(path="x"), LimitSettings(expanded_mebibytes=1)))


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY b "boom">]>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd">',
    ],
)
def test_xml_with_entities_or_a_document_type_is_refused(files, tmp_path, head):
    section = f'<?xml version="1.0"?>{head}<sec><p><run><t>&b;</t></run></p></sec>'
    refuse(files.make_hwpx(tmp_path / "a.hwpx", section), "refused")


def test_deep_xml_is_refused_and_deep_html_is_read(files, tmp_path):
    refuse(files.make_hwpx(tmp_path / "a.hwpx", "<t>" * 5000 + "</t>" * 5000), "nests deeper")
    page = tmp_path / "a.html"
    page.write_text("<div>" * 20000 + "<p>본문이다.</p>" + "</div>" * 20000, encoding="utf-8")
    list(read_documents(page, SourceSettings(path="x"), LimitSettings()))
