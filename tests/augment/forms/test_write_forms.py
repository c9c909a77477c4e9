"""Each form, loaded by the library that it is meant for."""

import json

import pytest

from kofinlaw import UserError
from kofinlaw.augment.forms.chat_forms import FORMS
from kofinlaw.augment.forms.write_forms import write_forms
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples

SETTINGS = AugmentSettings(
    items=30,
    free_share=0.2,
    most_by_article=20,
    write_as=("messages", "alpaca", "sharegpt"),
)
# The keys that LLaMA-Factory's data/README.md documents, by level.
ENTRY_KEYS = {
    *("hf_hub_url", "ms_hub_url", "script_url", "cloud_file_name", "file_name", "formatting"),
    *("ranking", "subset", "split", "folder", "num_samples", "columns", "tags"),
}
COLUMN_KEYS = {
    *("prompt", "query", "response", "history", "messages", "system", "tools", "images"),
    *("videos", "audios", "chosen", "rejected", "kto_tag"),
}
TAG_KEYS = {
    *("role_tag", "content_tag", "user_tag", "assistant_tag", "observation_tag"),
    *("function_tag", "system_tag"),
}


@pytest.fixture(scope="module")
def made(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("augment")
    generate_examples(SETTINGS, corpus, out, seed=7)
    return out


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def as_llama_factory(folder, name):
    """Read a data set as LLaMA-Factory documents it: (system, turns, answers) of each line."""
    entry = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))[name]
    assert set(entry) <= ENTRY_KEYS
    assert set(entry["columns"]) <= COLUMN_KEYS
    assert set(entry.get("tags", {})) <= TAG_KEYS
    columns, ranked = entry["columns"], entry.get("ranking", False)
    found = []
    for row in lines(folder / entry["file_name"]):
        assert all(column in row for column in columns.values())
        system = row[columns["system"]] if "system" in columns else ""
        if entry["formatting"] == "alpaca":
            asked = [row[columns["prompt"]], row[columns["query"]]]
            turns = [text for pair in row[columns["history"]] for text in pair]
            turns.append("\n".join(text for text in asked if text))
            answers = [row[columns["response"]]] if not ranked else []
        else:
            tags = entry["tags"]
            said = [(m[tags["role_tag"]], m[tags["content_tag"]]) for m in row[columns["messages"]]]
            if said[0][0] == tags.get("system_tag", "system"):
                system, said = said[0][1], said[1:]
            roles = [tags["user_tag"], tags["assistant_tag"]] * len(said)
            assert [role for role, _ in said] == roles[: len(said)]
            turns = [text for _, text in said]
            answers = [] if ranked else [turns.pop()]
        if ranked:
            answers = [row[columns[key]] for key in ("chosen", "rejected")]
            if entry["formatting"] == "sharegpt":
                assert {answer[entry["tags"]["role_tag"]] for answer in answers} == {"gpt"}
                answers = [answer[entry["tags"]["content_tag"]] for answer in answers]
        assert len(turns) % 2 == 1
        found.append((row["id"], system, tuple(turns), tuple(answers)))
    return sorted(found)


def dialogues(path):
    out = []
    for row in lines(path):
        texts = [m["content"] for m in row["messages"]]
        system = texts.pop(0) if row["messages"][0]["role"] == "system" else ""
        answers = (texts.pop(),) if "chosen" not in row else (row["chosen"], row["rejected"])
        out.append((row["id"], system, tuple(texts), answers))
    return sorted(out)


@pytest.mark.parametrize("form", FORMS)
def test_llama_factory_reads_the_same_dialogues(made, form):
    assert as_llama_factory(made / "forms", f"kofinlaw_{form}") == dialogues(
        made / "examples.jsonl"
    )


@pytest.mark.parametrize("form", ["alpaca", "sharegpt"])
def test_llama_factory_reads_the_same_pairs(made, form):
    found = as_llama_factory(made / "forms", f"kofinlaw_{form}_preferences")
    assert found == dialogues(made / "preferences.jsonl")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("suffix", ["", "_preferences"])
def test_datasets_loads_every_file_with_one_type_for_each_column(made, tmp_path, form, suffix):
    datasets = pytest.importorskip("datasets")
    path = made / "forms" / f"{form}{suffix}.jsonl"
    loaded = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(tmp_path), chunksize=2000
    )
    assert loaded.num_rows == len(lines(path)) > 10
    assert loaded[0]["id"] == lines(path)[0]["id"]


def test_trl_takes_messages_and_pairs_as_conversations(made):
    data_utils = pytest.importorskip("trl.data_utils")
    for row in lines(made / "forms" / "messages.jsonl"):
        assert data_utils.is_conversational({"messages": row["messages"]})
    for row in lines(made / "forms" / "messages_preferences.jsonl"):
        pair = {key: row[key] for key in ("prompt", "chosen", "rejected")}
        assert data_utils.is_conversational(pair)
        kept = data_utils.maybe_extract_prompt(pair)
        assert kept["prompt"] == row["prompt"]
    for row in lines(made / "forms" / "sharegpt.jsonl"):
        said = [turn["value"] for turn in row["conversations"]]
        turns = {"conversations": row["conversations"]}
        assert data_utils.is_conversational_from_value(turns)
        # TRL keeps ShareGPT's role names; the form `messages` is the one for TRL.
        chat = data_utils.maybe_convert_to_chatml(turns)
        assert [m["content"] for m in chat["messages"]] == said


