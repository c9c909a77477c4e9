import json
import re
import shutil
from html.parser import HTMLParser
from typing import ClassVar

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_json, write_jsonl
from kofinlaw.records import Answer
from kofinlaw.scoring.compare import compare_runs
from kofinlaw.scoring.report.plots import bins, running_mean, spaced
from kofinlaw.scoring.report.verdict import outcome_of, verdict
from kofinlaw.scoring.report.write import write_report
from kofinlaw.scoring.score import score_answers
from kofinlaw.trace_files import open_tracer
from kofinlaw.trace_settings import TraceSettings

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}</details></main>\u202e'
RECIPE = {"name": "quickstart", "description": "견본", "seed": 42, "answer": {"budget_minutes": 5}}


class Elements(HTMLParser):
    """Tags with their attributes, and the text between them."""

    VOID: ClassVar = {"meta", "link", "br", "img", "input"}

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


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
    for words in ("학습 모델 + 검색", "가장 흔한 번호", "쌓인 시간", "주어진 시간 5분"):
        assert words in text


def test_the_three_files_say_the_same(report):
    figures = json.loads((report / "report.json").read_text())
    page, text = (report / "report.html").read_text(), (report / "report.md").read_text()
    for line in (*figures["verdict"]["ko"], *figures["verdict"]["en"]):
        assert line in text
        assert line.replace("'", "&#39;") in page
    value = figures["scores"]["systems"]["trained-rag"]["choice"]["value"]
    assert f"{100 * value:.1f}" in text
    assert f"{100 * value:.1f}" in page
    for figure in (figures["environment"]["python"], "42"):
        assert figure in page


def test_absent_stages_are_named_and_nothing_fails(tmp_path):
    (tmp_path / "run").mkdir()
    figures = write_report(tmp_path / "run", tmp_path / "out")
    assert figures["missing_stages"] == 7
    assert figures["outcome"] == "unknown"
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
    assert figures["html_bytes"] > 100_000


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


@pytest.mark.parametrize(
    ("only_a", "only_b", "p_value", "outcome"),
    [
        (5, 20, 0.004, "helped"),
        (20, 5, 0.004, "hurt"),
        (8, 12, 0.5, "unclear"),
        (7, 7, 1.0, "none"),
    ],
)
def test_the_verdict_says_plainly_what_the_paired_test_says(only_a, only_b, p_value, outcome):
    pair = {
        "n": 60,
        "only_a": only_a,
        "only_b": only_b,
        "p_value": p_value,
        "difference": (only_b - only_a) / 60,
    }
    assert outcome_of(pair, 0.05) == outcome


def test_the_verdict_points_to_the_larger_question_set_when_items_are_few(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text())
    found = verdict({"scores": scores})
    assert "statutes-cpu" in found["ko"][2]
    for smallest in scores["smallest"].values():
        smallest["n"] = 480
    assert "statutes-cpu" not in verdict({"scores": scores})["ko"][2]
    assert verdict({})["outcome"] == "unknown"


def test_faults_of_the_answers_are_warnings(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text())
    scores["systems"]["base"]["missing"] = ["MC-001", "MC-002"]
    scores["systems"]["base"]["fallbacks"] = 3
    found = verdict({"scores": scores, "merge": {"verdict": "fail"}})
    assert [w["en"].split(":")[0] for w in found["warnings"]] == [
        "base model",
        "base model",
        "The merge was not proven",
    ]


