"""A pico model and examples, made during the tests: a few kilobytes, real Korean text."""

import json
from pathlib import Path

import pytest

ACTS = (
    "금융회사는 전자금융거래의 안전성과 신뢰성을 확보하여야 한다",
    "이용자는 접근매체를 제3자에게 대여하거나 양도하여서는 아니 된다",
    "개인정보처리자는 정보주체의 동의를 받은 경우 개인정보를 수집할 수 있다",
    "신용정보회사는 신용정보를 목적 외의 용도로 이용하지 못한다",
    "전자금융업자는 사고가 발생하면 지체 없이 금융위원회에 보고하여야 한다",
)


def make_tokenizer(folder: Path) -> int:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(ACTS, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"bos_token": "<s>", "eos_token": "<|im_end|>", "pad_token": "<pad>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return tokenizer.get_vocab_size()


def make_model(
    folder: Path, *, kind: str = "llama", hidden: int = 32, layers: int = 2, **more: object
) -> Path:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = make_tokenizer(folder)
    shape = {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": hidden // 4,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 4,
    }
    if kind == "gemma3_text":
        shape |= {"sliding_window": 16, "final_logit_softcapping": 8.0, "tie_word_embeddings": True}
    if kind == "opt":
        shape |= {"ffn_dim": 2 * hidden, "word_embed_proj_dim": hidden, "dropout": 0.1}
    if kind == "granite":
        shape |= {"logits_scaling": 4.0}
    torch.manual_seed(11)
    config = AutoConfig.for_model(kind, **shape | more)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.save_pretrained(folder, safe_serialization=True)
    source = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    (folder / "chat_template.jinja").write_text(source, encoding="utf-8")
    return folder


def write_examples(path: Path, count: int = 40, *, longest: int = 3) -> Path:
    """`count` examples of mixed lengths (about 40 to 200 pico tokens)."""
    lines = []
    for i in range(count):
        evidence = " ".join(ACTS[(i + k) % len(ACTS)] for k in range(1 + (i * i) % longest))
        answer = ACTS[i % len(ACTS)].split()[i % 3] if i % 2 else str(1 + i % 5)
        lines.append(
            {
                "id": f"보기-{i:03d}",
                "messages": [
                    {"role": "user", "content": f"[참고 조문]\n{evidence}\n\n[문제] {i % 7}번?"},
                    {"role": "assistant", "content": answer},
                ],
            }
        )
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def write_choices(path: Path, count: int = 24) -> Path:
    """`count` examples: two of three are items of two to four options, some stems negative."""
    lines = []
    for i in range(count):
        act = ACTS[i % len(ACTS)]
        evidence = [ACTS[(i + k) % len(ACTS)] for k in range(i % 3)]
        words = sorted(set(act.split()))[: 2 + i % 3]
        choice = {
            "question": f"제{i}조의 내용은?",
            "options": words,
            "evidence": evidence,
            "answer": i % len(words) if i % 3 else -1,
            "negative": i % 2 == 0,
            "twin": "",
        }
        messages = [
            {"role": "user", "content": " ".join([*evidence, f"제{i}조?"])},
            {"role": "assistant", "content": words[0]},
        ]
        lines.append({"id": f"문항-{i:03d}", "messages": messages, "choice": choice})
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Pico tensors gain nothing from threads, and threads that wait in a busy machine cost much."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pico(tmp_path_factory):
    """A pico Llama's folder; its layers are as wide as NF4's block, or a processor refuses them."""
    return make_model(tmp_path_factory.mktemp("pico") / "model", hidden=64)


@pytest.fixture(scope="session")
def build_model():
    """The function that makes a pico model of another kind."""
    return make_model


@pytest.fixture(scope="session")
def examples(tmp_path_factory):
    """40 examples of mixed lengths."""
    return write_examples(tmp_path_factory.mktemp("examples") / "examples.jsonl")


@pytest.fixture(scope="session")
def build_examples():
    """The function that writes examples."""
    return write_examples


@pytest.fixture(scope="session")
def choices(tmp_path_factory):
    """24 examples, of which 16 are items to choose from."""
    return write_choices(tmp_path_factory.mktemp("choices") / "choices.jsonl")


@pytest.fixture
def settings():
    """Settings of a small, exact run; fields may be given."""

    def make(**fields):
        from kofinlaw.trainer.settings import TrainSettings

        defaults = {
            "quantization": "none",
            "dtype": "float32",
            "learning_rate": 5e-3,
            "effective_batch": 8,
            "max_steps": 4,
            "epochs": 100,
            "lora": {"rank": 4, "alpha": 8},
            "max_tokens_per_micro_batch": 4096,
        }
        return TrainSettings(**{**defaults, **fields})

    return make


@pytest.fixture
def run(pico, examples, settings, tmp_path):
    """The function that trains in `tmp_path / name`; fields change the settings."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    def call(
        name="run", *, model=pico, data=examples, progress=None, on_micro_batch=None, **fields
    ):
        more = {"progress": progress} if progress else {}
        return train(
            settings(**fields),
            model,
            data,
            tmp_path / name,
            template=template_for(model),
            seed=1,
            on_micro_batch=on_micro_batch,
            **more,
        )

    return call


@pytest.fixture
def short_run(run, tmp_path):
    """As `run`, of two steps; returns the result and the lines of `metrics.jsonl`."""

    def call(name, **fields):
        figures = run(name, **{"max_steps": 2, **fields})
        lines = (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        return figures, [json.loads(line) for line in lines]

    return call


@pytest.fixture
def small_model():
    """The function that makes a model of a kind in memory, with stretched logits."""

    def make(kind, **more):
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM

        shape = {
            "vocab_size": 97,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "max_position_embeddings": 64,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
        }
        torch.manual_seed(0)
        config = AutoConfig.for_model(kind, **{**shape, **more})
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        with torch.no_grad():  # a plain start gives almost even logits
            model.get_output_embeddings().weight.mul_(20)
        return model

    return make


@pytest.fixture
def batch():
    """Three rows of tokens with their masks of supervised tokens."""
    import torch

    generator = torch.Generator().manual_seed(3)
    rows = [torch.randint(3, 97, (n,), generator=generator).numpy() for n in (20, 13, 17)]
    masks = [(torch.rand(len(r), generator=generator) < 0.3).numpy() for r in rows]
    for mask in masks:
        mask[0] = False
        mask[-1] = True
    return rows, masks


@pytest.fixture
def move_off_zero():
    """The function that fills B as after some training: at zero an adapter adds nothing."""

    def fill(model):
        import torch

        from kofinlaw.trainer.adapter import trainable

        with torch.no_grad():
            for name, parameter in trainable(model):
                if "lora_B" in name:
                    parameter.normal_(0, 0.1, generator=torch.Generator().manual_seed(5))

    return fill
