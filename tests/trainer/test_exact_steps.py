"""Memory may split a step in any way: the weights after 30 steps are the same."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

STEPS = 30
BUDGETS = (1, 130, 200, 300, 4096)
TOLERANCE = 1e-4
FORMS = (
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    MemoryError(),
)


def adapter(out):
    from safetensors.torch import load_file

    return load_file(out / "adapter" / "adapter_model.safetensors")


def fresh(folder, settings, seed):
    """The model with its adapter at the start."""
    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.adapter import attach_adapter

    base = load_model(
        folder, quantization=settings.quantization, dtype=settings.dtype, for_training=True
    )
    return attach_adapter(base, settings.lora, seed=seed)


def distance(a, b):
    return sum(float((a[k].double() - b[k].double()).square().sum()) for k in a) ** 0.5


def reference(folder, examples, settings, seed):
    """A fixed-batch run written the ordinary way: full logits, attention mask, one pass a step."""
    import torch
    from peft import get_peft_model_state_dict

    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.batching import plan_steps
    from kofinlaw.trainer.encoding import encode_examples
    from kofinlaw.trainer.optimization import learning_rate

    model = fresh(folder, settings, seed)
    start = {k: v.clone() for k, v in get_peft_model_state_dict(model).items()}
    encode = load_tokenizer(folder).encode
    rows, _ = encode_examples(examples, template_for(folder), encode, max_length=512)
    plan = plan_steps(
        [len(r) for r in rows],
        seed=seed,
        batch=settings.effective_batch,
        epochs=100,
        max_steps=STEPS,
    )
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.0)
    model.train()
    for step in range(plan.steps):
        batch = [rows[i] for i in plan.members(step)]
        longest = max(len(r) for r in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        seen = torch.zeros_like(ids)
        labels = torch.full_like(ids, -100)
        for b, row in enumerate(batch):
            ids[b, : len(row)] = torch.from_numpy(row.tokens)
            seen[b, : len(row)] = 1
            labels[b, : len(row)][torch.from_numpy(row.supervised)] = ids[b, : len(row)][
                torch.from_numpy(row.supervised)
            ]
        logits = model(input_ids=ids, attention_mask=seen).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1)
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, settings.max_gradient_norm)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, plan.steps, settings)
        optimizer.step()
    return start, get_peft_model_state_dict(model)


@pytest.fixture(scope="module", params=["none", "nf4"])
def expected(request, pico, examples):
    from kofinlaw.trainer.settings import TrainSettings

    settings = TrainSettings(
        quantization=request.param,
        dtype="float32",
        learning_rate=5e-3,
        effective_batch=4,
        max_steps=STEPS,
        epochs=100,
        lora={"rank": 4, "alpha": 8},
    )
    return settings, *reference(pico, examples, settings, 3)


def test_every_budget_and_injected_out_of_memory_gives_the_weights_of_a_fixed_batch_run(
    expected, pico, examples, tmp_path
):
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    settings, start, wanted = expected
    moved = distance(wanted, start)
    assert moved > 0.5
    template = template_for(pico)
    for budget in BUDGETS:
        cut = settings.model_copy(update={"max_tokens_per_micro_batch": budget})
        train(cut, pico, examples, tmp_path / str(budget), template=template, seed=3)
        assert distance(adapter(tmp_path / str(budget)), wanted) / moved <= TOLERANCE, budget

    dice = random.Random(5)
    hit = set()

    def fail_sometimes(step, number):
        if step not in hit and dice.random() < 0.1:
            hit.add(step)
            raise FORMS[len(hit) % len(FORMS)]

    figures = train(
        settings.model_copy(update={"max_tokens_per_micro_batch": 300}),
        pico,
        examples,
        tmp_path / "oom",
        template=template,
        seed=3,
        on_micro_batch=fail_sometimes,
    )
    assert len(hit) >= 2
    assert figures.out_of_memory == len(hit)
    assert figures.budget_tokens < 150
    assert figures.steps == STEPS
    assert distance(adapter(tmp_path / "oom"), wanted) / moved <= TOLERANCE


WORKER = """
import sys
from pathlib import Path
from kofinlaw.models.templates import template_for
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.sft import train
import os
model, examples, out = (Path(a) for a in sys.argv[1:4])
failed = []
def fail_once(step, number):
    if step == 7 and os.environ["RANK"] == "1" and not failed:
        failed.append(step)
        raise MemoryError("injected")
for text in sys.argv[4:]:
    settings = TrainSettings.model_validate_json(text)
    failed.clear()
    train(settings, model, examples, out / settings.quantization, template=template_for(model),
          seed=3, on_micro_batch=fail_once)
"""


def test_two_processes_give_the_weights_of_one_and_agree_on_out_of_memory(pico, examples, tmp_path):
    from kofinlaw.trainer.settings import TrainSettings

    every = [
        TrainSettings(
            quantization=kind,
            dtype="float32",
            learning_rate=5e-3,
            effective_batch=4,
            max_steps=STEPS,
            epochs=100,
            lora={"rank": 4, "alpha": 8},
            max_tokens_per_micro_batch=200,
        )
        for kind in ("none", "nf4")
    ]
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    root = Path(__file__).parents[2]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file"]
    launch += [str(root / "recipes" / "accelerate" / "ddp.yaml")]
    launch += ["--main_process_port", str(free_port()), str(script)]
    arguments = [str(pico), str(examples), str(tmp_path), *(s.model_dump_json() for s in every)]
    common = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [*launch, *arguments], env={**os.environ, **common}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for settings in every:
        start, wanted = reference(pico, examples, settings, 3)
        found = adapter(tmp_path / settings.quantization)
        assert distance(found, wanted) / distance(wanted, start) <= TOLERANCE
        metrics = (tmp_path / settings.quantization / "metrics.jsonl").read_text().splitlines()
        assert len(metrics) == STEPS
        assert '"budget": 200' in metrics[6]
        assert '"budget": 200' not in metrics[7]


def free_port():
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