def test_runs_are_compared_item_by_item_with_what_changed(run_folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(run_folder, other)
    rows = [json.loads(line) for line in (other / "score/items.jsonl").read_text().splitlines()]
    changed = 0
    for row in rows:
        if (
            row["system"] == "base"
            and row["kind"] == "choice"
            and row["score"] == 0
            and changed < 8
        ):
            row["score"], changed = 1.0, changed + 1
    write_jsonl(other / "score/items.jsonl", rows)
    record = json.loads((other / "train/stage.json").read_text())
    write_json(
        other / "train/stage.json", {**record, "settings": {"train": {"learning_rate": 1e-4}}}
    )
    text = compare_runs([run_folder, other])
    assert "| base | 60 | 0 | 8 | +13.3" in text
    assert "0.0078 |" in text  # 2 · ½⁸
    assert "- train.learning_rate: – → 0.0001" in text
    with pytest.raises(UserError, match="not been scored"):
        compare_runs([run_folder, tmp_path])


def test_small_functions_of_the_plots():
    assert running_mean([1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]
    assert running_mean([float(v) for v in range(40)])[20] == 20.0
    assert spaced([1.0, 1.1, 5.0], 0.5) == [1.0, 1.5, 5.0]
    edges, counts = bins([1, 1, 2, 9, 30])
    assert sum(counts) == 5
    assert len(edges) == len(counts) + 1


@pytest.fixture
def judged_and_traced(run_folder, tmp_path):
    """A run with a judge's figures, permuted options, ungrounded claims and traces of two items."""
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    path = run / "score" / "scores.json"
    scores = json.loads(path.read_text())
    figure = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 12}
    cell = {
        "figure": figure, "items": 12, "judged": 9, "verdicts": 24, "unreadable": 6,
        "unreadable_share": 0.25, "worst": 0.4, "best": 0.65, "agreement": 0.75, "by_chance": 0.5,
    }  # fmt: skip
    pair = {
        "a": "base", "b": "trained-rag", "items": 12, "wins_a": 1, "wins_b": 4, "same": 3,
        "unstable": 3, "unreadable": 1, "p_value": 0.375,
    }  # fmt: skip
    scores["judge"] = {
        "judge": "local/judge", "engine": "llamacpp", "items": 12, "repeats": 2,
        "criteria": {"correctness": {"trained-rag": cell}}, "pairs": [pair],
        "controls": {"correctness": {"reference": 1.0, "stranger": 0.1, "auc": 0.95, "n": 24}},
    }  # fmt: skip
    one = scores["systems"]["trained-rag"]
    one["orders"] = {
        "n": 60, "orders": 4, "plain": figure, "permuted": figure, "averaged": figure,
        "consistent": figure, "by_chance": 0.016, "gained": 1, "lost": 2,
    }  # fmt: skip
    one["grounding"] = {"answers": 12, "claims": 20, "share": 0.85, "answers_with_ungrounded": 3}
    write_json(path, scores)
    rows = [json.loads(line) for line in (run / "score/items.jsonl").read_text().splitlines()]
    own = [row for row in rows if row["system"] == "trained-rag"]
    wrong = next(row["id"] for row in own if row["score"] < 0.5)
    right = min((row for row in own if row["score"] >= 0.5), key=lambda row: row["seconds"])["id"]
    own[-1]["ungrounded"] = ["7일"]
    write_jsonl(run / "score" / "items.jsonl", rows)
    with (
        open_tracer(TraceSettings(), run / "answer-trained-rag") as tracer,
        tracer.span("score", model="pico", turns=[0]) as span,
    ):
        span.item(wrong, prompt=f"[참고 조문] {EVIL}", answer="2")
        span.item(right, prompt="빠르고 맞은 문항", answer="1")
    return run, wrong


def test_slow_and_wrong_items_link_to_their_traces(judged_and_traced, tmp_path):
    run, wrong = judged_and_traced
    write_report(run, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    traces = (tmp_path / "out" / "traces.html").read_text()
    (anchor,) = set(re.findall(r'href="traces.html#(t\d+)"', page))
    assert f'id="{anchor}"><h2>{wrong}' in traces
    assert "answer-trained-rag/traces.jsonl:1" in traces
    assert "빠르고 맞은 문항" not in traces
    assert "<script" not in traces
    assert "&lt;script&gt;" in traces
    assert Elements(traces).open == []


def test_judge_permuted_options_and_grounding_stand_on_the_page(judged_and_traced, tmp_path):
    run, _ = judged_and_traced
    write_report(run, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert Elements(page).open == []
    text = " ".join("".join(Elements(page).text).split())
    for words in (
        "references told from strangers", "9 / 12", "75 (50)", "25% of the verdicts unreadable",
        "보기 순서를 바꾸어도", "숫자, 날짜, 조문이 근거에", "근거에 없는 것: 7일",
    ):  # fmt: skip
        assert words in text, words
    assert (
        "| correctness | trained-rag | 50.0 [40.0, 60.0] | 9/12 | 25 | 75 (50) |"
        in (tmp_path / "out" / "report.md").read_text()
    )
