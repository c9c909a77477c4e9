"""`kofinlaw init`: from a folder of documents to a recipe that plans, runs and answers."""

import re
import shlex
import shutil
import threading
import unicodedata
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.compliance import verdicts_for
from kofinlaw.recipes.pipeline.plan import make_plan
from kofinlaw.recipes.pipeline.progress_display import BarProgress
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.recipes.starting.init_recipe import Wishes, init_recipe, recipe_name
from kofinlaw.recipes.starting.model_choice import EMBEDDER

KINDS = ("출입", "문서", "차량", "물품", "열쇠", "전표")


def act(pico, title, number=3):
    """A rulebook like the first one of the pico recipe, with another title, topic and days."""
    text = (pico / "docs" / "전산점검_규정.md").read_text(encoding="utf-8")
    topic = title.removesuffix(" 규정")
    text = text.replace("전산점검 규정", title).replace("전산장비의 점검", topic)
    text = text.replace("점검절차", f"{topic.split()[0]}절차").replace("5년", f"{number + 2}년")
    return text.replace("3일", f"{number}일").replace("300만원", f"{number}00만원")


@pytest.fixture
def documents(pico, tmp_path):
    """A folder of nine rulebooks, a note without articles and a file that nobody can read."""
    folder = tmp_path / "우리 규정"
    shutil.copytree(pico / "docs", folder)
    for number, kind in enumerate(KINDS, 4):
        title = f"{kind} 관리 규정"
        (folder / f"{title}.md").write_text(act(pico, title, number), encoding="utf-8")
    note = "# 안내\n\n이 폴더에는 은행의 규정이 있습니다.\n"
    (folder / "안내.md").write_text(note, encoding="utf-8")
    (folder / "그림.xyz").write_bytes(b"\0\1\2")
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wishes(pico, **values):
    return Wishes(model=str(pico / "model"), **values)


def test_the_recipe_trains_and_tests_on_what_the_documents_give(documents, here, pico):
    written = init_recipe(documents, wishes(pico))
    assert written.start == "train"
    assert written.path == Path("우리 규정.yaml")
    recipe, recipe_file = load_recipe(str(written.path))
    assert recipe.sources[0].path.endswith("우리 규정")
    assert recipe.augment.holdout_share == 0.2
    said = "\n".join(written.lines)
    counted = int(re.search(r"([\d,]+) training examples, counted", said)[1])
    assert 8 <= counted <= 9 * 6 * 6
    assert recipe.augment.items >= counted
    plan = make_plan(bind(recipe, recipe_file, here / "runs", here / "cache"))
    assert plan["problems"] == []
    assert plan["count"]["examples"] == counted
    assert recipe.evaluate.heldout
    assert recipe.augment.holdout_items + recipe.augment.holdout_free > 0
    text = written.path.read_text(encoding="utf-8")
    for title in ("전산점검 규정", "외부반출 관리 규정", *(f"{kind} 관리 규정" for kind in KINDS)):
        assert f"#   {title} (" in text
    assert "그림.xyz: " in said
    assert "그림.xyz: " in text
    for line in text.splitlines():
        key, _, value = line.strip().partition(":")
        if value and not key.startswith("#") and key != "description":
            assert " # " in value, line


def test_the_three_starts_differ_in_what_runs(documents, here, pico):
    found = {}
    for start in ("ask", "train", "train-untested"):
        out = Path(f"{start}.yaml")
        init_recipe(documents, wishes(pico, start=start, out=out))
        found[start], _ = load_recipe(str(out))
    assert [found[start].ask_only for start in found] == [True, False, False]
    assert [found[start].tested for start in found] == [False, True, False]
    for recipe in (found["train"], found["train-untested"]):
        # Trained in the way it is asked: with listed options only if they are listed.
        assert (recipe.train.objective == "contrast") is (recipe.answer.choose_by == "contrast")
    assert found["train-untested"].augment.items >= found["train"].augment.items
    assert "NOT PROVEN" in Path("train-untested.yaml").read_text(encoding="utf-8")


