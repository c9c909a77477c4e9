"""Compare the merge with `merge_and_unload` + `save_pretrained` of peft, in separate processes.

    python benchmarks/merge.py --sizes 0.05 --work DIR        # a trial run of one minute
    python benchmarks/merge.py --sizes 1 3 6 --compare 3 --work DIR --out merge.json
    python benchmarks/merge.py --adapter ADAPTER --base BASE --work DIR  # a real adapter

`--sizes` are billions of parameters of synthetic Llamas in 8 shards with a rank 16 adapter on all
linear layers. At the sizes in `--compare` peft merges the same model, and the script compares
peft's float32 result tensor by tensor. It needs 3 × 2 bytes per parameter on the disk. A
comparison also needs 2 bytes per parameter of memory for peft.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from outcome import outcome

from kofinlaw.units import GIB

# parameters in billions: (hidden, intermediate, layers, heads, key-value heads, vocabulary)
SHAPES = {
    0.05: (512, 1408, 12, 8, 4, 8000),
    1.0: (2048, 5632, 20, 16, 8, 32000),
    3.0: (3072, 8192, 28, 24, 8, 32000),
    6.0: (4096, 11008, 33, 32, 8, 32000),
}
SHARDS = 8
RANK = 16
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def layer_shapes(shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the tensor shapes of the whole model by name."""
    hidden, inner, layers, heads, groups, vocabulary = shape
    keys = hidden // heads * groups
    out: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocabulary, hidden)}
    for n in range(layers):
        stem = f"model.layers.{n}"
        out |= {
            f"{stem}.input_layernorm.weight": (hidden,),
            f"{stem}.self_attn.q_proj.weight": (hidden, hidden),
            f"{stem}.self_attn.k_proj.weight": (keys, hidden),
            f"{stem}.self_attn.v_proj.weight": (keys, hidden),
            f"{stem}.self_attn.o_proj.weight": (hidden, hidden),
            f"{stem}.post_attention_layernorm.weight": (hidden,),
            f"{stem}.mlp.gate_proj.weight": (inner, hidden),
            f"{stem}.mlp.up_proj.weight": (inner, hidden),
            f"{stem}.mlp.down_proj.weight": (hidden, inner),
        }
    return out | {"model.norm.weight": (hidden,), "lm_head.weight": (vocabulary, hidden)}


def make(size: float, folder: Path) -> None:
    """Write the synthetic base and its adapter."""
    import torch

    from kofinlaw.trainer.base_identity import base_sha256
    from kofinlaw.trainer.merge.tensor_files import ShardWriter

    base, adapter = folder / "base", folder / "adapter"
    base.mkdir(parents=True)
    adapter.mkdir()
    shape = SHAPES[size]
    shapes = layer_shapes(shape)
    hidden, inner, layers, heads, groups, vocabulary = shape
    generator = torch.Generator().manual_seed(0)
    names = list(shapes)
    share = -(-len(names) // SHARDS)
    weight_map = {}
    for n in range(SHARDS):
        file = f"model-{n + 1:05}-of-{SHARDS:05}.safetensors"
        part = names[n * share : (n + 1) * share]
        writer = ShardWriter(base / file, [(name, shapes[name], "BF16") for name in part])
        for name in writer.order:
            noise = torch.empty(shapes[name]).uniform_(-0.035, 0.035, generator=generator)
            writer.write(name, (noise + (len(shapes[name]) == 1)).bfloat16())
            weight_map[name] = file
        writer.close()
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": groups,
        "vocab_size": vocabulary,
        "tie_word_embeddings": False,
        "rope_theta": 10000.0,
        "torch_dtype": "bfloat16",
    }
    (base / "config.json").write_text(json.dumps(config))
    (base / "tokenizer.json").write_text(
        '{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,'
        '"pre_tokenizer":null,"post_processor":null,"decoder":null,'
        '"model":{"type":"WordLevel","vocab":{"<unk>":0},"unk_token":"<unk>"}}'
    )
    (base / "tokenizer_config.json").write_text('{"eos_token":"<unk>"}')
    factors = [
        (name.removesuffix(".weight"), shapes[name]) for name in names if name[-11:-7] == "proj"
    ]
    planned = []
    for module, (rows, columns) in factors:
        planned.append((f"base_model.model.{module}.lora_A.weight", (RANK, columns), "F32"))
        planned.append((f"base_model.model.{module}.lora_B.weight", (rows, RANK), "F32"))
    sizes = {name: shape for name, shape, _ in planned}
    writer = ShardWriter(adapter / "adapter_model.safetensors", planned)
    for name in writer.order:
        writer.write(name, torch.randn(sizes[name], generator=generator) * 0.01)
    writer.close()
    lora = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 2 * RANK}
    lora |= {"target_modules": TARGETS, "inference_mode": True, "bias": "none"}
    (adapter / "adapter_config.json").write_text(json.dumps(lora))
    record = {"base_sha256": base_sha256(base), "base_id": "synthetic", "quantization": None}
    (adapter / "kofinlaw.json").write_text(json.dumps(record))


def ours(folder: Path) -> dict[str, Any]:
    """Merge with kofinlaw; this includes the hash of the base."""
    from kofinlaw.trainer.merge.merge_model import merge_adapter

    done = merge_adapter(folder / "adapter", folder / "base", folder / "ours", base="original")
    return done.to_record()


def peft_model(folder: Path) -> Any:
    """Load base and adapter with peft, the base in bf16 as it is stored."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.bfloat16)
    return PeftModel.from_pretrained(model, str(folder / "adapter"))


def peft(folder: Path) -> None:
    """Merge and save as peft's documentation does."""
    peft_model(folder).merge_and_unload().save_pretrained(folder / "peft")


