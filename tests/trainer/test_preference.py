"""Preference tuning on pairs."""

import json

import pytest

from kofinlaw import UserError


def pair(n, **changes):
    question = f"제{n}조의 의무를 지는 자는?"
    value = {
        "id": f"쌍-{n}",
        "messages": [{"role": "user", "content": question}],
        "chosen": "금융회사",
        "rejected": "이용자",
    }
    return {**value, **changes}


def write(path, values):
    text = "\n".join(json.dumps(v, ensure_ascii=False) for v in values)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def test_pairs_move_the_model_towards_the_chosen_answer(pico, settings, tmp_path):
    import torch

    from kofinlaw.models.loading import load_model, load_tokenizer
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.preference import PreferenceSettings, read_pairs, train_preferences

    template = template_for(pico)
    path = write(tmp_path / "pairs.jsonl", [pair(n) for n in range(1, 9)])
    figures = train_preferences(
        settings(max_steps=3, effective_batch=4, max_length=256),
        PreferenceSettings(pairs_per_pass=2),
        pico,
        path,
        tmp_path / "out",
        template=template,
        seed=1,
    )
    assert figures["steps"] == 3
    assert figures["loss_first"] == pytest.approx(0.693147, abs=1e-4)  # ln 2: no preference yet
    assert figures["loss_last"] < 0.69
    assert figures["unmoved_tensors"] == 0
    folder = tmp_path / "out" / "adapter"
    assert sorted(p.name for p in folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "chat_template.jinja",
        "kofinlaw.json",
    ]
    rows = read_pairs(path, template, load_tokenizer(pico).encode, max_length=256)

    def margin(model):
        sums = []
        for answer in (rows[0].chosen, rows[0].rejected):
            logits = model(input_ids=torch.from_numpy(answer.tokens)[None]).logits[0, :-1]
            logs = torch.log_softmax(logits, -1)
            picked = logs.gather(1, torch.from_numpy(answer.tokens[1:])[:, None])[:, 0]
            sums.append(float(picked[rows[0].start - 1 :].sum()))
        return sums[0] - sums[1]

    with torch.no_grad():
        before = margin(load_model(pico, dtype="float32"))
        after = margin(load_model(pico, dtype="float32", adapter=folder))
    assert after > before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rejected": "금융회사"}, "the same text"),
        ({"chosen": None}, "needs `messages`, `chosen` and `rejected`"),
        ({"rejected": " "}, "the assistant says nothing"),
        ({"chosen": "금융회사 " * 200}, "the window is 256"),
    ],
)
def test_a_pair_that_cannot_be_used_is_told_with_its_line(pico, tmp_path, changes, message):
    from kofinlaw.models.loading import load_tokenizer
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.preference import read_pairs

    path = write(tmp_path / "pairs.jsonl", [pair(1), pair(2, **changes)])
    with pytest.raises(UserError, match=message) as caught:
        read_pairs(path, template_for(pico), load_tokenizer(pico).encode, max_length=256)
    assert caught.value.where.endswith("pairs.jsonl:2")
