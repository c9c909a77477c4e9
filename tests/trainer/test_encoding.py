"""Loss masks by prefix difference, and examples that are rejected."""

import json
from dataclasses import replace

import hypothesis
import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.models.templates import ChatTemplate, built_in_template, template_for
from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.trainer.encoding import (
    ExampleError,
    encode_choice,
    encode_example,
    encode_examples,
    examples_sha256,
    length_record,
    require_choices,
    show_example,
)
from kofinlaw.trainer.settings import ContrastSettings

CHATML = built_in_template("chatml", bos="<s>", eos="<|im_end|>")
ASK = {"role": "user", "content": "[문제] 1번?"}


def characters(text):
    """A tokenizer with one token a character."""
    return [ord(c) for c in text]


def encoded(messages, template=CHATML, *, max_length=500, encode=characters):
    value = {"id": "보기", "messages": messages}
    return encode_example(value, template, encode, max_length, template.stop)


def spoken(example):
    """The supervised stretches as text."""
    return "".join(
        chr(t) if s else "|" for t, s in zip(example.tokens, example.supervised, strict=True)
    ).strip("|")


def test_the_answer_and_its_stop_token_are_supervised_and_nothing_else():
    example = encoded([ASK, {"role": "assistant", "content": "3"}])
    assert spoken(example) == "3<|im_end|>"
    text = "".join(map(chr, example.tokens))
    assert text.endswith("<|im_start|>assistant\n3<|im_end|>")


def test_every_assistant_turn_is_supervised():
    turns = [ASK, {"role": "assistant", "content": "네"}] * 2
    stretches = [s for s in spoken(encoded(turns)).split("|") if s]
    # the stop token itself holds bars
    assert "".join(stretches) == "네<im_end>네<im_end>"
    assert encoded(turns).targets == 2 * len("네<|im_end|>")


@pytest.mark.parametrize("name", ["gemma", "solar", "exaone", "chatml"])
def test_each_built_in_template_ends_its_supervised_text_with_its_stop_token(name):
    template = built_in_template(name, bos="<bos>", eos="</s>")
    example = encoded([ASK, {"role": "assistant", "content": "제9조"}], template)
    said = [chr(t) for t, s in zip(example.tokens, example.supervised, strict=True) if s]
    assert "".join(said).strip() == "제9조" + template.stop


def test_a_token_that_would_run_over_the_edge_is_cut_as_when_answering():
    vocabulary = {}

    def pairs(text):
        found = [text[i : i + 2] for i in range(0, len(text), 2)]
        return [vocabulary.setdefault(pair, len(vocabulary)) for pair in found]

    prefix = CHATML.render([ASK], add_generation_prompt=True)
    odd = [ASK] if len(prefix) % 2 else [{**ASK, "content": ASK["content"] + "."}]
    example = encoded([*odd, {"role": "assistant", "content": "3"}], encode=pairs)
    prompt = CHATML.render(odd, add_generation_prompt=True)
    assert example.joined
    assert example.tokens[: len(pairs(prompt))].tolist() == pairs(prompt)
    assert not example.supervised[: len(pairs(prompt))].any()


@pytest.mark.parametrize(
    "messages, reason",
    [
        ([ASK], "nothing_supervised"),
        ([], "nothing_supervised"),
        ([{"role": "human", "content": "?"}], "wrong_role"),
        ([ASK, {"role": "assistant", "content": None}], "no_content"),
        ([ASK, {"role": "assistant", "content": "  "}], "empty_answer"),
        ([ASK, {"role": "assistant", "content": "가" * 600}], "too_long"),
    ],
)
def test_what_cannot_be_trained_on_has_a_reason(messages, reason):
    with pytest.raises(ExampleError) as caught:
        encoded(messages)
    assert caught.value.reason == reason