def equal(folder: Path) -> dict[str, Any]:
    """Compare our bf16 tensors with peft's float32 sums, rounded once.

    Each layer is converted to float32 separately before peft merges it, because the whole model
    would need 4 bytes per parameter. Raises: SystemExit if a tensor could not be compared.
    """
    import torch
    from peft.tuners.lora import LoraLayer

    from kofinlaw.trainer.merge.tensor_files import checkpoint_tensors, read_tensor

    stored = checkpoint_tensors(folder / "ours")
    model = peft_model(folder).base_model.model
    largest, differing, seen = 0.0, 0, set()
    for module_name, module in model.named_modules():
        if isinstance(module, LoraLayer):
            module.base_layer.float()
            module.merge()
            values = {f"{module_name}.weight": module.base_layer.weight}
        elif ".lora_" in module_name or module_name.endswith("base_layer"):
            continue
        else:
            own = module.named_parameters(recurse=False)
            values = {f"{module_name}.{part}": value for part, value in own}
        for name, value in values.items():
            theirs = value.detach().bfloat16().float()
            gap = float((read_tensor(stored[name]).float() - theirs).abs().max())
            largest, differing = max(largest, gap), differing + (gap > 0)
            seen.add(name)
            value.data = torch.empty(0)  # free the memory for the next tensor
    if seen != set(stored):
        raise SystemExit(f"tensors that were not compared: {sorted(set(stored) ^ seen)[:3]}")
    return {"tensors": len(seen), "differing": differing, "largest_difference": largest}


def both_bases(adapter: Path, base: Path, work: Path) -> dict[str, Any]:
    """Measure how far each merge is from the trained model, and its loss on the fixed answers."""
    from kofinlaw.trainer.merge.merge_model import merge_adapter
    from kofinlaw.trainer.proof.prove import prove_merge

    rows = {}
    for kind in ("dequantized", "original"):
        for dtype in ("bfloat16", "float16"):
            folder = work / f"{kind}-{dtype}"
            shutil.rmtree(folder, ignore_errors=True)
            merged = merge_adapter(adapter, base, folder, base=kind, dtype=dtype)
            proof = prove_merge(folder, adapter, base, against="trained")
            figures = proof.to_record()
            kept = (
                "argmax_agreement",
                "kl_mean",
                "adapter_effect_kl",
                "answer_loss_base",
                "answer_loss_trained",
                "answer_loss_merged",
            )
            rows[folder.name] = {
                "seconds": merged.seconds,
                "rounding_share": proof.weights and proof.weights.rounding_share,
                **{key: figures[key] for key in kept},
            }
            print(json.dumps({folder.name: rows[folder.name]}), flush=True)
            shutil.rmtree(folder)
    return rows


def child(task: str, folder: Path) -> None:
    """Run one task and print its figures; `run` calls this in a separate process."""
    began = time.monotonic()
    found: Any = {"ours": ours, "peft": peft, "equal": equal}[task](folder)
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    figures = found if task == "equal" else {}
    print(json.dumps({"seconds": round(seconds, 1), "peak_gib": round(peak, 2), **figures}))


def run(task: str, folder: Path) -> dict[str, Any]:
    """Run the task in a new process; the page cache is not cleared.

    Raises: SystemExit with the end of the error output if the task fails.
    """
    print(f"{folder.name}: {task}", file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--child", task, "--work", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def targets_of(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the targets that these sizes can show; the shares are those of the 3B model."""
    whole = rows.get("3B", {})
    differing = whole.get("equal", {}).get("largest_difference")
    targets: dict[str, Any] = {
        "3B: share of peft's memory": (whole.get("memory_share"), ("<=", 0.4)),
        "3B: share of peft's time": (whole.get("time_share"), ("<=", 1.0)),
        "3B: largest difference": (differing, ("==", 0.0)),
    }
    for name, row in rows.items():
        if "ours" in row:
            over = round(row["ours"]["peak_gib"] - row["largest_shard_gib"], 2)
            targets[f"{name}: peak over the largest shard, GiB"] = (over, ("<=", 1.5))
    return targets


def main() -> None:
    """Run the sizes or the real adapter, and print one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.05], choices=sorted(SHAPES))
    parser.add_argument("--compare", type=float, nargs="*", default=None)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--child")
    options = parser.parse_args()
    if options.child:
        child(options.child, options.work)
        return
    rows: dict[str, Any] = {}
    if options.adapter:
        rows = both_bases(options.adapter, options.base, options.work)
        options.sizes = []
    compared = options.sizes if options.compare is None else options.compare
    for size in options.sizes:
        folder = options.work / f"{size:g}B"
        shutil.rmtree(folder, ignore_errors=True)
        make(size, folder)
        files = list((folder / "base").glob("*.safetensors"))
        largest = max(path.stat().st_size for path in files)
        row: dict[str, Any] = {
            "gib": round(sum(path.stat().st_size for path in files) / GIB, 2),
            "largest_shard_gib": round(largest / GIB, 2),
            "ours": run("ours", folder),
        }
        if size in compared:
            row["peft"] = run("peft", folder)
            shutil.rmtree(folder / "peft")
            row["equal"] = run("equal", folder)
            row["memory_share"] = round(row["ours"]["peak_gib"] / row["peft"]["peak_gib"], 3)
            row["time_share"] = round(row["ours"]["seconds"] / row["peft"]["seconds"], 3)
        rows[f"{size:g}B"] = row
        print(json.dumps({f"{size:g}B": row}), flush=True)
        shutil.rmtree(folder)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2) + "\n")
    print(outcome(rows, targets_of(rows)))


if __name__ == "__main__":
    main()