def test_a_multi_turn_dialogue_comes_first_so_that_history_has_a_type(tmp_path):
    datasets = pytest.importorskip("datasets")
    short = [{"role": "user", "content": "묻다"}, {"role": "assistant", "content": "답하다"}]
    rows = [{"id": str(n), "messages": short} for n in range(300)]
    rows[270]["messages"] = short + short
    write_forms(["alpaca"], write(tmp_path / "in.jsonl", rows), tmp_path / "out")
    loaded = datasets.load_dataset(
        "json",
        data_files=str(tmp_path / "out" / "alpaca.jsonl"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
        chunksize=1000,
    )
    assert loaded[0]["history"] == [["묻다", "답하다"]]
    assert sorted(loaded["id"], key=int) == [str(n) for n in range(300)]


def test_what_a_form_cannot_carry_is_said(tmp_path):
    rows = [
        {"id": "a", "messages": [{"role": "user", "content": "질문"}]},
        {"id": "b", "prompt": "질문", "completion": "답", "note": "x"},
        {"id": "c", "text": "글"},
    ]
    record = write_forms(["alpaca"], write(tmp_path / "in.jsonl", rows), tmp_path / "out")
    (file,) = record.files
    assert file.lines == 1
    assert sum(file.left_out.values()) == 2
    assert file.plain_prompts == 1
    assert file.fields_left_out == ("note",)
    notes = "\n".join(json.loads((tmp_path / "out" / "forms.json").read_text("utf-8"))["notes"])
    for word in ("not of the assistant", "no turns", "plain prompts", "note"):
        assert word in notes


def test_the_licence_of_a_teacher_stays_with_its_lines(tmp_path):
    row = {
        "id": "a",
        "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
        "provenance": {"teacher": "LGAI-EXAONE/X", "teacher_license": "EXAONE-1.1-NC"},
    }
    write_forms(FORMS, write(tmp_path / "in.jsonl", [row]), tmp_path / "out")
    for form in FORMS:
        (line,) = lines(tmp_path / "out" / f"{form}.jsonl")
        assert (line["teacher"], line["teacher_license"]) == ("LGAI-EXAONE/X", "EXAONE-1.1-NC")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "a"}, "needs a list `messages`"),
        ({"messages": [{"role": "user"}]}, "`role` and `content`"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "can hold none"),
    ],
)
def test_bad_input_is_one_error_with_its_place(tmp_path, row, words):
    with pytest.raises(UserError, match=words) as error:
        write_forms(["alpaca"], write(tmp_path / "in.jsonl", [row]), tmp_path / "out")
    assert "in.jsonl" in str(error.value)


def test_a_broken_line_is_left_out_and_listed_with_its_reason(tmp_path):
    good = {
        "messages": [{"role": "user", "content": "가?"}, {"role": "assistant", "content": "나"}]
    }
    bad = ['{"cut": ', "[1]", '{"id": "x"}', '{"messages": [{"role": "user", "content": null}]}',
           '{"messages": [{"content": "\\ud83d"}]}', '{"instruction": "a", "output": 7}']  # fmt: skip
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join([json.dumps(good), *bad, json.dumps(good)]), encoding="utf-8")
    pair = {"messages": good["messages"][:1], "chosen": "나", "rejected": "다"}
    pairs = write(tmp_path / "pairs.jsonl", [pair, {**pair, "chosen": None}, {"id": "p"}])
    record = write_forms(FORMS, path, tmp_path / "out", pairs=pairs)
    assert {file.file: file.lines for file in record.files} == {
        **{f"{form}.jsonl": 2 for form in FORMS},
        **{f"{form}_preferences.jsonl": 1 for form in FORMS},
    }
    found = [json.loads(line)["detail"] for line in (tmp_path / "out/rejected.jsonl").open()]
    places = [f"in.jsonl:{line}: " for line in range(2, 8)] + ["pairs.jsonl:2: ", "pairs.jsonl:3: "]
    assert all(text.startswith(place) for text, place in zip(found, places, strict=True))
    assert any("6 records left out, they are broken" in note for note in record.notes())
    write_forms(["alpaca"], write(path, [good]), tmp_path / "out")
    assert not (tmp_path / "out/rejected.jsonl").exists()


def test_the_reason_of_most_records_is_the_one_that_is_said(tmp_path):
    """One broken line among dialogues that no form holds is not their reason, nor another file's."""
    tool = {"messages": [{"role": "tool", "content": "x"}]}
    (tmp_path / "pairs").mkdir()
    examples = write(tmp_path / "in.jsonl", [tool, {"id": "broken"}, tool])
    with pytest.raises(UserError, match="can hold none") as error:
        write_forms(["alpaca"], examples, tmp_path / "out")
    assert "in.jsonl:2" not in str(error.value)
    assert "user and assistant in turn" in error.value.remedy
    dialogue = [{"role": "user", "content": "가?"}, {"role": "assistant", "content": "나"}]
    examples = write(tmp_path / "in.jsonl", [{"messages": dialogue}, {"id": "broken"}])
    pair = {"messages": dialogue, "chosen": "나", "rejected": "다"}
    pairs = write(tmp_path / "pairs" / "in.jsonl", [pair])
    with pytest.raises(UserError, match="can hold none of the 1 records") as error:
        write_forms(["alpaca"], examples, tmp_path / "out", pairs=pairs)
    assert "in.jsonl:2" not in str(error.value)