def test_a_template_that_does_not_end_the_turn_is_refused():
    silent = ChatTemplate("{% for m in messages %}{{ m.content }}{% endfor %}", eos="</s>")
    with pytest.raises(ExampleError) as caught:
        encoded([ASK, {"role": "assistant", "content": "3"}], silent)
    assert caught.value.reason == "no_stop"
    without = ChatTemplate("{% for m in messages %}{{ m.content }}{% endfor %}")
    with pytest.raises(UserError, match="no stop token"):
        _ = without.stop


def test_a_template_that_rewrites_earlier_turns_is_refused():
    rewriting = ChatTemplate(
        "{{ messages | length }}{% for m in messages %}{{ m.content }}</s>{% endfor %}", eos="</s>"
    )
    with pytest.raises(ExampleError) as caught:
        encoded([ASK, {"role": "assistant", "content": "3"}], rewriting)
    assert caught.value.reason == "prefix_differs"


def lines(path, *values):
    path.write_text("\n".join(json.dumps(v, ensure_ascii=False) for v in values), encoding="utf-8")
    return path


def good(name):
    return {"id": name, "messages": [ASK, {"role": "assistant", "content": "3"}]}


def test_rejected_examples_are_kept_with_their_reason_and_counted(tmp_path):
    long = {"id": "긴", "messages": [ASK, {"role": "assistant", "content": "가" * 600}]}
    path = lines(tmp_path / "e.jsonl", good("가"), long, {"id": "빈", "messages": [ASK]})
    kept, rejected = encode_examples(path, CHATML, characters, max_length=200)
    assert [e.id for e in kept] == ["가"]
    assert [(r.id, r.reason) for r in rejected] == [
        ("긴", "too_long"),
        ("빈", "nothing_supervised"),
    ]
    assert json.loads(rejected[0].record) == long
    record = length_record(kept, rejected)
    assert record["examples"] == 1
    assert record["rejected"] == {"nothing_supervised": 1, "too_long": 1}
    assert record["tokens"] == len(kept[0])
    assert sum(record["histogram"]["counts"]) == 1


@pytest.mark.parametrize(
    "values, message",
    [
        ([], "no examples to train on"),
        ([{"id": "빈", "messages": [ASK]}], "none of 1 examples can be trained on"),
        ([{"id": "가", "question": "…"}], "needs a list `messages`"),
        ([{"id": [7], "messages": []}], "`id` is not a text"),
    ],
)
def test_a_file_that_cannot_be_trained_on_is_one_clear_error(tmp_path, values, message):
    path = lines(tmp_path / "e.jsonl", *values)
    with pytest.raises(UserError, match=message):
        encode_examples(path, CHATML, characters, max_length=200)


BAD_LINES = {
    '{"id": "cut", "messages": [': "broken JSON",
    "[1, 2]": "must hold one JSON object",
    "7": "must hold one JSON object",
    '{"text": ' + "[" * 3000 + "]" * 3000 + "}": "nested too deeply",
    '{"text": "가", "n": ' + "9" * 5000 + "}": "too many digits",
    '{"messages": [7]}': "not a list of messages",
    '{"messages": "가"}': "not a list of messages",
    '{"messages": [{"role": "user", "content": "가"}, {"role": "user", "content": "나"}]}': "turn",
    '{"messages": [{"role": "user", "content": null}]}': "not a text",
    '{"messages": [{"role": "user", "content": "가"}, {"role": "assistant", "content": " "}]}': "",
    '{"prompt": 7, "completion": NaN}': "`prompt` is not a text",
    '{"id": {"a": 1}, "text": "가"}': "`id` is not a text",
    '{"id": "1", "text": "다시"}': "already used on line 1",
    '{"id": "x"}': "needs a list `messages`",
    '{"mesages": [], "title": "가"}': "it has mesages, title",
    '{"prompt": "가"}': "needs a list `messages`",
    '{"text": ["가"]}': "needs a list `messages`",
    '{"instruction": "가", "output": 7}': "`output` is not a text",
    '{"instruction": "가", "output": "나", "history": [1]}': "`history` is not a list of pairs",
    '{"question": "가", "answer": []}': "",
}


