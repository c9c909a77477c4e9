"""The three files of a report."""

import html
import importlib.util
import json
import re
import shutil
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_json, write_jsonl
from kofinlaw.records import Answer
from kofinlaw.scoring.report.write import write_report
from kofinlaw.scoring.score import score_answers
from kofinlaw.texts import markdown_text

_spec = importlib.util.spec_from_file_location(
    "page_elements", Path(__file__).with_name("page_elements.py")
)
page_elements = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(page_elements)
EVIL = page_elements.EVIL
Elements = page_elements.Elements


SYSTEMS = ("base", "base-rag", "trained-rag")
RECIPE = {"name": "quickstart", "description": "견본", "seed": 42, "answer": {"budget_minutes": 5}}


@pytest.fixture(scope="module")
def report(run_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    write_report(run_folder, out, recipe=RECIPE)
    return out


def test_the_page_asks_the_network_for_nothing_and_runs_one_script(report):
    page = (report / "report.html").read_text()
    found = Elements(page)
    assert found.open == []
    assert [attrs.get("type") for tag, attrs in found.tags if tag == "script"] == [
        None,
        "application/json",
        None,
    ]
    for tag, attrs in found.tags:
        assert "src" not in attrs, tag
        if "href" in attrs:
            assert attrs["href"].startswith(("#", "data:,")), attrs
        assert not any(name.startswith("on") for name in attrs), attrs
    policy = next(
        a["content"] for t, a in found.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    style = re.sub(r"url\(#[\w-]+\)", "", page)
    assert "url(" not in style
    assert "@import" not in style


def test_hard_and_look_up_questions_have_rows_in_page_and_markdown(report):
    page = html.unescape((report / "report.html").read_text())
    assert "Hard and look-up questions" in page
    assert page.count("찾아서 푸는 문항</span>") >= len(SYSTEMS)
    text = (report / "report.md").read_text()
    assert all(f"| look_up | {name} |" in text for name in SYSTEMS)


def test_a_pair_under_different_plans_has_no_test_on_the_page(run_folder, tmp_path):
    shutil.copytree(run_folder, tmp_path / "run")
    path = tmp_path / "run" / "score" / "scores.json"
    scores = json.loads(path.read_text(encoding="utf-8"))
    tested = 0
    for pair in scores["pairs"]:
        pair["other_plans"] = 9 if pair["a"] == "base" else 0
        tested += pair["a"] != "base"
    assert 0 < tested < len(scores["pairs"])
    write_json(path, scores)
    write_report(tmp_path / "run", tmp_path / "report", recipe=RECIPE)
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert (
        page.count('data-en="not tested"') + page.count(">not tested<")
        == len(scores["pairs"]) - tested
    )
    assert "the paired test is not shown" in page


def test_a_report_of_scores_of_another_schema_is_refused_with_a_remedy(run_folder, tmp_path):
    shutil.copytree(run_folder, tmp_path / "run")
    write_json(tmp_path / "run" / "score" / "scores.json", {"schema": "kofinlaw.scores/1"})
    with pytest.raises(UserError, match="another schema"):
        write_report(tmp_path / "run", tmp_path / "report", recipe=RECIPE)


def test_ids_are_unique_and_every_link_in_the_page_leads_somewhere(report):
    tags = Elements((report / "report.html").read_text()).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {
        attrs[name][1:]
        for _, attrs in tags
        for name in ("href", "xlink:href")
        if attrs.get(name, "").startswith("#")
    }
    assert links <= set(ids)


def test_every_plot_has_its_words_in_both_languages(report):
    tags = Elements((report / "report.html").read_text()).tags
    plots = [attrs for _, attrs in tags if attrs.get("role") == "img"]
    assert len(plots) >= 5
    assert all(
        re.search("[가-힣]", p["data-ko"]) and re.search("[A-Za-z]", p["data-en"]) for p in plots
    )


def test_plots_keep_their_korean_as_text(report):
    text = "".join(Elements((report / "report.html").read_text()).text)
    for words in ("학습 모델 + 검색", "가장 흔한 번호", "누적 시간", "제한 시간 5분"):
        assert words in text


def test_the_three_files_say_the_same(report):
    figures = json.loads((report / "report.json").read_text())
    page, text = (report / "report.html").read_text(), (report / "report.md").read_text()
    for line in (*figures["verdict"]["ko"], *figures["verdict"]["en"]):
        assert markdown_text(line) in text
        assert html.escape(line).replace("&#x27;", "&#39;") in page
    value = figures["scores"]["systems"]["trained-rag"]["choice"]["value"]
    assert f"{100 * value:.1f}" in text
    assert f"{100 * value:.1f}" in page
    for figure in (figures["environment"]["python"], "42"):
        assert figure in page


def test_absent_stages_are_named_and_nothing_fails(tmp_path):
    (tmp_path / "run").mkdir()
    figures = write_report(tmp_path / "run", tmp_path / "out")
    assert figures.missing_stages == 7
    assert figures.outcome == "unknown"
    assert list(figures.to_record()) == ["outcome", "missing_stages", "warnings", "html_bytes"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert Elements(page).open == []
    assert "채점한 답이 없습니다." in page
    with pytest.raises(UserError, match="no such run"):
        write_report(tmp_path / "none", tmp_path / "out")


def test_broken_records_do_not_stop_the_report(run_folder, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    (run / "train" / "metrics.jsonl").write_text('{"step": 1, "loss": NaN}\n{"step": 2, "lo')
    write_json(run / "train" / "lengths.json", {"unexpected": True})
    (run / "verify").mkdir()
    (run / "verify" / "verify.json").write_text("{")
    figures = write_report(run, tmp_path / "out")
    assert "NaN" not in (tmp_path / "out" / "report.json").read_text()
    assert figures.html_bytes > 100_000


def test_a_run_over_items_shows_their_accuracy_by_step(run_folder, report, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    rows = [
        {"step": n, "loss": 1.2, "choice_accuracy": n / 20, "evaluation_accuracy": n / 30}
        for n in range(1, 11)
    ]
    write_jsonl(run / "train" / "metrics.jsonl", rows)
    write_report(run, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Accuracy on training items" in page
    assert "10 steps, first 0.050, last 0.500" in page
    assert "squares: held out" in "".join(Elements(page).text)
    assert "loss (nats per answer token)" not in page
    assert "Accuracy on training items" not in (report / "report.html").read_text()
    points = json.loads((tmp_path / "out" / "report.json").read_text())["training"]["points"]
    assert points[9]["accuracy"] == 0.5


def test_nothing_in_questions_answers_or_evidence_can_become_markup(
    run_folder, tmp_path, settings, embedder
):
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    for name in ("questions/questions.jsonl", "data/chunks.jsonl"):
        rows = [json.loads(line) for line in (run / name).read_text().splitlines()]
        for row in rows:
            for field in ("question", "text", "unit", "title"):
                if field in row:
                    row[field] += EVIL
            row["options"] = (
                [o + EVIL for o in row.get("options", [])] if "options" in row else None
            )
            if row["options"] is None:
                del row["options"]
        write_jsonl(run / name, rows)
    rows = [
        json.loads(line)
        for line in (run / "answer-base-rag/answers.jsonl").read_text().splitlines()
    ]
    write_jsonl(
        run / "answer-base-rag/answers.jsonl",
        [Answer(r["id"], EVIL * 2000, tuple(r["evidence"]), 0.5, 1) for r in rows],
    )
    systems = {n: run / f"answer-{n}" for n in ("base", "base-rag", "trained-rag")}
    score_answers(
        run / "questions/questions.jsonl",
        run / "questions/key.jsonl",
        systems,
        run / "data/chunks.jsonl",
        run / "score",
        settings=settings,
        embedder=embedder,
    )
    write_report(run, tmp_path / "out", recipe={**RECIPE, "name": EVIL, "description": EVIL})
    page = (tmp_path / "out" / "report.html").read_text()
    found = Elements(page)
    assert found.open == []
    assert [attrs.get("type") for tag, attrs in found.tags if tag == "script"] == [
        None,
        "application/json",
        None,
    ]
    assert not any(tag == "img" for tag, _ in found.tags)
    assert "49</details>" not in page
    assert len(page.encode()) < 3_000_000


def test_the_same_run_gives_the_same_page(run_folder, report, tmp_path):
    write_report(run_folder, tmp_path, recipe=RECIPE)
    for name in ("report.html", "report.md", "report.json"):
        assert (tmp_path / name).read_bytes() == (report / name).read_bytes()


def test_the_page_shows_judge_permuted_options_and_grounding(judged_and_traced, tmp_path):
    run, _ = judged_and_traced
    write_report(run, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert Elements(page).open == []
    text = " ".join("".join(Elements(page).text).split())
    for words in (
        "distinguishes references from other", "9 / 12", "75 (50)", "25% of the verdicts are unreadable",
        "보기 순서를 바꾸어도", "숫자, 날짜, 조문이 근거에", "근거에 없는 것: 7일",
    ):  # fmt: skip
        assert words in text, words
    assert (
        "| correctness | trained-rag | 50.0 [40.0, 60.0] | 9/12 | 25 | 75 (50) |"
        in (tmp_path / "out" / "report.md").read_text()
    )


def section_ids(page: str) -> list[str]:
    return re.findall(r'<section id="([\w-]+)"', page)


def test_a_run_that_only_answers_shows_no_empty_sections(run_folder, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("data", "index"):
        if (run_folder / name).is_dir():
            shutil.copytree(run_folder / name, run / name)
    asked = {"name": "ask", "ask_only": True, "evaluate": {"heldout": False}}
    write_report(run, tmp_path / "asked", recipe=asked)
    page = (tmp_path / "asked" / "report.html").read_text()
    shown = ["retrieval", "compliance", "environment", "glossary"]
    assert section_ids(page) == shown
    assert f'class="skip" href="#{shown[0]}"' in page
    write_report(run, tmp_path / "begun", recipe=RECIPE)  # trains and scores later
    begun = section_ids((tmp_path / "begun" / "report.html").read_text())
    assert {"scores", "items", "training", "augment", "latency", "merge"} <= set(begun)
