# ruff: noqa: E501 (the documents of the run have long lines)
"""Write a whole run in miniature: a random model, three short rulebooks, four questions.

The tests of `recipes` and the attacks on finished and killed runs use it.
"""

from __future__ import annotations

import json
from pathlib import Path

__all__ = [
    "ACT",
    "ACTS",
    "RECIPE",
    "write_documents",
    "write_model",
    "write_questions",
    "write_run_folder",
    "write_tokenizer",
]

ACT = """---
제목: {title}
시행일자: 2025-01-02
공포일자: 2024-12-20
라이선스: Apache-2.0
---

# {title}

## 제1장 총칙

##### 제1조 (목적)

이 규정은 {topic}에 관하여 필요한 사항을 정함을 목적으로 한다.

##### 제2조 (정의)

이 규정에서 사용하는 용어의 뜻은 다음과 같다.

  1\\. "{term}"란 {topic}을 위하여 은행이 정한 절차를 말한다.
  2\\. "담당부서"란 {term} 업무를 맡은 부서를 말한다.
  3\\. "점검일"이란 담당부서가 {term}를 살피는 날을 말한다.

##### 제3조 (보고)

**①** 담당부서는 {term}에 이상이 있으면 {days}일 이내에 은행장에게 보고하여야 한다.

**②** 은행장은 제1항의 보고를 받으면 {weeks}주 이내에 조치하여야 한다. 다만, 긴급한 경우에는 즉시 조치하여야 한다.

##### 제4조 (보관)

담당부서는 다음 각 호의 서류를 {years}년 동안 보관하여야 한다.

  1\\. {term} 점검표
  2\\. {term} 이상 보고서
  3\\. 조치 결과서
  4\\. 교육 기록부

##### 제5조 (금지)

임직원은 담당부서의 승인 없이 {term}의 내용을 바꾸어서는 아니 된다.

##### 제6조 (제재)

은행장은 제5조를 위반한 임직원에게 {fine}만원 이하의 변상금을 부과할 수 있다.
"""
ACTS = (
    {
        "title": "전산점검 규정",
        "topic": "전산장비의 점검",
        "term": "점검절차",
        "days": 3,
        "weeks": 2,
        "years": 5,
        "fine": 300,
    },
    {
        "title": "비밀번호 관리 규정",
        "topic": "비밀번호의 관리",
        "term": "변경절차",
        "days": 7,
        "weeks": 1,
        "years": 3,
        "fine": 200,
    },
    {
        "title": "외부반출 관리 규정",
        "topic": "자료의 외부 반출",
        "term": "반출절차",
        "days": 10,
        "weeks": 4,
        "years": 10,
        "fine": 500,
    },
)
TEMPLATE = (
    "<s>{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_documents(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for act in ACTS:
        name = act["title"].replace(" ", "_") + ".md"
        (folder / name).write_text(ACT.format(**act), encoding="utf-8")
    return folder


def write_questions(folder: Path) -> None:
    questions, keys = [], []
    for number, act in enumerate(ACTS):
        days, options = act["days"], ["1일", "3일", "7일", "10일"]
        questions.append(
            {
                "id": f"q{number}",
                "question": f"「{act['title']}」에 따라 이상을 은행장에게 알려야 하는 기한은?",
                "options": options,
            }
        )
        keys.append(
            {
                "id": f"q{number}",
                "answer": str(options.index(f"{days}일") + 1),
                "reference": "",
                "keywords": [],
                "units": [f"{act['title']} 제3조"],
                "slices": ["numeric"],
            }
        )
    questions.append(
        {"id": "f0", "question": "외부반출 관리 규정에서 서류를 보관하는 기간은?", "options": []}
    )
    keys.append(
        {
            "id": "f0",
            "answer": "",
            "reference": "담당부서는 반출절차에 관한 서류를 10년 동안 보관하여야 한다.",
            "keywords": ["보관", "10년"],
            "units": ["외부반출 관리 규정 제4조"],
            "slices": ["free"],
        }
    )
    for name, rows in (("questions", questions), ("key", keys)):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def write_tokenizer(folder: Path, texts: list[str]) -> int:
    """Write a tokenizer of 600 tokens with its chat template; return how many tokens it has."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<pad>", "<s>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"bos_token": "<s>", "eos_token": "<|im_end|>", "pad_token": "<pad>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    return tokenizer.get_vocab_size()


def write_model(folder: Path, texts: list[str]) -> Path:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokens = write_tokenizer(folder, texts)
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=tokens,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        bos_token_id=1,
        eos_token_id=3,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).to(torch.float32).save_pretrained(folder)
    return folder


RECIPE = """
name: pico
description: the whole path in miniature
policy: open
seed: 3
model: {id: pico/pico-llama, path: model}
data: {sources: [{path: docs, license: Apache-2.0}], chunks: {max_tokens: 512}}
augment: {items: 12, answer_form: text, raft: {max_evidence_tokens: 300}}
train:
  {quantization: none, dtype: float32, effective_batch: 4, max_steps: 4, checkpoint_steps: 1,
   max_length: 2000, lora: {rank: 2, alpha: 4}, learning_rate: 1.0e-2}
merge: {base: original, dtype: float32}
rag: {k: 3, evidence_tokens: 300}
answer:
  {answer_form: text, free_max_tokens: 16, free_max_characters: 40, context_tokens: 2048,
   batch_questions: 2, engine: {dtype: float32}}
evaluate: {questions: questions.jsonl, key: key.jsonl}
score: {embedder: null, bootstrap_samples: 200}
"""


def write_run_folder(folder: Path) -> Path:
    """Write `recipe.yaml` with its documents, questions and model; return the folder."""
    write_documents(folder / "docs")
    write_questions(folder)
    write_model(folder / "model", [ACT.format(**act) for act in ACTS])
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return folder