def test_small_models_are_asked_as_in_the_shipped_recipes(documents, here, monkeypatch):
    monkeypatch.setattr("kofinlaw.recipes.starting.init_recipe.embedder_at_hand", lambda: EMBEDDER)
    init_recipe(documents, Wishes(start="ask", model="google/gemma-3-270m", out=Path("own.yaml")))
    own, _ = load_recipe("own.yaml")
    asking, _ = load_recipe("ask-documents")
    assert (own.answer, own.rag) == (asking.answer, asking.rag)
    for name in ("quickstart", "statutes-cpu"):
        shipped, _ = load_recipe(name)
        for table in ("voters", "unrelated_voters", "free_voters"):
            assert getattr(own.answer, table) == getattr(shipped.answer, table), (name, table)


def test_a_file_is_never_overwritten(documents, here, pico):
    init_recipe(documents, wishes(pico, start="ask"))
    before = Path("우리 규정.yaml").read_bytes()
    with pytest.raises(UserError, match="does not overwrite"):
        init_recipe(documents, wishes(pico, start="train"))
    assert Path("우리 규정.yaml").read_bytes() == before


def test_two_recipes_of_one_folder_have_runs_of_their_own(documents, here, pico):
    asked = init_recipe(documents, wishes(pico, start="ask"))
    trained = init_recipe(documents, wishes(pico, start="train", out=Path("trained.yaml")))
    assert trained.name == "trained"
    assert load_recipe("trained.yaml")[0].name == "trained"
    assert asked.name != trained.name


def test_documents_without_articles_can_only_be_asked(here, pico):
    folder = here / "notes"
    folder.mkdir()
    text = "# 창구 안내\n\n## 영업시간\n\n영업시간은 오전 아홉 시부터 오후 네 시까지입니다.\n"
    (folder / "a.md").write_text(text, encoding="utf-8")
    assert init_recipe(folder, wishes(pico)).start == "ask"
    with pytest.raises(UserError, match="--start ask"):
        init_recipe(folder, wishes(pico, start="train", out=Path("b.yaml")))
    assert not Path("b.yaml").exists()


def test_the_user_chooses_among_the_possible_starts(documents, here, pico):
    seen = []

    def choose(options, proposed):
        seen.append((list(options), proposed))
        return "train-untested"

    assert init_recipe(documents, wishes(pico, choose_start=choose)).start == "train-untested"
    assert seen == [(["ask", "train", "train-untested"], "train")]


def test_a_policy_leaves_out_what_it_refuses(documents, here, pico):
    late = act(pico, "새 규정").replace("2025-01-02", "2026-01-02")
    (documents / "새 규정.md").write_text(late, encoding="utf-8")
    out = Path("contest.yaml")
    with pytest.raises(UserError, match="refuses"):
        init_recipe(documents, wishes(pico, policy="contest-2025", out=out))
    written = init_recipe(documents, Wishes(start="ask", policy="contest-2025", card="24"))
    recipe, _ = load_recipe(str(written.path))
    assert recipe.answer.choose_by == "generate"
    assert (recipe.answer.budget_minutes, recipe.answer.count_pauses) == (270, True)
    assert recipe.answer.expected_questions == 515
    assert all(verdict.ok for verdict in verdicts_for(recipe, "contest-2025"))
    read = [Path(source.path).name for source in recipe.sources]
    assert "새 규정.md" not in read
    assert "출입 관리 규정.md" in read
    assert "새 규정: in force from 2026-01-02" in "\n".join(written.lines)


def test_missing_folders_and_unreadable_ones_are_one_error(here, pico):
    with pytest.raises(UserError, match="no such file"):
        init_recipe(here / "nowhere", wishes(pico))
    (here / "empty").mkdir()
    with pytest.raises(UserError, match="no document"):
        init_recipe(here / "empty", wishes(pico))
    assert not list(here.glob("*.yaml"))