def strict(text):
    """A template that refuses two user turns in a row, as Gemma's does."""
    check = (
        "{% for m in messages %}{% if not loop.first and m.role == messages[loop.index0 - 1].role %}"
        "{{ raise_exception('turns do not alternate') }}{% endif %}{% endfor %}"
    )
    return replace(text, source=check + text.source)


def test_a_bad_example_is_one_rejection_with_file_line_and_reason(tmp_path):
    path = tmp_path / "e.jsonl"
    first, last = ({"id": str(n), "text": f"은행 {n}"} for n in (1, 2))
    rows = [json.dumps(first), *BAD_LINES, json.dumps({"text": "은\ud83d행"}), json.dumps(last)]
    path.write_text("\n".join(rows), encoding="utf-8")
    found, rejected = encode_examples(path, strict(CHATML), characters, max_length=200)
    assert [e.id for e in found] == ["1", f"line-{len(rows) - 1}", "2"]
    assert len(rejected) == len(BAD_LINES)
    for line, (record, reason) in enumerate(zip(rejected, BAD_LINES.values(), strict=True), 2):
        assert record.detail.startswith(f"e.jsonl:{line}: ")
        assert reason in record.detail
    write_jsonl(tmp_path / "rejected.jsonl", rejected)  # every rejection can be written


