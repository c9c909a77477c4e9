"""Make models of real shape with random weights, for speed and memory without a download.

    model = random_model("upstage/SOLAR-10.7B-v1.0", quantization="nf4", device="cuda")
    save_config("upstage/SOLAR-10.7B-v1.0", folder)  # for engines that make their own weights

A shape is a catalogue id; keys of the config can change it (`num_hidden_layers=4`). The weights
are made on the device, one layer at a time, so a model in 4 bit never takes its 16-bit size.
`save_tokenizer` trains a tokenizer with as many tokens per Korean character as the real one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from kofinlaw.models.catalogue import ModelCard, find_model
from kofinlaw.models.memory.memory_plan import MemoryPlan

STD = 0.02
Target = tuple[str, float]


def random_model(
    name: str,
    *,
    quantization: Literal["none", "nf4"] = "none",
    dtype: str = "bfloat16",
    device: str = "cuda",
    seed: int = 0,
    attention: str = "sdpa",
    **changes: Any,
) -> Any:
    """Return a causal language model of a catalogue shape with random weights, in evaluation mode.

    Args:
        name: catalogue id of the model.
        quantization: with `nf4` the linear layers of the blocks become 4-bit layers of bitsandbytes
            with double quantisation, as `loading.load_model` makes them.
        dtype: torch type of the other weights.
        device: where the weights are made.
        seed: seed of the random weights.
        attention: attention implementation of transformers.
        changes: keys of the config, for example `num_hidden_layers=4`.
    """
    import torch
    from transformers import AutoModelForCausalLM

    config = config_of(find_model(name), **changes)
    kind = getattr(torch, dtype)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=kind, attn_implementation=attention)
    generator = torch.Generator(device).manual_seed(seed)

    def drawn(shape: Any) -> Any:
        weight = torch.empty(shape, dtype=kind, device=device)
        return weight.normal_(std=STD, generator=generator)

    for path, module in list(model.named_modules()):
        if quantization == "nf4" and isinstance(module, torch.nn.Linear) and path != "lm_head":
            _replace(model, path, _quantised(module, drawn, kind, device))
            continue
        for key, weight in list(module.named_parameters(recurse=False)):
            if path == "lm_head" and config.tie_word_embeddings:
                continue
            value = torch.ones_like(weight, device=device) if "norm" in path else None
            value = drawn(weight.shape) if value is None else value
            setattr(module, key, torch.nn.Parameter(value, requires_grad=False))
    # Rotary frequencies are computed buffers that no file stores: compute them again on the device.
    rotary = model.model.rotary_emb
    model.model.rotary_emb = type(rotary)(config).to(device)
    model.tie_weights()
    if quantization == "nf4":
        model.is_loaded_in_4bit = True  # peft and trainers read these
        model.is_quantized = True
    return model.eval()


def _quantised(module: Any, drawn: Any, kind: Any, device: str) -> Any:
    """Return a 4-bit layer for a linear layer; only this function holds its 16-bit weight."""
    import bitsandbytes
    import torch

    layer = bitsandbytes.nn.Linear4bit(
        module.in_features,
        module.out_features,
        bias=module.bias is not None,
        compute_dtype=kind,
        compress_statistics=True,
        quant_type="nf4",
        device="meta",
    )
    weight = drawn((module.out_features, module.in_features))
    layer.weight = bitsandbytes.nn.Params4bit(
        weight.cpu() if device == "cpu" else weight,
        requires_grad=False,
        quant_type="nf4",
        compress_statistics=True,
        module=layer,
    ).to(device)
    if module.bias is not None:
        zeros = torch.zeros(module.out_features, dtype=kind, device=device)
        layer.bias = torch.nn.Parameter(zeros, requires_grad=False)
    layer.support_avx512bf16_for_cpu = False  # see loading.repair_nf4
    return layer


def _replace(model: Any, path: str, layer: Any) -> None:
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, layer)


def config_of(card: ModelCard, **changes: Any) -> Any:
    """Return a transformers config of a model's shape; EXAONE 3.x as its converted Llama.

    Raises: ValueError if the architecture is neither Llama, EXAONE nor Qwen2.
    """
    from kofinlaw.trainer.simulation.card_config import config_from_card

    if card.model_type not in ("llama", "exaone", "qwen2"):
        raise ValueError(
            f"cannot make a random {card.model_type} model: use a Llama, EXAONE or Qwen2 model"
        )
    return config_from_card(card, **changes)


def save_config(name: str, folder: Path, **changes: Any) -> Path:
    """Write config.json only, for engines that make weights themselves (`load_format: dummy`)."""
    config = config_of(find_model(name), **changes)
    config.architectures = [
        "Qwen2ForCausalLM" if config.model_type == "qwen2" else "LlamaForCausalLM"
    ]
    config.dtype = "bfloat16"
    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    return folder


def save_tokenizer(folder: Path, texts: Sequence[str], tokens_per_char: float) -> int:
    """Train a byte-level tokenizer with about `tokens_per_char`; return its vocabulary size.

    A binary search finds the size: more entries give fewer tokens per character. The EOS token
    `</s>` has id 2. A plain chat template is written for engines that need one.
    """
    low, high = 260, 40_000
    tokenizer = None
    while high - low > max(50, low // 50):
        size = (low + high) // 2
        tokenizer = _learnt(texts, size)
        characters = sum(map(len, texts))
        tokens = sum(len(e.ids) for e in tokenizer.encode_batch(list(texts)))
        if tokens / characters > tokens_per_char:
            low = size
        else:
            high = size
        if tokenizer.get_vocab_size() < size:
            high = size  # the texts have no more entries
    assert tokenizer is not None
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return tokenizer.get_vocab_size()


TEMPLATE = (
    "<s>{% for m in messages %}### {{ m.role }}:\n{{ m.content }}"
    "{% if m.role == 'assistant' %}</s>{% endif %}\n\n{% endfor %}"
    "{% if add_generation_prompt %}### assistant:\n{% endif %}"
)


def _learnt(texts: Sequence[str], size: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def not_run() -> bool:
    """Return whether CUDA is missing; if it is, print that as one line of JSON."""
    import torch

    if torch.cuda.is_available():
        return False
    print(json.dumps({"not_run": "CUDA is not available: this benchmark needs a GPU"}))
    return True


def cap_memory(card_gib: float) -> int:
    """Limit torch's allocator to the share it would have on a GPU of `card_gib`; return the bytes.

    The CUDA context is outside the allocator and takes its own part of such a GPU.
    """
    from kofinlaw.models.memory.memory_plan import GPU_CONTEXT_GIB
    from kofinlaw.trainer.memory_use import memory_limit

    return memory_limit(card_gib - GPU_CONTEXT_GIB)


def without_context(plan: MemoryPlan) -> float:
    """Return a plan's GiB without the CUDA context, which the allocator's peak does not include."""
    return plan.total - plan.terms["context"]


def plan_targets(errors: Mapping[str, float | None]) -> dict[str, tuple[float | None, Target]]:
    """Return each plan's error, as a share of the measured value, with its bound for `outcome`."""
    return {
        f"plan's error, {name}": (None if error is None else abs(error), ("<=", 0.1))
        for name, error in errors.items()
    }


