"""The page of traces."""

import importlib.util
import re
from pathlib import Path

from kofinlaw.scoring.report.write import write_report

_spec = importlib.util.spec_from_file_location(
    "page_elements", Path(__file__).with_name("page_elements.py")
)
page_elements = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(page_elements)
Elements = page_elements.Elements


def test_slow_and_wrong_items_link_to_their_traces(judged_and_traced, tmp_path):
    run, wrong = judged_and_traced
    write_report(run, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    traces = (tmp_path / "out" / "traces.html").read_text()
    (anchor,) = set(re.findall(r'href="traces.html#(t\d+)"', page))
    assert f'id="{anchor}"><summary><span class="id">{wrong}</span>' in traces
    assert "answer-trained-rag/traces.jsonl:1" in traces
    assert "빠르고 맞은 문항" not in traces
    assert "<script>alert" not in traces
    assert "&lt;script&gt;" in traces
    assert Elements(traces).open == []
