"""Every format: any bytes are read or refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.readers.formats import READERS, read_documents
from kofinlaw.data.settings import READABLE, LimitSettings, SourceSettings


def refuse(path, match, **limits):
    with pytest.raises(UserError, match=match):
        list(read_documents(path, SourceSettings(path="x"), LimitSettings(**limits)))


def test_a_file_over_the_limit_is_refused(tmp_path):
    path = tmp_path / "a.md"
    path.write_bytes("가".encode() * (700 << 10))
    refuse(path, "more than 1", file_mebibytes=1)


def test_every_reader_has_a_file_name_pattern_in_the_settings():
    assert set(READABLE) == {f"*{suffix}" for suffix in READERS}


def test_a_file_is_read_without_settings(act, tmp_path):
    (document,) = read_documents(act / "가람법.md")
    assert (document.title, document.source) == ("가람법", "가람법.md")
    (tmp_path / "a.png").write_bytes(b"png")
    with pytest.raises(UserError, match=r"no reader for \.png"):
        list(read_documents(tmp_path / "a.png"))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(suffix=st.sampled_from(list(READERS)), data=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused_by_every_reader(tmp_path, suffix, data):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    with contextlib.suppress(UserError):
        list(read_documents(path, SourceSettings(path="x"), LimitSettings()))


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    position=st.floats(0, 1),
    byte=st.integers(0, 255),
    cut=st.booleans(),
    kind=st.sampled_from(["hwpx", "pdf"]),
)
def test_damaged_archives_and_pdfs_are_read_or_refused(files, tmp_path, position, byte, cut, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "hwpx":
        files.make_hwpx(path)
    else:
        files.make_pdf(path, ["The first page of the rules", "The second page of the rules"])
    data = bytearray(path.read_bytes())
    at = min(int(position * len(data)), len(data) - 1)
    if cut:
        del data[at:]
    else:
        data[at] = byte
    path.write_bytes(bytes(data) or b"x")
    with contextlib.suppress(UserError):
        list(read_documents(path, SourceSettings(path="x"), LimitSettings()))
