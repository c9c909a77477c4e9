"""The files that a sweep writes."""

import csv
import json

from kofinlaw.recipes.studies.sweep import Failure
from kofinlaw.recipes.studies.sweep_page import write_sweep


def test_the_written_files_name_failures_and_escape_them(tmp_path, published):
    failures = [Failure((("train.lora.rank", "0"),), "<script>alert(1)</script>")]
    lines = write_sweep(tmp_path, "study", published, failures)
    assert any(line.startswith("- failed: rank=0") for line in lines)
    page = (tmp_path / "sweep.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert page.count('<svg viewBox="0 0 ') == 7  # three plots in both languages, and the button
    rows = list(csv.DictReader((tmp_path / "sweep.csv").open(encoding="utf-8")))
    assert [row["train.lora.rank"] for row in rows] == ["8", "128", "256"]
    record = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert record["conclusion"]["best_value"] == {"train.lora.rank": "128"}


def test_a_sweep_without_a_finished_point_is_still_written(tmp_path):
    lines = write_sweep(tmp_path, "study", [], [Failure((("seed", "x"),), "no")])
    assert "No point finished." in lines


def test_names_and_values_of_a_sweep_are_no_markup():
    from kofinlaw.recipes.studies.sweep_page import markdown

    text = "\n".join(markdown("<script>x</script> [a](https://evil.example)", [], 0.95, []))
    assert "<script" not in text
    assert "https://evil" not in text
