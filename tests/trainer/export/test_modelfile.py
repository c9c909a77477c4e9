"""The Modelfile's Go template, and the template that a GGUF holds, against the checkpoint's."""

import shutil

import pytest

from kofinlaw.models.templates import BUILT_IN, ChatTemplate, built_in_template
from kofinlaw.trainer.export.dialogues import DIALOGUES
from kofinlaw.trainer.export.go_template import go_template, rendered_by_go, surroundings
from kofinlaw.trainer.export.modelfile import _template, expected_texts

BLANKS = {4, 9}  # dialogues with blanks at the ends of a text
TRIMMING = {"gemma", "solar"}
LLAMA = """{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>

{{ m.content }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>

{% endif %}"""


def templates():
    yield from ((name, built_in_template(name, bos="<bos>", eos="<eos>")) for name in BUILT_IN)
    yield "llama", ChatTemplate(LLAMA, "<bos>", "<|eot_id|>")


@pytest.mark.parametrize(("name", "template"), templates())
@pytest.mark.parametrize("without_bos", [True, False])
def test_texts_around_messages_are_those_of_the_template(name, template, without_bos):
    around = surroundings(template, without_bos=without_bos)
    expected = expected_texts(template, without_bos=without_bos)
    differing = {
        number
        for number, (dialogue, right) in enumerate(zip(DIALOGUES, expected, strict=True))
        if around.render(dialogue) != right
    }
    assert differing == (BLANKS if name in TRIMMING else set())
    assert expected[0].startswith("<bos>") is (not without_bos and "bos_token" in template.source)


@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not on the PATH")
def test_go_renders_the_dialogues_as_the_templates_do():
    for name, template in templates():
        source = go_template(surroundings(template, without_bos=True))
        texts = rendered_by_go(source, DIALOGUES)
        wrong = [
            number
            for number, (text, right) in enumerate(
                zip(texts, expected_texts(template, without_bos=True), strict=True)
            )
            if text != right
        ]
        assert set(wrong) == (BLANKS if name in TRIMMING else set()), name


@pytest.mark.parametrize(("name", "template"), templates())
def test_the_modelfile_says_where_go_keeps_blanks_that_the_template_removes(name, template):
    _, verified = _template(template, True)
    assert ("removes blanks" in verified) is (name in TRIMMING)


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}",
        "{{ messages[-1].content }}",
        "{{ raise_exception('no') }}",
    ],
)
def test_a_template_without_a_go_form_gets_none(source):
    assert surroundings(ChatTemplate(source, "", "<eos>"), without_bos=True) is None


def test_go_texts_are_quoted_so_that_no_mark_or_blank_is_lost():
    odd = '{% for m in messages %}{{ "{{ \\"x\\" }}\\n  " }}{{ m.content }}{% endfor %}\t'
    around = surroundings(ChatTemplate(odd, "", "<eos>"), without_bos=True)
    text = go_template(around)
    assert r'{{ "{{ \"x\" }}\n  " }}' in text
    assert '"""' not in text
    assert around.render(DIALOGUES[0]) == '{{ "x" }}\n  안녕하세요\t'
