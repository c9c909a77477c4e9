"""Licence texts of models are recognised by their names."""

from fnmatch import fnmatchcase

import pytest

from kofinlaw.models.catalogue import licence_notice, licenses
from kofinlaw.models.licences.texts import (
    DOWNLOADED_TEXTS,
    is_licence_text,
    licence_files,
    packaged_licences,
)

TEXTS = [
    "LICENSE",
    "LICENSE.txt",
    "LICENSE-APACHE",
    "LICENCE",
    "NOTICE",
    "NOTICE.md",
    "Notice.txt",
    "COPYING",
    "USE_POLICY.md",
    "GEMMA_TERMS.html",
    "Gemma_license.txt",
    "THIRD_PARTY_LICENSES.txt",
]
OTHERS = [
    "config.json",
    "license.py",
    "model.safetensors",
    "README.md",
    "terms.json",
    "license_tokens.json",
    "licensed_words.txt",
    "tokenizer.model",
]


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_recognised_and_downloaded(name):
    assert is_licence_text(name)
    assert any(fnmatchcase(name, pattern) for pattern in DOWNLOADED_TEXTS)


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_none(name):
    assert not is_licence_text(name)


def test_texts_of_a_folder_are_plain_files_of_a_bounded_size(tmp_path):
    for name in ("NOTICE", "LICENSE", "config.json"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "LICENSES").mkdir()
    with open(tmp_path / "LICENSE.big", "wb") as handle:
        handle.truncate(5 << 20)
    assert [path.name for path in licence_files(tmp_path)] == ["LICENSE", "NOTICE"]


def test_a_package_that_is_not_installed_has_none():
    assert packaged_licences("no-such-package-here") == []


def test_only_a_licence_that_requires_a_notice_has_one():
    assert licence_notice("Gemma").endswith("ai.google.dev/gemma/terms")
    assert [name for name, one in licenses().items() if one.notice] == ["Gemma"]
    assert licence_notice("") == ""
