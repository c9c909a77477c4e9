from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.models.catalogue import find_model
from kofinlaw.models.templates import BUILT_IN, ChatTemplate, built_in_template, template_for

TURNS = [
    {"role": "user", "content": "보기 중 옳은 것은?"},
    {"role": "assistant", "content": "2"},
    {"role": "user", "content": "근거는?"},
]


def test_each_built_in_form_is_written_exactly():
    rendered = {
        name: built_in_template(name, bos="<s>", eos="</s>").render(
            TURNS, add_generation_prompt=True
        )
        for name in BUILT_IN
    }
    assert rendered == {
        "gemma": "<s><start_of_turn>user\n보기 중 옳은 것은?<end_of_turn>\n<start_of_turn>model\n2"
        "<end_of_turn>\n<start_of_turn>user\n근거는?<end_of_turn>\n<start_of_turn>model\n",
        "solar": "<s>### User:\n보기 중 옳은 것은?\n\n### Assistant:\n2</s>\n\n### User:\n근거는?\n\n"
        "### Assistant:\n",
        "exaone": "[|system|][|endofturn|]\n[|user|]보기 중 옳은 것은?\n[|assistant|]2[|endofturn|]\n"
        "[|user|]근거는?\n[|assistant|]",
        "chatml": "<|im_start|>user\n보기 중 옳은 것은?<|im_end|>\n<|im_start|>assistant\n2<|im_end|>\n"
        "<|im_start|>user\n근거는?<|im_end|>\n<|im_start|>assistant\n",
    }


@pytest.mark.parametrize(
    "name,stop",
    [
        ("gemma", "<end_of_turn>"),
        ("solar", "</s>"),
        ("exaone", "[|endofturn|]"),
        ("chatml", "<|im_end|>"),
    ],
)
def test_the_stop_token_is_read_off_the_template(name, stop):
    assert built_in_template(name, bos="<s>", eos="</s>").stop == stop


@given(st.text(min_size=1, max_size=40).filter(lambda text: text == text.strip() and text))
@settings(max_examples=60, deadline=None)
def test_the_prompt_is_the_start_of_the_whole_conversation(answer):
    for name in BUILT_IN:
        template = built_in_template(name, bos="<s>", eos="</s>")
        messages = [*TURNS, {"role": "assistant", "content": answer}]
        prompt = template.render(TURNS, add_generation_prompt=True)
        whole = template.render(messages)
        assert whole.startswith(prompt + answer + template.stop)


def test_a_system_turn_goes_before_the_user(llama):
    system = [{"role": "system", "content": "법률 도우미"}, *TURNS[:1]]
    assert (
        built_in_template("gemma")
        .render(system)
        .startswith("<start_of_turn>user\n법률 도우미\n\n보기")
    )
    assert (
        built_in_template("exaone")
        .render(system)
        .startswith("[|system|]법률 도우미[|endofturn|]\n[|user|]")
    )


def test_a_folders_own_template_wins_and_file_before_configuration(llama, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    config = {"bos_token": {"content": "<s>"}, "eos_token": "</s>"}
    config["chat_template"] = "{{ bos_token }}설정{{ messages[0]['content'] }}"
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    assert template_for(folder).render(TURNS) == "<s>설정보기 중 옳은 것은?"
    (folder / "chat_template.jinja").write_text("파일{{ eos_token }}", encoding="utf-8")
    assert template_for(folder).render(TURNS) == "파일</s>"


def test_a_folder_nobody_knows_gets_the_form_without_special_tokens(llama):
    template = template_for(llama)
    assert template.name == "solar"
    assert template.render(TURNS[:1], add_generation_prompt=True).startswith("<s>### User:\n")
    assert template.stop == "</s>"


def test_the_catalogue_knows_the_template_of_a_base_model():
    assert template_for(find_model("beomi/SOLAR-10.7B")).stop == "</s>"
    assert template_for(find_model("LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct")).name == "exaone"


def test_the_text_equals_what_transformers_renders(llama):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(llama, local_files_only=True)
    for name in BUILT_IN:
        template = built_in_template(name, bos="<s>", eos="</s>")
        theirs = tokenizer.apply_chat_template(
            TURNS, chat_template=template.source, tokenize=False, add_generation_prompt=True
        )
        assert template.render(TURNS, add_generation_prompt=True) == theirs


def test_wrong_turns_are_named():
    template = built_in_template("gemma")
    with pytest.raises(UserError, match="message 2 has the role 'tool'"):
        template.render([*TURNS[:1], {"role": "tool", "content": "x"}])
    with pytest.raises(UserError, match="message 1 has no text"):
        template.render([{"role": "user"}])
    with pytest.raises(UserError, match="alternate"):
        template.render([TURNS[0], TURNS[0]])


def test_a_template_cannot_reach_out_of_its_sandbox():
    hostile = ChatTemplate("{{ messages.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(UserError, match="unsafe"):
        hostile.render(TURNS)


def test_a_template_without_a_stop_token_is_refused():
    with pytest.raises(UserError, match="no stop token"):
        _ = ChatTemplate("{% for m in messages %}{{ m['content'] }}{% endfor %}").stop


def test_the_hash_is_of_the_source():
    assert built_in_template("solar").sha256 == built_in_template("solar", bos="<s>").sha256
    assert built_in_template("solar").sha256 != built_in_template("gemma").sha256
