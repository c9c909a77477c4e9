"""Terms are marked once, in both languages, and only where they stand alone."""

import re

import pytest

from kofinlaw.scoring.report.wording.glossary import GLOSSARY, marked


@pytest.mark.parametrize(
    ("text", "language", "keys"),
    [
        ("hit@3", "ko", ["hit"]),
        ("p", "ko", ["p"]),
        ("p (Holm)", "en", ["holm"]),
        ("손실 (답 토큰당, nat)", "ko", ["loss", "token", "nat"]),
        ("loss (nats per answer token)", "en", ["loss", "nat", "token"]),
        ("p50, s", "en", ["p50"]),
        ("앞뒤 문항, pMC-001", "ko", []),
        ("natural examples", "en", []),
        ("기준선 가운데 가장 강한 기준선", "ko", ["baseline"]),
    ],
)
def test_terms_are_marked_once(text, language, keys):
    found = str(marked(text, language))
    assert re.findall(r'href="#term-(\w+)"', found) == keys
    assert re.sub("<[^>]+>", "", found) == text


def test_the_text_is_escaped():
    assert "<b>" not in str(marked("<b>p50</b>", "en"))


def test_every_term_is_found_by_its_own_name_and_has_both_languages():
    for term in GLOSSARY:
        assert re.search("[가-힣]", term.text[0]), term.key
        assert not re.search("[가-힣]", term.text[1]), term.key
        assert all(term.ko_forms), term.key
    assert len({term.key for term in GLOSSARY}) == len(GLOSSARY)
