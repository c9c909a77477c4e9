"""Every format: any bytes are read or refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def refuse(path, match, **limits):
    with pytest.raises(UserError, match=match):
        list(read_documents(path, SourceSettings(path="x"), LimitSettings(**limits)))


def test_a_file_over_the_limit_is_refused(tmp_path):
    path = tmp_path / "a.md"
    path.write_bytes("가".encode() * (700 << 10))
    refuse(path, "more than 1", file_mebibytes=1)


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
        list(read_documents(path, SourceSettings(path="x"), LimitSettings()))


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    place=st.floats(0, 1),
    byte=st.integers(0, 255),
    cut=st.booleans(),
    kind=st.sampled_from(["hwpx", "pdf"]),
)
def test_damaged_archives_and_pdfs_are_read_or_refused(files, tmp_path, place, byte, cut, kind):
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
        list(read_documents(path, SourceSettings(path="x"), LimitSettings()))
