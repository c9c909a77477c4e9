"""Examples of several files, held out and mixed."""

import json

from kofinlaw.models.templates import built_in_template

CHATML = built_in_template("chatml", bos="<s>", eos="<|im_end|>")
ASK = {"role": "user", "content": "[문제] 1번?"}


def characters(text):
    """A tokenizer with one token a character."""
    return [ord(c) for c in text]


def lines(path, *values):
    path.write_text("\n".join(json.dumps(v, ensure_ascii=False) for v in values), encoding="utf-8")
    return path


def good(name):
    return {"id": name, "messages": [ASK, {"role": "assistant", "content": "3"}]}


def test_mixed_files_stand_as_often_as_their_weight_says(tmp_path):
    from kofinlaw.trainer.dataset import read_dataset
    from kofinlaw.trainer.settings import TrainSettings

    main = lines(tmp_path / "main.jsonl", *(good(f"주-{i}") for i in range(10)))
    lines(tmp_path / "text.jsonl", *({"id": f"글-{i}", "text": "가나다"} for i in range(8)))
    settings = TrainSettings(evaluation_share=0.2, mixture=[{"path": "text.jsonl", "weight": 1.5}])

    def read(seed):
        return read_dataset(main, settings, CHATML, characters, seed=seed, base=tmp_path)

    data = read(1)
    ids = [e.id for e in data.examples]
    assert data.trained == 8 + 12
    assert all(i.startswith("주") for i in ids[data.trained :])
    assert len(data.held_out) == 2
    assert sorted(ids.count(f"글-{i}") for i in range(8)) == [1, 1, 1, 1, 2, 2, 2, 2]
    assert read(1).sha256 == data.sha256 != read(2).sha256


def test_both_forms_of_an_item_are_held_out_together(tmp_path):
    from kofinlaw.trainer.dataset import read_dataset
    from kofinlaw.trainer.settings import TrainSettings

    choice = {"question": "?", "options": ["가", "나"], "evidence": [], "answer": 0}
    choice |= {"negative": False, "twin": ""}
    rows = [{**good(f"{i}"), "choice": choice} if i % 2 else good(f"{i}") for i in range(20)]
    main = lines(tmp_path / "main.jsonl", *rows)
    settings = TrainSettings(evaluation_share=0.3, objective="both")
    data = read_dataset(main, settings, CHATML, characters, seed=1)
    assert len(data.examples) == 30
    front = {e.id for e in data.examples[: data.trained]}
    back = {e.id for e in data.examples[data.trained :]}
    assert not front & back
    assert len(back) == 6