@settings(max_examples=30, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "messages", "role", "content", "text", "prompt", "choice"]), inner,
        max_size=3),
    max_leaves=8,
))  # fmt: skip
def test_any_json_value_is_an_example_or_a_rejection(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("any") / "e.jsonl"
    path.write_text('{"text": "은행"}\n' + json.dumps(value) + "\n", encoding="utf-8")
    try:
        found, rejected = encode_examples(
            path, CHATML, characters, max_length=200, objective="both"
        )
    except UserError:  # a form or a field that is refused for the whole file
        return
    assert len(found) + len(rejected) >= 2
    write_jsonl(path.parent / "rejected.jsonl", rejected)


def test_the_shown_example_marks_what_is_learned():
    example = encoded([ASK, {"role": "assistant", "content": "3"}])
    shown = show_example(example, lambda ids: "".join(map(chr, ids)))
    assert shown.rstrip().endswith("<|im_start|>assistant\n⟦3<|im_end|>⟧")
    assert f"{len(example)} tokens, {example.targets} supervised" in shown


def test_lengths_are_summed_up_by_percentile(tmp_path):
    path = lines(tmp_path / "e.jsonl", *(good(str(i)) for i in range(5)))
    kept, rejected = encode_examples(path, CHATML, characters, max_length=200)
    record = length_record(kept, rejected)
    assert record["percentiles"]["50"] == np.median([len(e) for e in kept])


def test_of_a_prompt_and_its_completion_the_second_is_learned_with_the_stop_token():
    value = {"id": "가", "prompt": "질문: 누구?\n답: ", "completion": "금융위원회"}
    example = encode_example(value, CHATML, characters, 100, CHATML.stop)
    assert spoken(example) == "금융위원회<|im_end|>"
    read = "".join(chr(t) for t in example.tokens[~example.supervised])
    assert read == "<s>질문: 누구?\n답: "
    with_bos = {**value, "prompt": read}
    again = encode_example(with_bos, CHATML, characters, 100, CHATML.stop)
    assert again.tokens.tolist() == example.tokens.tolist()


def test_a_plain_text_is_learned_whole_from_its_second_token_on():
    with_bos = ChatTemplate("", bos="<s>", eos="</s>")
    example = encode_example({"id": "가", "text": "제1조(목적)"}, with_bos, characters, 100, "</s>")
    assert spoken(example) == "제1조(목적)</s>"
    without = ChatTemplate("", eos="</s>")
    example = encode_example({"id": "가", "text": "제1조(목적)"}, without, characters, 100, "</s>")
    assert spoken(example) == "1조(목적)</s>"


ITEM = {
    "question": "기한은?",
    "options": ["3일", "7일 이내"],
    "evidence": ["7일 이내에 낸다."],
    "answer": 1,
    "negative": False,
    "twin": "",
}


def item(*, max_length=500, **changes):
    return encode_choice("문항", {**ITEM, **changes}, CHATML, characters, max_length)


def test_an_item_is_one_row_of_prompt_options_bare_prompt_and_options():
    from kofinlaw.data.prompting.contrast import bare_messages, contrast_messages

    example = item()
    asked = contrast_messages(ITEM["question"], ITEM["evidence"])
    prompts = [CHATML.render(m, add_generation_prompt=True) for m in (asked, bare_messages())]
    assert "".join(map(chr, example.tokens)) == "".join(
        prompt + "".join(ITEM["options"]) for prompt in prompts
    )
    assert spoken(example).split("|", 1)[0] == "3일7일 이내"
    assert "<|im_end|>" not in spoken(example)  # the stop token is not scored
    assert example.targets == 2 * len("3일7일 이내")
    assert len(example) > example.span == len(prompts[0]) + len("7일 이내")
    assert (example.choice.answer, example.choice.sign) == (1, 1)
    assert item(negative=True).choice.sign == -1


def test_options_are_tokenised_as_the_answering_engine_does(pico):
    import itertools

    from kofinlaw.data.prompting.contrast import bare_messages, contrast_messages
    from kofinlaw.models.templates import template_for
    from kofinlaw.models.tokenizer import load_tokenizer

    template, tokenizer = template_for(pico), load_tokenizer(pico)
    example = encode_choice("문항", ITEM, template, tokenizer.encode, 500)
    asked = contrast_messages(ITEM["question"], ITEM["evidence"])
    prompts = [template.render(m, add_generation_prompt=True) for m in (asked, bare_messages())]
    expected = [
        ids
        for prompt in prompts
        for ids in (
            tokenizer.encode(prompt),
            *(tokenizer.continuation(prompt, option) for option in ITEM["options"]),
        )
    ]
    edges = itertools.pairwise(example.choice.edges)
    assert [example.tokens[a:b].tolist() for a, b in edges] == expected


def test_the_plain_form_has_no_turns_and_a_space_before_the_option():
    example = encode_choice("문항", ITEM, CHATML, characters, 500, ContrastSettings(form="plain"))
    text = "".join(map(chr, example.tokens))
    assert text.startswith(
        "<s>[참고 조문]\n7일 이내에 낸다.\n\n[문제] 기한은?\n정답: 3일 7일 이내<s>"
    )
    assert text.endswith("<s>정답: 3일 7일 이내")
    assert example.span == text.index(" 3일") + len(" 7일 이내")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"options": ["3일", "3일"]}, "same_options"),
        ({"options": ["3일", ""]}, "empty_answer"),
        ({"answer": 2}, "wrong_answer"),
        ({"max_length": 60}, "too_long"),
    ],
)
def test_an_item_that_cannot_be_compared_is_rejected_with_its_reason(changes, reason):
    with pytest.raises(ExampleError) as error:
        item(**changes)
    assert error.value.reason == reason


def choice_file(path, *choices):
    turns = [ASK, {"role": "assistant", "content": "3"}]
    rows = [{"id": f"{i}", "messages": turns, "choice": c} for i, c in enumerate(choices)]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("objective", "items", "texts"), [("text", 0, 3), ("contrast", 1, 2), ("both", 1, 3)]
)
def test_the_objective_decides_which_form_an_example_takes(tmp_path, objective, items, texts):
    path = choice_file(
        tmp_path / "e.jsonl", ITEM, {**ITEM, "answer": -1, "options": []}, {**ITEM, "options": [""]}
    )
    found, rejected = encode_examples(path, CHATML, characters, max_length=500, objective=objective)
    assert rejected == []
    forms = [e.choice is not None for e in found]
    assert (sum(forms), len(forms) - sum(forms)) == (items, texts)
    if items:
        require_choices(found, objective, path)


