"""`plan --simulate`: the training step of a recipe's model, simulated next to the arithmetic."""

from __future__ import annotations

import json

import pytest

from kofinlaw import UserError, silent
from kofinlaw.models.machines import planned_card
from kofinlaw.recipes.pipeline.planning.figures import memory_figures
from kofinlaw.recipes.pipeline.planning.simulated import simulation_figures, simulation_lines
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe

SHAPE = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 512,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
}
ROWS = 128


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "tiny"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(SHAPE), encoding="utf-8")
    return path


def bound(folder, tmp_path, *more):
    words = [f"model.id={folder}", f"train.max_length={ROWS}", *more]
    return bind(*load_recipe("quickstart", words), tmp_path / "runs")


def figures(run, gib, problems):
    machine = planned_card(gib, f"a card of {gib:g} GiB")
    memory = memory_figures(run, machine, problems)
    return memory, simulation_figures(run, machine, memory, problems, silent)


def test_the_simulated_step_stands_next_to_the_arithmetic(folder, tmp_path):
    problems = []
    memory, found = figures(bound(folder, tmp_path), 1.05, problems)
    assert problems == []
    assert found["length"] == ROWS
    assert 1 <= found["micro_batch"] < found["most_rows"]
    assert found["longest_sequence"] == SHAPE["max_position_embeddings"]
    assert sum(found["kinds_gib"].values()) == pytest.approx(found["peak_gib"], abs=0.01)
    assert found["total_gib"] == pytest.approx(1.0 + 1.03 * found["peak_gib"], abs=0.01)
    assert found["chosen"]["total_gib"] <= 1.05
    assert found["chosen"]["tokens"] >= ROWS
    assert found["padded"] == ""
    lines = simulation_lines({"simulation": found, "memory": memory})
    assert any(f"would choose {found['chosen']['tokens']} tokens" in line for line in lines)
    assert lines[0].startswith(f"simulated training step at {ROWS} tokens: peak 0.0")
    assert any(f"{found['micro_batch']} (arithmetic {memory['micro_batch']})" in x for x in lines)
    assert simulation_lines({"simulation": None, "memory": memory}) == []


def test_too_little_memory_is_a_problem_with_the_longest_sequence(folder, tmp_path):
    problems = []
    _, found = figures(bound(folder, tmp_path), 1.0, problems)
    assert (found["micro_batch"], found["longest_sequence"]) == (0, 0)
    assert any("by simulation, but the limit is 1.0 GiB" in problem for problem in problems)


def test_what_is_simulated_otherwise_is_said(folder, tmp_path):
    run = bound(
        folder,
        tmp_path,
        "train.quantization=none",
        "train.lora.initialization=pissa",
        "train.optimizer=paged_adamw_8bit",
        "train.backend=liger",
        "train.neftune_alpha=5",
    )
    _, found = figures(run, 1.2, [])
    assert [note.partition(":")[0] for note in found["notes"]] == [
        "initialization pissa",
        "neftune_alpha",
        "paged_adamw_8bit",
    ]
    # Two moments of 8 bits are held instead of two of 32 bits.
    adapter, state = found["kinds_gib"]["adapter"], found["kinds_gib"]["optimizer"]
    assert state <= 1.1 * adapter


def test_a_recipe_that_trains_nothing_cannot_be_simulated(tmp_path):
    run = bind(*load_recipe("ask-documents", ()), tmp_path / "runs")
    machine = planned_card(24, "a card")
    memory = memory_figures(run, machine, [])
    with pytest.raises(UserError, match="trains no language model"):
        simulation_figures(run, machine, memory, [], silent)


def test_a_broken_config_is_one_error(folder, tmp_path):
    run = bound(folder, tmp_path)
    machine = planned_card(24, "a card")
    memory = memory_figures(run, machine, [])
    broken = SHAPE | {"model_type": "no-such-type"}
    (folder / "config.json").write_text(json.dumps(broken), encoding="utf-8")
    with pytest.raises(UserError, match="config cannot be read"):
        simulation_figures(run, machine, memory, [], silent)


def test_the_command_prints_the_simulation_as_json_and_as_lines(command, folder, tmp_path):
    words = ["plan", "quickstart", "--runs", str(tmp_path / "runs"), "--card", "1.05", "--simulate"]
    words += ["--set", f"model.id={folder}", "--set", f"train.max_length={ROWS}"]
    _, printed, _ = command(*words, "--json")
    found = json.loads(printed)["simulation"]
    assert found["length"] == ROWS
    assert found["micro_batch"] >= 1
    code, printed, shown = command("plan", "ask-documents", "--simulate")
    assert code == 1
    assert "--simulate: this recipe trains no language model" in printed + shown
