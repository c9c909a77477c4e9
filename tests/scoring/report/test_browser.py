"""The report in a real browser: no errors, working filters, nothing is wider than the window."""

import html
import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kofinlaw.scoring.report.compare_runs_page import runs_page
from kofinlaw.scoring.report.serve import list_page, run_page
from kofinlaw.scoring.report.server.documents import Document, document_page
from kofinlaw.scoring.report.server.error_page import error_page
from kofinlaw.scoring.report.write import write_report

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

PROBE = """
const visible = () => [...document.querySelectorAll(".item")].filter((n) => !n.hidden).length;
const set = (id, value) => { const f = document.getElementById(id); f.value = value; f.dispatchEvent(new Event("input")); };
const out = { start: visible(), count: document.getElementById("count").textContent };
set("state", ""); out.all = document.getElementById("count").textContent; out.page = visible();
document.getElementById("more").click(); out.more = visible();
set("search", "MC-007"); out.search = visible();
set("search", ""); set("state", "gained"); out.gained = visible();
set("state", "right"); set("slice", "numeric"); out.numeric = document.getElementById("count").textContent;
out.dark = getComputedStyle(document.documentElement).getPropertyValue("--paper");
document.querySelector("button.theme").click();
out.light = getComputedStyle(document.documentElement).getPropertyValue("--paper");
const term = document.querySelector('a.term[href="#term-hit"]');
term.dispatchEvent(new FocusEvent("focus"));
out.tip = [document.getElementById("tip").hidden, document.getElementById("tip").textContent.slice(0, 8)];
dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
out.gone = document.getElementById("tip").hidden;
dispatchEvent(new Event("beforeprint"));
out.print = document.querySelectorAll(".item[open]").length;
dispatchEvent(new Event("afterprint"));
document.querySelector('.language button[value="en"]').click();
out.language = [document.documentElement.lang, document.title, document.getElementById("search").placeholder];
for (const d of document.querySelectorAll("details")) d.open = true;
out.width = [innerWidth, document.documentElement.scrollWidth];
out.hidden = getComputedStyle(document.querySelector("h2 .ko")).display;
parent.postMessage(JSON.stringify(out), "*");
"""
# A window has a least width of 500; a frame has none, and media queries go by it.
FRAME = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<script>addEventListener("message", (e) => { document.body.dataset.result = e.data; });</script>
<iframe src="probed.html" style="width:WIDTHpx;height:900px;border:0"></iframe></body>"""


def browse(page, folder, width, *flags):
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-sync", "--no-first-run", "--disable-component-update", "--enable-logging=stderr",
        "--virtual-time-budget=3000", f"--user-data-dir={folder}", f"--window-size={width},900",
        *flags, f"file://{page}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def page(run_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("page")
    write_report(run_folder, out, recipe={"name": "quickstart", "seed": 42})
    return out / "report.html"


@pytest.mark.slow
def test_the_page_opens_without_a_complaint(page, tmp_path):
    done = browse(page, tmp_path, 1280, "--dump-dom")
    assert 'data-lang="ko"' in done.stdout
    assert "CONSOLE" not in done.stderr, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_filters_language_and_width(page, tmp_path, run_folder, width):
    probed = tmp_path / "probed.html"
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    probed.write_text(text.replace("</body>", f"<script>{PROBE}</script></body>"))
    (tmp_path / "frame.html").write_text(FRAME.replace("WIDTH", str(width)))
    done = browse(tmp_path / "frame.html", tmp_path / "profile", 1400, "--dump-dom")
    assert "CONSOLE" not in done.stderr, done.stderr
    found = json.loads(html.unescape(re.search(r'data-result="([^"]*)"', done.stdout).group(1)))
    rows = [
        json.loads(line) for line in (run_folder / "score/items.jsonl").read_text().splitlines()
    ]
    right = {(r["system"], r["id"]): r["score"] >= 0.5 for r in rows}
    wrong = sum(not ok for (system, _), ok in right.items() if system == "trained-rag")
    gained = sum(
        ok and not right["base-rag", name]
        for (system, name), ok in right.items()
        if system == "trained-rag"
    )
    numeric = sum(
        r["system"] == "trained-rag" and r["score"] >= 0.5 and "numeric" in r["slices"]
        for r in rows
    )
    assert found["start"] == min(8, wrong)
    assert found["count"] == f"72문항 가운데 {wrong}문항"
    assert (found["page"], found["more"]) == (8, 32)
    assert found["search"] == 1
    assert found["gained"] == min(8, gained)
    assert found["numeric"] == f"72문항 가운데 {numeric}문항"
    assert found["language"] == ["en", "quickstart · report", "words, article, id"]
    assert found["hidden"] == "none"
    assert {found["dark"].strip(), found["light"].strip()} == {"#fff", "#14181f"}
    assert found["tip"] == [False, "정답 조문이 검"]
    assert found["gone"] is True
    assert found["print"] == min(8, numeric)
    assert found["width"][1] <= found["width"][0] == width


AXE_PROBE = """
axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "best-practice"] }).then((found) => {
  const faults = found.violations.map((v) => [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]);
  document.body.dataset.result = JSON.stringify(faults);
});
"""


def axe_source():
    """axe.min.js from $AXE_JS (npm's axe-core), else from the package that carries it."""
    if os.environ.get("AXE_JS"):
        return Path(os.environ["AXE_JS"]).read_text()
    spec = importlib.util.find_spec("axe_core_python")
    if spec is None:
        pytest.skip("no axe-core: set AXE_JS to axe.min.js, or install axe-core-python")
    return (Path(spec.origin).parent / "axe.min.js").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "theme"), [("ko", "light"), ("en", "dark")])
def test_axe_finds_no_serious_fault(page, tmp_path, language, theme):
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    press = f"""document.querySelector('.language button[value="{language}"]').click();
        document.documentElement.dataset.theme = "{theme}";"""
    opened = (
        "for (const d of [...document.querySelectorAll('details')].slice(0, 12)) d.open = true;"
    )
    probed = tmp_path / "axe.html"
    probed.write_text(
        text.replace(
            "</body>",
            f"<script>{axe_source()}</script><script>{press}{opened}{AXE_PROBE}</script></body>",
        )
    )
    done = browse(probed, tmp_path / "profile", 1280, "--dump-dom", "--virtual-time-budget=20000")
    found = json.loads(
        html.unescape(re.search(r'<body[^>]* data-result="([^"]*)"', done.stdout).group(1))
    )
    assert [fault for fault in found if fault[0] in ("serious", "critical")] == []


@pytest.mark.slow
def test_axe_finds_no_serious_fault_in_the_servers_pages(run_folder, tmp_path):
    root = tmp_path / "runs"
    for name in ("quickstart", "second"):
        shutil.copytree(run_folder, root / name)
    pages = {
        "list": list_page(root, ["quickstart", "second"]),
        "run": run_page(root / "quickstart"),
        "compare": runs_page([root / "quickstart", root / "second"]),
        "error": error_page(404),
        "document": document_page("quickstart", Document("a.md", ("가", "a")), "# A\n\ntext"),
    }
    for name, text in pages.items():
        page = tmp_path / f"{name}.html"
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        page.write_text(
            text.replace(
                "</body>", f"<script>{axe_source()}</script><script>{AXE_PROBE}</script></body>"
            )
        )
        done = browse(page, tmp_path / "profile", 1280, "--dump-dom", "--virtual-time-budget=20000")
        found = json.loads(
            html.unescape(re.search(r'<body[^>]* data-result="([^"]*)"', done.stdout).group(1))
        )
        assert [fault for fault in found if fault[0] in ("serious", "critical")] == [], name
