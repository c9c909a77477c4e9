"""Reading recipes: line numbers, overrides, and errors with file and line."""

import unicodedata
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.recipe_file import change_paths, find_recipe, read_recipe_file


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_value_has_its_line(tmp_path):
    recipe_file = read_recipe_file(
        write(tmp_path, "name: 시험\ndata:\n  sources:\n    - path: a\n")
    )
    assert recipe_file.origin("name") == "recipe.yaml:1"
    assert recipe_file.origin("data.sources.0.path") == "recipe.yaml:4"


def test_an_override_replaces_a_value_and_its_origin(tmp_path):
    path = write(tmp_path, "name: a\ntrain:\n  epochs: 1\n")
    recipe_file = read_recipe_file(path, ["train.epochs=3", "train.lora.rank=8"])
    assert recipe_file.values["train"] == {"epochs": 3, "lora": {"rank": 8}}
    assert recipe_file.origin("train.epochs") == "--set train.epochs"


def test_a_path_on_the_command_line_is_relative_to_the_current_folder(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    overrides = ["data.sources=acts", "evaluate.submission=questions.csv"]
    recipe_file = read_recipe_file(write(tmp_path, "name: a\n"), overrides)
    assert recipe_file.values["data"]["sources"] == str(elsewhere / "acts")
    assert recipe_file.values["evaluate"]["submission"] == str(elsewhere / "questions.csv")


def test_paths_of_the_file_are_relative_to_it_from_any_folder(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    text = (
        "train: {start_from: adapter, mixture: [{path: more.jsonl, weight: 2}]}\n"
        "study: {trained: merged}\nscore: {judge: {model: {id: a/b, path: judge}}}\n"
        "answer: {engine: {gguf: /models/m.gguf}}\ndata: {sources: [docs, {path: more}]}\n"
    )
    values = read_recipe_file(write(tmp_path, text)).values
    assert values["train"]["start_from"] == str(tmp_path / "adapter")
    assert values["train"]["mixture"] == [{"path": str(tmp_path / "more.jsonl"), "weight": 2}]
    assert values["study"]["trained"] == str(tmp_path / "merged")
    assert values["score"]["judge"]["model"]["path"] == str(tmp_path / "judge")
    assert values["answer"]["engine"]["gguf"] == "/models/m.gguf"
    assert values["data"]["sources"] == [str(tmp_path / "docs"), {"path": str(tmp_path / "more")}]
    # A whole section on the command line holds paths too.
    overrides = ["study={trained: MERGED}", "train.start_from=mine"]
    values = read_recipe_file(write(tmp_path, text), overrides).values
    assert values["study"]["trained"] == str(elsewhere / "MERGED")
    assert values["train"]["start_from"] == str(elsewhere / "mine")
    assert values["train"]["mixture"][0]["path"] == str(tmp_path / "more.jsonl")


def test_a_rubric_file_is_relative_to_the_recipe_and_a_rubric_name_is_unchanged(tmp_path):
    text = "score:\n  judge:\n    criteria: [correctness, tone.md]\n"
    judge = read_recipe_file(write(tmp_path, text)).values["score"]["judge"]
    assert judge["criteria"] == ["correctness", str(tmp_path / "tone.md")]


def test_a_repeated_key_is_refused_with_its_line(tmp_path):
    with pytest.raises(UserError) as caught:
        read_recipe_file(write(tmp_path, "name: a\nseed: 1\nseed: 2\n"))
    assert caught.value.where == "recipe.yaml:3"


@pytest.mark.parametrize("text", ["name: [a\n", "- a\n- b\n", "", "name: a\n\tseed: 1\n"])
def test_a_file_that_is_not_a_recipe_gives_one_clear_error(tmp_path, text):
    with pytest.raises(UserError):
        read_recipe_file(write(tmp_path, text))


def test_a_recipe_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_bytes("name: a\ndescription: 전자금융거래법\n".encode("cp949"))
    with pytest.raises(UserError, match="UTF-8"):
        read_recipe_file(path)


@pytest.mark.parametrize("override", ["seed", "=1", "name.x=1", "a=[1"])
def test_a_broken_override_is_refused(tmp_path, override):
    with pytest.raises(UserError):
        read_recipe_file(write(tmp_path, "name: a\n"), [override])


def test_shipped_recipes_are_found_by_name_and_near_names_are_suggested():
    assert find_recipe("quickstart").name == "quickstart.yaml"
    with pytest.raises(UserError, match="did you mean quickstart"):
        find_recipe("quickstrat")


def test_decomposed_keys_values_and_paths_are_composed(tmp_path):
    folder = tmp_path / unicodedata.normalize("NFD", "규정집")
    folder.mkdir()
    text = "name: 시험\n설명\u200b: '가\ufeff나'\nbad: \"\\uD800\"\ndata:\n  sources: 규정집\n"
    path = write(tmp_path, unicodedata.normalize("NFD", text))
    override = unicodedata.normalize("NFD", "title=은행\u200b")
    values = read_recipe_file(path, [override]).values
    assert values["name"] == "시험"
    assert (values["설명"], values["bad"], values["title"]) == ("가나", "\ufffd", "은행")
    assert values["data"]["sources"] == str(folder)  # the folder's real name


def test_a_model_folder_with_a_dot_starts_at_the_recipe_and_a_name_stays_a_name(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "rag: {embedder: ./embedders/1/e5, reranker: ../reranker}\n"
        "score: {embedder: intfloat/multilingual-e5-small}\n"
        "answer: {sample_submission: sample.csv}\n",
        encoding="utf-8",
    )
    values = read_recipe_file(path).values
    assert values["rag"] == {
        "embedder": str(tmp_path / "embedders" / "1" / "e5"),
        "reranker": str(tmp_path.parent / "reranker"),
    }
    assert values["score"] == {"embedder": "intfloat/multilingual-e5-small"}
    assert values["answer"] == {"sample_submission": str(tmp_path / "sample.csv")}


def test_change_paths_visits_every_kind_of_path():
    values = {
        "model": {"id": "name", "path": "a"},
        "data": {"sources": [{"path": "b", "license": "x"}, "c"]},
        "answer": {"voters": "fit"},
        "score": {"judge": {"criteria": ["own.md", "shipped"]}},
        "rag": {"embedder": "d"},
        "evaluate": {"exam": [{"path": "e", "key": "f", "sources": [{"path": "g"}]}]},
    }
    seen = []

    def change(key: str, value: str) -> str:
        seen.append((key, value))
        return value.upper()

    change_paths(values, change)
    assert seen == [
        ("model.path", "a"),
        ("data.sources", "b"),
        ("data.sources", "c"),
        ("evaluate.exam", "e"),
        ("evaluate.exam", "f"),
        ("evaluate.exam", "g"),
        ("score.judge.criteria", "own.md"),
        ("rag.embedder", "d"),
    ]
    assert values["data"]["sources"] == [{"path": "B", "license": "x"}, "C"]
    assert values["answer"]["voters"] == "fit"
    assert values["score"]["judge"]["criteria"] == ["OWN.MD", "shipped"]
