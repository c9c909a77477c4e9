"""accelerate reads the shipped launch files, and the preset of the guide has its values."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ZERO = {"zero2", "zero2-offload", "zero3", "zero3-offload"}
LAUNCH = sorted((ROOT / "recipes" / "accelerate").glob("*.yaml"))


@pytest.mark.parametrize("path", [*LAUNCH, ROOT / "accelerate_config.yaml"], ids=lambda p: p.stem)
def test_accelerate_reads_every_launch_file_and_knows_all_its_keys(path):
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(path))
    kinds = {"single": "NO", "accelerate_config": "NO", "fsdp": "FSDP"}
    zero = {name: "DEEPSPEED" for name in ZERO}
    assert config.distributed_type == (kinds | zero).get(path.stem, "MULTI_GPU")
    assert config.mixed_precision == "no"
    assert config.num_processes >= config.num_machines


def test_the_launch_files_are_the_ones_the_docs_name():
    names = {path.stem for path in LAUNCH}
    assert {"single", "ddp", "fsdp", "multinode"} | ZERO == names
    text = (ROOT / "docs" / "guides" / "trainer.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in names)


def test_the_guides_preset_holds_the_guides_values():
    from kofinlaw.recipes.pipeline.schema import load_recipe

    recipe, _ = load_recipe(str(ROOT / "recipes" / "presets" / "guide.yaml"))
    lora = recipe.train.lora
    assert (lora.rank, lora.alpha, lora.dropout) == (16, 32, 0.1)
    assert lora.targets == ("q_proj", "k_proj", "v_proj", "o_proj")
    assert (recipe.train.quantization, recipe.train.dtype) == ("nf4", "float16")
    rag = recipe.rag
    assert (rag.store, rag.lexical, rag.alpha) == ("weaviate", "kiwi", 0.7)
    assert (rag.pool, rag.rerank_pool, rag.k) == (25, 25, 3)
    assert rag.reranker != "none"
    assert rag.embedder == "upskyy/bge-m3-korean"
    assert 512 <= recipe.data.chunks.max_tokens <= 1024
    teacher = recipe.augment.teacher
    assert teacher is not None
    assert teacher.model.id == recipe.model.id
    assert (teacher.engine.quantization, recipe.answer.engine.quantization) == ("none", "nf4")