def sample_texts() -> list[str]:
    """Return the bundled regulations, to train a tokenizer and to cut prompts from."""
    corpus = Path(__file__).parents[2] / "data" / "sample" / "corpus"
    return [path.read_text(encoding="utf-8") for path in sorted(corpus.glob("*.md"))]


def sample_prompts(count: int, characters: int = 1200) -> list[str]:
    """Return questions after `characters` of evidence each, cut from the bundled regulations."""
    text = "\n".join(sample_texts())
    step = max(1, (len(text) - characters) // max(1, count))
    return [
        f"<s>### user:\n[참고 조문]\n{text[n * step : n * step + characters]}\n\n"
        f"[문제] {n + 1}. 옳은 것은?\n1 가\n2 나\n3 다\n4 라\n\n### assistant:\n"
        for n in range(count)
    ]


def train_steps(
    model: Any,
    vocabulary: int,
    length: int,
    rows: int,
    *,
    optimizer: str,
    checkpointing: bool = True,
) -> None:
    """Make two steps of one micro-batch each, as `kofinlaw train` makes them.

    The second half of each random sequence is learned. A copy of the adapter at its start stays in
    memory, as in training.

    Args:
        model: the base model.
        vocabulary: number of token ids to draw from.
        length: tokens per sequence.
        rows: sequences per micro-batch.
        optimizer: the recipe's `train.optimizer`.
        checkpointing: whether gradient checkpointing is on.
    """
    import numpy as np

    from kofinlaw.trainer.adapter import attach_adapter, trainable
    from kofinlaw.trainer.device.padding_free import why_padded
    from kofinlaw.trainer.encoding import Encoded
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.optimization import make_optimizer
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.ranks import open_ranks
    from kofinlaw.trainer.settings import TrainSettings
    from kofinlaw.trainer.step import Stepper

    settings = TrainSettings(optimizer=optimizer)  # type: ignore[arg-type]
    adapted = attach_adapter(model, settings.lora, seed=0)
    start = {name: weight.detach().clone() for name, weight in trainable(adapted)}
    patch_lora_forward(adapted)
    if checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    adapted.train()
    tokens = np.random.default_rng(0).integers(10, vocabulary, (2 * rows, length))
    learned = np.arange(length) >= length // 2
    examples = [Encoded(str(n), row, learned) for n, row in enumerate(tokens)]
    ranks = open_ranks()
    joined = not why_padded(adapted, examples, settings, ranks)
    passes = Passes(adapted, examples, ranks, settings, joined=joined)
    stepper = Stepper(passes, seed=0, budget=rows * length, log_event=print)
    stepping = make_optimizer(adapted, settings)
    for step in range(2):
        stepper.gradients(step, range(step * rows, (step + 1) * rows))
        stepping.step()
        stepping.zero_grad()
    assert len(start) == len(list(trainable(adapted)))
