"""Train an adapter on your own JSON Lines, merge it, and prove the merge. No documents needed.

    python examples/train_on_your_jsonl.py --model google/gemma-3-270m --examples mine.jsonl

Each line of the file is one conversation. Only the assistant's turns are learned:

    {"messages": [{"role": "user", "content": "질문"}, {"role": "assistant", "content": "답"}]}
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models import ModelSettings, model_folder, template_for
from kofinlaw.trainer import TrainSettings, merge_adapter, prove_merge, train


def main() -> None:
    """Read the command line, train, merge, prove."""
    parser = argparse.ArgumentParser(description="Train on your own JSON Lines.")
    parser.add_argument("--model", default="google/gemma-3-270m", help="catalogue id or a folder")
    parser.add_argument("--examples", type=Path, required=True, help="JSON Lines of messages")
    parser.add_argument("--out", type=Path, default=Path("trained"), help="a new folder")
    parser.add_argument("--steps", type=int, default=20, help="optimizer steps")
    arguments = parser.parse_args()

    local = Path(arguments.model)
    wanted = ModelSettings(id=arguments.model, path=local if local.is_dir() else None)
    base = model_folder(wanted)
    # NF4 needs a GPU to be fast; on a processor the 16-bit base is faster.
    settings = TrainSettings(max_steps=arguments.steps, quantization="none", dtype="float32")

    template = template_for(base)
    result = train(
        settings, base, arguments.examples, arguments.out / "train", template=template, seed=42
    )
    print(f"trained: {result.to_record()}")

    adapter, merged = arguments.out / "train" / "adapter", arguments.out / "model"
    merge_adapter(adapter, base, merged, base="original", dtype="float32")
    proof = prove_merge(merged, adapter, base, template=template, out=arguments.out / "proof")
    print(f"merge proof: {proof.verdict} ({arguments.out / 'proof' / 'verify.md'})")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"error: {error}") from error
