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


@pytest.fixture
def tune(pico, settings, tmp_path):
    """A function that tunes on eight pairs into `tmp_path / "out"`; fields change the settings."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.preference import train_preferences
    from kofinlaw.trainer.preference_settings import PreferenceSettings

    def call(*, base=None, progress=lambda *_, **__: None, **fields):
        path = write(tmp_path / "pairs.jsonl", [pair(n) for n in range(1, 9)])
        return train_preferences(
            settings(**{"max_steps": 3, "effective_batch": 4, "max_length": 256, **fields}),
            PreferenceSettings(pairs_per_pass=2),
            pico,
            path,
            tmp_path / "out",
            template=template_for(pico),
            seed=1,
            base=base,
            progress=progress,
        )

    return call


def test_pairs_move_the_model_towards_the_chosen_answer(tune, pico, tmp_path):
    import torch

    from kofinlaw.models.loading import load_model
    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.preference import read_pairs

    figures = tune()
    assert figures.steps == 3
    assert figures.loss_first == pytest.approx(0.693147, abs=1e-4)  # ln 2: no preference yet
    assert figures.loss_last < 0.69
    assert figures.unmoved_tensors == 0
    folder = tmp_path / "out" / "adapter"
    assert sorted(p.name for p in folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "chat_template.jinja",
        "kofinlaw.json",
    ]
    encode = load_tokenizer(pico).encode
    rows = read_pairs(
        tmp_path / "pairs.jsonl", template_for(pico), encode, max_length=256, rejected=[]
    )

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


def test_each_step_is_told_when_it_is_done_at_the_rate_of_the_settings(
    tune, settings, monkeypatch, capsys
):
    import torch

    from kofinlaw.trainer.optimization import learning_rate

    seen = []
    step = torch.optim.AdamW.step

    def noted(optimizer, *args, **options):
        seen.append([group["lr"] for group in optimizer.param_groups])
        return step(optimizer, *args, **options)

    def progress(name, done, total=None, **figures):
        if name == "preference":
            seen.append((done, total, sorted(figures)))

    monkeypatch.setattr(torch.optim.AdamW, "step", noted)
    chosen = {"schedule": "constant", "warmup_share": 0.5, "learning_rate_ratio_b": 4.0}
    tune(progress=progress, **chosen)
    rates = [learning_rate(n, 3, settings(**chosen)) for n in range(3)]
    assert rates[0] < rates[1] < rates[2]
    assert seen[::2] == [pytest.approx([rate, 4 * rate]) for rate in rates]
    assert seen[1::2] == [(n, 3, ["loss"]) for n in (1, 2, 3)]
    assert "loss" not in capsys.readouterr().out  # transformers prints its own otherwise


def test_a_cap_on_tokens_ends_the_run(tune):
    assert tune(max_steps=None, epochs=2, max_tokens=1000).steps < 4


@pytest.mark.parametrize(
    "fields",
    [
        {"neftune_alpha": 5.0},
        {"mixture": [{"path": "more.jsonl"}]},
        {"effective_batch_tokens": 9},
        {"evaluation_share": 0.1, "patience": 2},
        {"report_to": ["wandb"]},
    ],
)
def test_settings_that_pairs_have_no_use_for_are_refused_by_name(tune, fields):
    with pytest.raises(UserError, match=f"preference tuning does not support {', '.join(fields)}"):
        tune(**fields)


def test_a_relative_start_lies_beside_the_recipe(tune, tmp_path):
    with pytest.raises(UserError, match="this adapter cannot be read") as caught:
        tune(base=tmp_path / "recipes", start_from="adapter")
    assert caught.value.where == str(tmp_path / "recipes" / "adapter")


def test_liger_without_cuda_is_one_line(tune):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is CUDA here")
    with pytest.raises(UserError, match="liger needs CUDA"):
        tune(backend="liger")


def test_a_loss_that_trl_does_not_have_is_refused_at_once():
    from kofinlaw.trainer.preference_settings import PreferenceSettings

    with pytest.raises(ValueError, match="'sigmoid', 'sigmoid_norm'"):
        PreferenceSettings(loss="sigmoidal")


def test_a_bad_pair_is_one_rejection_with_file_line_and_reason(pico, tmp_path):
    from kofinlaw.files import write_jsonl
    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.preference import read_pairs

    bad = {
        '{"cut": ': "broken JSON", "[1]": "one JSON object", '{"id": "x"}': "a pair needs",
        json.dumps(pair(3, chosen=None)): "a pair needs", json.dumps(pair(4, rejected=" ")): "empty",
        json.dumps(pair(5, rejected="금융회사")): "the same text",
        json.dumps(pair(6, messages=[{"role": "user", "content": None}])): "not a text",
        json.dumps(pair(7, chosen="금융회사 " * 200)): "max_length is 256",
    }  # fmt: skip
    path = tmp_path / "pairs.jsonl"
    cut = json.dumps(pair(2, chosen="은\ud83d행"))
    path.write_text("\n".join([json.dumps(pair(1)), *bad, cut]), encoding="utf-8")
    rejected = []
    encode = load_tokenizer(pico).encode
    found = read_pairs(path, template_for(pico), encode, max_length=256, rejected=rejected)
    assert len(found) == 2
    for line, (record, reason) in enumerate(zip(rejected, bad.values(), strict=True), 2):
        assert record.detail.startswith(f"pairs.jsonl:{line}: ")
        assert reason in record.detail
    write_jsonl(tmp_path / "rejected.jsonl", rejected)
    path.write_text("\n".join(bad), encoding="utf-8")
    with pytest.raises(UserError, match="none of 8 pairs can be trained on"):
        read_pairs(path, template_for(pico), encode, max_length=256, rejected=[])
