"""The catalogue's table and the guide's claims."""

from __future__ import annotations

import json

import pytest

from kofinlaw import UserError
from kofinlaw.models.catalogue import all_models
from kofinlaw.models.listing import claim_lines, listing_lines, listing_rows

WIDTHS = [f"{kind}_{bits}bit" for kind in ("train", "serve") for bits in (4, 8, 16)]


def by_id(fits, policy):
    return {row["id"]: row for row in listing_rows(fits, policy)}


def test_every_model_of_the_catalogue_has_a_row_that_json_can_hold():
    rows = listing_rows(24.0, "open")
    assert [row["id"] for row in rows] == [card.id for card in all_models()]
    assert json.loads(json.dumps(rows, ensure_ascii=False)) == rows


def test_what_fits_24_gib():
    rows = by_id(24.0, "open")
    fits = {
        name: [rows[name]["fits"][width] for width in WIDTHS]
        for name in (
            "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct",
            "LGAI-EXAONE/EXAONE-3.5-32B-Instruct",
            "Qwen/Qwen2.5-14B-Instruct",
        )
    }
    assert list(fits.values()) == [
        [True] * 6,
        [True, False, False, True, False, False],
        [True, True, False, True, True, False],
    ]


def test_a_smaller_card_holds_less():
    large, small = by_id(24.0, "open"), by_id(8.0, "open")
    for name, row in small.items():
        assert all(large[name]["fits"][width] for width, fits in row["fits"].items() if fits)
    assert not small["upstage/SOLAR-10.7B-v1.0"]["fits"]["train_4bit"]


def test_a_refused_model_says_why_with_the_clause():
    row = by_id(24.0, "contest-2025")["google/gemma-3-270m"]
    assert row["allowed"] is False
    assert "released on 2025-08-14, after 2025-07-31 [" in row["reason"]
    row = by_id(24.0, "open")["google/gemma-3-270m"]
    assert (row["allowed"], row["reason"]) == (True, "")


def test_the_table_has_every_model_and_marks_what_does_not_fit():
    lines = listing_lines(listing_rows(24.0, "commercial"), 24.0, "commercial")
    for card in all_models():
        assert sum(line.startswith(f"{card.id} ") for line in lines) == 1
    (line,) = [line for line in lines if line.startswith("LGAI-EXAONE/EXAONE-3.5-32B-Instruct")]
    assert line.count("✗") == 4
    assert "not allowed" in lines[lines.index(line) + 1]


def test_the_guides_claims_are_compared_with_the_facts():
    assert claim_lines(24.0)[1:] == [
        "  65B in 4-bit fits 24 GB   no: the weights alone take 31.2 GiB of 24",
        "  30B in 8-bit fits 24 GB   no: the weights alone take 27.9 GiB of 24",
        "  13B in 16-bit fits 24 GB  no: the weights alone take 24.2 GiB of 24",
        "  EXAONE is Apache-2.0      no: EXAONE 1.1-NC §2.1(a): research only; a competition only "
        "where it is non-commercial",
    ]
    assert "remain for the rest" in claim_lines(48.0)[1]


def test_an_unknown_policy_is_refused():
    with pytest.raises(UserError, match="no policy"):
        listing_rows(24.0, "closed")
