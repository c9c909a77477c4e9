"""The description of every bundled recipe has a Korean form."""

import re
from pathlib import Path

import yaml

import kofinlaw
from kofinlaw.scoring.report.wording.descriptions import DESCRIPTIONS, description_words

ROOT = Path(kofinlaw.__file__).parent.parent / "recipes"


def test_every_bundled_recipe_is_described_in_both_languages():
    files = [*ROOT.glob("*.yaml"), *(ROOT / "presets").glob("*.yaml")]
    found = {yaml.safe_load(p.read_text(encoding="utf-8")).get("description") for p in files}
    assert found - {None} == set(DESCRIPTIONS)
    for text in DESCRIPTIONS:
        assert re.search("[가-힣]", description_words(text)[0])
    assert description_words("our bank") == ("our bank", "our bank")
