"""The merged model's card after its run."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import pytest

from kofinlaw.files import write_json
from kofinlaw.scoring.report.model_card import complete_card
from kofinlaw.trainer.merge.merge_model import merge_adapter

PICO = Path(__file__).parents[2] / "trainer" / "merge" / "pico.py"


@pytest.fixture
def merged(tmp_path_factory):
    """A merged pico model, with the card that the merge wrote."""
    spec = importlib.util.spec_from_file_location("merge_pico", PICO)
    pico = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pico)
    folder = tmp_path_factory.mktemp("card")
    base = pico.write_llama(folder / "base")
    merge_adapter(pico.write_adapter(folder / "adapter", base), base, folder / "merged")
    return folder / "merged"


def test_data_proof_and_scores_come_into_the_card_once(tmp_path, merged):
    shutil.copytree(merged, tmp_path / "merge" / "model")
    card = tmp_path / "merge" / "model" / "README.md"
    before = card.read_text()
    source = {"title": "전자금융거래법", "as_of": "2025-01-01", "license": "KR-Copyright-Act-Art7"}
    source["day_from"] = "front matter: 시행일자"
    write_json(tmp_path / "data" / "card.json", {"sources": [source]})
    write_json(tmp_path / "augment" / "stage.json", {"counts": {"examples": 96}})
    figures = {"argmax_agreement": 0.9987, "tokens_compared": 700, "kl_mean": 0.00012}
    write_json(tmp_path / "verify" / "verify.json", {"verdict": "pass", "figures": figures})
    choice = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 40}
    systems = {"trained-rag": {"choice": choice, "free": None}}
    write_json(tmp_path / "score" / "scores.json", {"systems": systems})
    assert complete_card(tmp_path)
    text = card.read_text()
    assert complete_card(tmp_path)
    assert card.read_text() == text
    for line in (
        "96 training examples.",
        "| 전자금융거래법 | 2025-01-01 | front matter: 시행일자 | KR-Copyright-Act-Art7 |",
        "pass. The same most likely token at 99.87% of 700 places, mean KL 0.00012 nats.",
        "| trained-rag | multiple choice | 0.500 (0.400–0.600, 40 items) |",
    ):
        assert line in text
    assert text.startswith(before.partition("## Licence")[0].rstrip())
    assert text.endswith(before.partition("## Licence")[2])


def test_a_run_without_a_merged_model_has_no_card(tmp_path):
    assert not complete_card(tmp_path)


def test_texts_of_documents_and_recipes_are_no_markup_in_the_card(tmp_path, merged):
    shutil.copytree(merged, tmp_path / "merge" / "model")
    bad = "<img src=x onerror=alert(1)> [눌러](https://evil.example) | x\n## Licence\n<script>"
    source = {"title": bad, "as_of": "2025-01-01", "license": bad, "day_from": bad}
    write_json(tmp_path / "data" / "card.json", {"sources": [source]})
    choice = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 40}
    write_json(tmp_path / "score" / "scores.json", {"systems": {bad: {"choice": choice}}})
    for _ in range(2):  # a section is replaced, whatever a title says
        assert complete_card(tmp_path)
        text = (tmp_path / "merge" / "model" / "README.md").read_text()
        assert not re.search(r"<[A-Za-z/!]", text)
        assert "https://evil" not in text
        assert text.count("\n## Licence\n") == 1
        assert text.count("눌러") == 4