def test_items_enter_the_hash_of_the_data_with_answer_and_polarity():
    hashes = {examples_sha256([item(**c)]) for c in ({}, {"answer": 0}, {"negative": True})}
    assert len(hashes) == 3


def test_a_broken_choice_and_a_file_without_any_are_errors_with_a_remedy(tmp_path):
    path = choice_file(tmp_path / "e.jsonl", {**ITEM, "answer": "2"})
    with pytest.raises(UserError, match="integer `answer`") as error:
        encode_examples(path, CHATML, characters, max_length=500, objective="contrast")
    assert "e.jsonl:1: " in str(error.value)
    encode_examples(path, CHATML, characters, max_length=500)  # a text does not read it
    path = choice_file(tmp_path / "f.jsonl", {**ITEM, "answer": -1})
    found, _ = encode_examples(path, CHATML, characters, max_length=500, objective="both")
    with pytest.raises(UserError, match="no example has a `choice`"):
        require_choices(found, "both", path)


def test_an_item_is_shown_with_its_options_and_what_is_learned():
    shown = show_example(item(negative=True), lambda ids: "".join(map(chr, ids)))
    assert "support option 2 the least" in shown
    assert "⟦3일⟧\n⟦7일 이내⟧" in shown
    assert shown.endswith("assistant\n\n")


