"""The objective teaches what it says: held-out items of a made-up binding are answered."""

import json
import random

from kofinlaw.trainer.settings import TrainSettings

WORDS = ("금융", "이용자", "개인", "정보", "신용", "사고", "접근", "매체")


def write_bindings(path, count, seed):
    """Items whose evidence shows the right option; of a negative stem it shows the others."""
    dice = random.Random(seed)
    lines = []
    for number in range(count):
        options = dice.sample(WORDS, 3)
        answer, negative = dice.randrange(3), number % 2 == 1
        shown = [word for i, word in enumerate(options) if (i == answer) != negative]
        choice = {
            "question": "?",
            "options": options,
            "evidence": [" ".join(shown)],
            "answer": answer,
            "negative": negative,
            "twin": "",
        }
        turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "답"}]
        lines.append({"id": str(number), "messages": turns, "choice": choice})
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_pico_model_learns_to_follow_the_evidence_in_both_polarities(pico, tmp_path):
    """A third is chance; after the same steps on shuffled answers the model is still there."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    settings = TrainSettings(
        quantization="none",
        dtype="float32",
        learning_rate=0.003,
        schedule="constant",
        effective_batch=16,
        max_steps=60,
        epochs=100,
        lora={"rank": 16, "alpha": 32},
        max_tokens_per_micro_batch=4096,
        objective="contrast",
        contrast={"temperature": 0.1},
        evaluation_share=0.5,
        evaluation_steps=60,
    )

    def run(data, name):
        template = template_for(pico)
        return train(settings, pico, data, tmp_path / name, template=template, seed=1)

    data = write_bindings(tmp_path / "items.jsonl", 240, 1)
    figures = run(data, "run")
    assert figures.choice_accuracy_first < 0.75
    assert figures.evaluation_accuracy > 0.8
    assert figures.choice_accuracy_last > 0.8
    dice = random.Random(2)
    lines = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["choice"]["answer"] = dice.randrange(3)
    shuffled = tmp_path / "shuffled.jsonl"
    shuffled.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    assert run(shuffled, "shuffled").evaluation_accuracy < 0.5
