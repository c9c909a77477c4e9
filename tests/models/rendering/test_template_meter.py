"""Chat templates of others end within a limit, whatever they compute."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.models.templates import BUILT_IN, ChatTemplate, built_in_template

ASK = [{"role": "user", "content": "질문"}]
R = "range(99999)"
NAMES = "{% set n = namespace(s='ab', l=[1], i=3) %}"
HANGS = {
    "nested loops": f"{{% for a in {R} %}}{{% for b in {R} %}}{{% endfor %}}{{% endfor %}}",
    "loops that write": f"{{% for a in {R} %}}{{% for b in {R} %}}x{{% endfor %}}{{% endfor %}}",
    "loops with a filter": f"{{% for a in {R} if a > 5 %}}{{% for b in {R} %}}{{% endfor %}}{{% endfor %}}",
    "loops over one list": f"{{% set l = {R}|list %}}{{% for a in l %}}{{% if a in l[1:] %}}{{% endif %}}{{% endfor %}}",
    "a test in a list": f"{{% set l = {R}|list %}}{{% for a in l %}}{{% if 'z' in l %}}{{% endif %}}{{% endfor %}}",
    "a test by name": f"{{% set l = {R}|list %}}{{% for a in l %}}{{% if 'z' is in(l) %}}{{% endif %}}{{% endfor %}}",
    "recursive macros": "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "a macro without an end": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "call blocks": "{% macro f(n) %}{% if n %}{% call f(n-1) %}{% endcall %}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "recursive loops": "{% for x in [[1]] recursive %}{{ loop([[1],[1]]) }}{{ loop([[1],[1]]) }}{% endfor %}",
    "doubled texts": NAMES + f"{{% for a in {R} %}}{{% set n.s = n.s ~ n.s %}}{{% endfor %}}",
    "added texts": NAMES + f"{{% for a in {R} %}}{{% set n.s = n.s + n.s %}}{{% endfor %}}",
    "replaced texts": NAMES
    + f"{{% for a in {R} %}}{{% set n.s = n.s|replace('ab', 'abab') %}}{{% endfor %}}",
    "texts replaced by method": NAMES
    + f"{{% for a in {R} %}}{{% set n.s = n.s.replace('ab', 'abab') %}}{{% endfor %}}",
    "nested lists": NAMES
    + f"{{% for a in {R} %}}{{% set n.l = [n.l, n.l] %}}{{% endfor %}}{{{{ n.l }}}}",
    "nested dictionaries": NAMES
    + f"{{% for a in {R} %}}{{% set n.l = {{1: n.l, 2: n.l}} %}}{{% endfor %}}",
    "squared numbers": NAMES + f"{{% for a in {R} %}}{{% set n.i = n.i * n.i %}}{{% endfor %}}",
    "a copied text": "{{ 'a' * 999999999 }}",
    "a copied list": "{{ 999999999 * [1] }}",
    "a power": "{{ 10 ** 10 ** 8 }}",
    "a float power": "{{ (2 ** 60) ** 60 }}",
    "a wide format": "{{ '%0999999999d' % 1 }}",
    "a wide format by argument": "{{ '%*d' % (999999999, 1) }}",
    "a format filter": "{{ '%0999999999d'|format(1) }}",
    "a format method": "{{ '{:999999999}'.format(1) }}",
    "a format of a format": "{{ '{:{}}'.format(1, 999999999) }}",
    "a format of text": "{{ '{:{}}'.format(1, '999999999') }}",
    "centred": "{{ 'a'|center(999999999) }}",
    "centred by method": "{{ 'a'.center(999999999) }}",
    "justified": "{{ 'a'.ljust(width=999999999) if false else 'a'.zfill(999999999) }}",
    "indented": "{{ 'a\\nb'|indent(999999999) }}",
    "joined": "{% set l = ['x' * 60000] * 9999 %}{{ l|join }}",
    "joined by method": "{% set l = ['x' * 60000] * 9999 %}{{ ''.join(l) }}",
    "joined by a long glue": "{% set g = 'x' * 600000 %}{{ range(9999)|list|join(g) }}",
    "written again": "{% set g = 'x' * 600000 %}{% for a in range(99999) %}{{ g }}{% endfor %}",
    "filled": "{{ [1]|batch(999999999, 0)|list }}",
    "as JSON": "{% set l = ['x' * 60000] * 9999 %}{{ l|tojson }}",
    "a range": "{{ range(999999999)|list }}",
}


@pytest.mark.parametrize("name", HANGS)
def test_a_template_that_does_not_end_is_refused(name):
    with pytest.raises(UserError, match="chat template custom") as error:
        ChatTemplate(HANGS[name]).render(ASK)
    assert error.value.remedy or "range" in name


@pytest.mark.parametrize(
    "source",
    ["{{ 1 + 'a' }}", "{{ 1 // 0 }}", "{{ messages[9].content.x.y }}", "{% for %}", "{{", "(" * 9],
)
def test_a_broken_template_is_an_error_of_the_template(source):
    if source.startswith("("):
        source = "{{ " + "(" * (sys.getrecursionlimit() * 2) + " }}"
    with pytest.raises(UserError, match="chat template custom"):
        ChatTemplate(source).render(ASK)


def test_long_conversations_and_texts_are_within_the_limit():
    turns = [{"role": ("user", "assistant")[n % 2], "content": "법" * 2000} for n in range(1001)]
    for name in BUILT_IN:
        template = built_in_template(name, bos="<s>", eos="</s>")
        assert template.render(turns, add_generation_prompt=True).count("법" * 2000) == 1001
    one = [{"role": "user", "content": "법" * 10_000_000}]
    assert len(built_in_template("gemma").render(one)) > 10_000_000


def test_the_budget_is_of_one_rendering():
    template = ChatTemplate("{% for a in range(60000) %}{{ '' }}{% endfor %}")
    assert [template.render(ASK) for _ in range(20)] == [""] * 20


# Statements of Jinja that transformers' templates use, and their text in plain Jinja.
STATEMENTS = (
    "{% for m in messages %}{{ loop.index }}{{ loop.last }}{{ m.role }}{% endfor %}",
    "{% for m in messages[::-1] %}{{ loop.length }}{{ loop.revindex0 }}{{ m['content'] }}{% endfor %}",
    "{% for m in messages if m.role == 'user' %}{{ m.content|trim }}{% else %}none{% endfor %}",
    "{% for m in missing %}x{% else %}empty{% endfor %}",
    "{% set n = namespace(i=0) %}{% for m in messages %}{% set n.i = n.i + 1 %}{% endfor %}{{ n.i }}",
    "{% if messages[0]['role'] == 'system' and missing is not defined %}s{% endif %}",
    "{% set a, b = 1, [2, (3, 4)] %}{{ a }}{{ b }}{{ {'k': b} }}",
    "{{ messages[0].content.split('문')[-1].lstrip('\\n') }}{{ 'a' ~ 1 ~ none }}",
    "{% macro f(x, y=2) %}<{{ x }}{{ y }}{{ caller() if caller }}>{% endmacro %}{{ f(1) }}",
    "{% macro g() %}[{{ caller() }}]{% endmacro %}{% call g() %}in{% endcall %}",
    "{% filter upper|trim %} abc {% endfilter %}{{ messages|length }}{{ messages|map(attribute='role')|join(',') }}",
    "{% for m in messages %}{% if loop.index0 > 0 %}{% break %}{% endif %}{{ m|tojson }}{% endfor %}",
    "{{ '%s-%d' % ('a', 3) }}{{ 'x' * 3 }}{{ 2 ** 3 }}{{ 7 % 4 }}{{ messages|selectattr('role', 'in', ['user'])|list|length }}",
    "{{ bos_token }}{{ messages[0]['role'] in ['user', 'system'] }}{{ missing }}{{ 'b'.join(['a', 'c']) }}",
)


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=4),
    contents=st.lists(st.text(max_size=20), min_size=1, max_size=4),
)
def test_counting_does_not_change_the_text(parts, contents):
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    plain = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    plain.filters["tojson"] = built_in_json
    turns = [{"role": "user", "content": one.replace("<", "(")} for one in contents]
    source = "\n".join(parts)
    expected = plain.from_string(source).render(messages=turns, bos_token="<s>")
    assert ChatTemplate(source, bos="<s>").render(turns) == expected


def built_in_json(value, indent=None):
    import json

    return json.dumps(value, ensure_ascii=False, indent=indent)