@pytest.fixture
def gemma_like(tmp_path):
    """Return the template and the tokenizer of a folder whose turns are control tokens."""
    fast = tokenizers.Tokenizer(tokenizers.models.BPE())
    fast.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        special_tokens=["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    fast.train_from_iterator(["질문 답"], trainer)
    fast.save(str(tmp_path / "tokenizer.json"))
    config = {"bos_token": "<bos>", "eos_token": "<eos>"}
    config["chat_template"] = built_in_template("gemma").source
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return template_for(tmp_path), load_tokenizer(tmp_path)


def controls_of(example, tokenizer):
    """Return the control tokens of an example, those that are learned in brackets."""
    pairs = zip(example.tokens.tolist(), example.supervised, strict=True)
    found = [(tokenizer.fast.id_to_token(n), s) for n, s in pairs if tokenizer.is_special(n)]
    return [f"[{text}]" if learned else text for text, learned in found]


@given(
    contents=st.lists(
        st.lists(
            st.sampled_from(
                ["<end_of_turn>", "<start_of_turn>model\n", "<eos>", "<bos>", "답", " "]
            ),
            min_size=1,
            max_size=5,
        ).map(lambda parts: "가" + "".join(parts)),
        min_size=2,
        max_size=4,
    )
)
@hypothesis.settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_control_tokens_in_contents_are_no_turns(gemma_like, contents):
    template, tokenizer = gemma_like
    contents = contents[: len(contents) // 2 * 2]
    roles = ("user", "assistant")
    turns = [{"role": roles[n % 2], "content": text} for n, text in enumerate(contents)]
    value = {"id": "가", "messages": turns}
    example = encode_example(value, template, tokenizer.encode, 9999, template.stop)
    asked = ["<start_of_turn>", "<end_of_turn>", "<start_of_turn>", "[<end_of_turn>]"]
    assert controls_of(example, tokenizer) == ["<bos>", *asked * (len(contents) // 2)]
    text = tokenizer.decode(example.tokens.tolist(), skip_special_tokens=False)
    assert all(one.strip() in text for one in contents)


def test_prompts_and_texts_that_are_not_rendered_have_no_control_tokens(gemma_like):
    template, tokenizer = gemma_like

    def controls(**value):
        example = encode_example(
            {"id": "가", **value}, template, tokenizer.encode, 999, template.stop
        )
        return controls_of(example, tokenizer)

    bad = "가 <end_of_turn>\n<start_of_turn>model\n나<eos>"
    assert controls(text=bad) == ["<bos>", "[<eos>]"]
    assert controls(prompt=bad, completion=bad) == ["<bos>", "[<end_of_turn>]"]
    rendered = template.render([{"role": "user", "content": "가"}], add_generation_prompt=True)
    turns = ["<bos>", "<start_of_turn>", "<end_of_turn>", "<start_of_turn>", "[<end_of_turn>]"]
    assert controls(prompt=rendered, completion="나") == turns
    assert controls(prompt=rendered, completion="나<end_of_turn>") == turns
    learned = [turns[0], *(f"[{one}]" for one in turns[1:4]), "[<eos>]"]
    assert controls(text=rendered + "나") == learned
    assert controls(text=rendered + "나<eos>") == learned
    choice = {
        "question": bad,
        "options": [bad, "나<eos>"],
        "evidence": [bad],
        "answer": 1,
        "negative": False,
        "twin": "",
    }
    for form in ("chat", "plain"):
        item = encode_choice(
            "가", choice, template, tokenizer.encode, 9999, ContrastSettings(form=form)
        )
        found = [tokenizer.fast.id_to_token(n) for n in item.tokens if tokenizer.is_special(int(n))]
        assert set(found) <= {"<bos>", "<start_of_turn>", "<end_of_turn>"}
        assert "<eos>" not in found
        assert form == "chat" or set(found) == {"<bos>"}


def test_other_forms_are_encoded_as_messages_and_recorded(tmp_path):
    question, answer = "기한은?", "3일"
    own = {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }
    turns = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    others = [
        {"id": 1, "conversations": turns},
        {"instruction": question, "input": "", "output": answer},
        {"prompt": question, "response": answer},
        {"question": question, "answer": answer},
    ]
    shown = []

    def progress(phase, done, total=None, **info):
        shown.append(info)

    path = lines(tmp_path / "e.jsonl", own, *others)
    kept, _ = encode_examples(path, CHATML, characters, max_length=200, progress=progress)
    assert len({tuple(e.tokens.tolist()) for e in kept}) == 1
    assert len({tuple(e.supervised.tolist()) for e in kept}) == 1
    forms = length_record(kept, [])["forms"]
    assert sum(forms.values()) == len(forms) == 5
    assert "human is user" in shown[-1]["read_as"]
    assert "instruction and input" in shown[-1]["read_as"]


def test_an_untrained_answer_is_shown_and_not_supervised(tmp_path):
    first = {"role": "assistant", "content": "틀린 답"}
    rest = [{"role": "user", "content": "다시"}, {"role": "assistant", "content": "맞는 답"}]
    for mark in ({"train": False}, {"weight": 0}):
        path = lines(
            tmp_path / "e.jsonl",
            {"id": "가", "messages": [ASK, {**first, **mark}, *rest]},
            {"id": "나", "messages": [ASK, first], "weight": 0},
            {"id": "다", "messages": [ASK, {**first, **mark}]},
        )
        kept, rejected = encode_examples(path, CHATML, characters, max_length=200)
        (example,) = kept
        learned = "".join(chr(t) for t in example.tokens[example.supervised])
        assert "맞는 답" in learned
        assert "틀린" not in learned
        assert [(r.id, r.reason) for r in rejected] == [
            ("나", "not_trained"),
            ("다", "not_trained"),
        ]


def test_a_field_that_would_be_ignored_is_refused_with_its_line(tmp_path):
    path = lines(tmp_path / "e.jsonl", good("가"), {**good("나"), "weight": 0.5})
    with pytest.raises(UserError, match=r"e\.jsonl:2: `weight` is 0\.5"):
        encode_examples(path, CHATML, characters, max_length=200)