def test_recipe_and_runs_never_lie_among_the_documents(documents, here, pico, monkeypatch):
    with pytest.raises(UserError, match="among your documents"):
        init_recipe(documents, wishes(pico, out=documents / "own.yaml"))
    monkeypatch.chdir(documents)
    with pytest.raises(UserError, match="among your documents"):
        init_recipe(Path(), wishes(pico))
    assert not list(documents.glob("*.yaml"))


def test_names_are_those_of_folders_with_a_mark_where_letters_are_lost():
    assert recipe_name(Path("bank rules")) == "bank-rules"
    korean, other = recipe_name(Path("여신 규정")), recipe_name(Path("수신 규정"))
    assert korean != other
    assert korean.startswith("documents-")
    assert recipe_name(Path(unicodedata.normalize("NFD", "여신 규정"))) == korean


def test_on_a_terminal_init_asks_until_it_understands(documents, here, pico, typed, monkeypatch):
    answers = iter(["opne", "open", "everything", "ask"])
    asked = []

    def prompt(text, default):
        screens = (getattr(thread, "live", None) for thread in threading.enumerate())
        drawing = [screen for screen in screens if screen is not None and screen.is_started]
        asked.append((text, default))
        assert not drawing  # bars would be drawn over the question
        return next(answers)

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("kofinlaw.recipes.pipeline.progress_display.stage_progress", BarProgress)
    monkeypatch.setattr("typer.prompt", prompt)
    code, said = typed("init", documents, "--model", pico / "model")
    assert code == 0, said
    assert [default for _, default in asked] == ["open", "open", "train", "train"]
    recipe, _ = load_recipe("우리 규정.yaml")
    assert recipe.ask_only


def test_init_plan_run_and_ask_work_as_printed(documents, here, pico, typed, monkeypatch):
    monkeypatch.setattr("kofinlaw.recipes.starting.init_recipe.embedder_at_hand", lambda: None)
    model = pico / "model"
    code, said = typed("init", documents, "--start", "ask", "--yes", "--model", model)
    assert code == 0, said
    words = shlex.split(said[said.index("kofinlaw ask") :], comments=True)
    assert "제3조(보고)" in words[2]
    recipe = Path("우리 규정.yaml")
    code, said = typed("plan", recipe)
    assert code == 0, said
    assert "nothing is trained" in said
    assert "not proven" in said
    assert "training:" not in said
    code, said = typed("run", recipe)
    assert code == 0, said
    assert "Not proven" in said
    assert words[2] in said
    code, said = typed(*words[1:])
    assert code == 0, said
    assert "this recipe trains no model" in said
    assert f"{words[2].split('「')[1].split('」')[0]} 제3조" in said


def test_training_without_a_test_is_not_proven_anywhere(documents, here, pico, typed, monkeypatch):
    monkeypatch.setattr("kofinlaw.recipes.starting.init_recipe.embedder_at_hand", lambda: None)
    words = ["--start", "train-untested", "--yes", "--model", pico / "model", "--out", "own.yaml"]
    assert typed("init", documents, *words)[0] == 0
    recipe, _ = load_recipe("own.yaml")
    short = ["--set", "train.max_steps=4", "--set", "train.learning_rate=1e-2"]
    short += ["--set", "answer.free_max_tokens=8", "--set", "augment.items=40"]
    code, said = typed("run", "own.yaml", *short)
    assert code == 0, said
    run = here / "runs" / recipe.name
    assert (run / "merge" / "model").is_dir()
    assert not (run / "score").exists()
    pages = ("merge/model/README.md", "report/report.md", "verify/verify.md", "report/report.html")
    for page in pages:
        assert "Not proven" in (run / page).read_text(encoding="utf-8"), page
    assert "Not proven: this run has no test questions" in said
    code, said = typed("ask", "문서를 보관하는 기간은?", "--run", run)
    assert code == 0, said
    assert "it is not proven" in said
