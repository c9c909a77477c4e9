"""YAML and JSON of others: bombs, depth, long numbers; every failure is the parser's own error."""

import contextlib
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.frontmatter import split_front_matter
from kofinlaw.data.plain_yaml import LONGEST_NUMBER, load_yaml
from kofinlaw.decoding import DEEPEST, load_json
from kofinlaw.files import read_json_lines
from kofinlaw.recipes.pipeline.recipe_file import read_recipe_file
from kofinlaw.tolerant_files import read_json

ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMBS = {
    "nested aliases": (ALIASES, "aliases"),
    "a list in itself": ("a: &a [*a]\n", "aliases"),
    "a mapping in itself": ("a: &a {b: *a}\n", "aliases"),
    "a merge key": ("a: &a {x: 1}\nb:\n  <<: *a\n", "aliases"),
    "5,000 lists": ("a: " + "[" * 5000 + "]" * 5000, "deeper than 100"),
    "5,000 mappings": ("a: " + "{b: " * 5000 + "1" + "}" * 5000, "deeper than 100"),
    "5,000 entries": ("- " * 5000, "deeper than 100"),
    "5,000 complex keys": ("? " * 5000, "deeper than 100"),
    "5,000 digits": ("a: " + "9" * 5000, "5,000 characters"),
    "5,000 hexadecimal digits": ("a: 0x" + "f" * 5000, "characters"),
    "a number to the base 60": ("a: 1" + ":59" * 3000, "characters"),
    "a decimal fraction": ("a: 1." + "9" * 5000, "characters"),
    "no such month": ("a: 2024-99-99", "month"),
    "no such hour": ("a: 2024-01-01 99:99:99", "hour"),
    "not a number": ("a: !!int abc", "invalid literal"),
    "a program": ("a: !!python/object/apply:os.system [ls]", "constructor"),
}
JSON_BOMBS = {
    "lists": '{"a": ' + "[" * 5000 + "]" * 5000 + "}",
    "objects": '{"a": ' * 5000 + "1" + "}" * 5000,
    "not closed": '{"a": ' + "[" * 200_000,
    "digits": '{"a": ' + "9" * 5000 + "}",
    "brackets after a text": '{"a": "\\"[[", "b": ' + "[" * 101 + "]" * 101 + "}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_yaml_bomb_is_a_yaml_error(name):
    text, reason = BOMBS[name]
    with pytest.raises(yaml.YAMLError, match=reason):
        load_yaml(text)


@pytest.mark.parametrize("name", BOMBS)
def test_a_recipe_with_a_bomb_is_one_error_with_its_line(name, tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(BOMBS[name][0])
    with pytest.raises(UserError) as caught:
        read_recipe_file(path)
    assert "recipe.yaml:" in caught.value.where
    assert caught.value.remedy


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_in_set_is_one_error(name, tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("seed: 1\n")
    with pytest.raises(UserError, match="not a YAML value"):
        read_recipe_file(path, [f"data.x={BOMBS[name][0]}"])


@pytest.mark.parametrize("name", BOMBS)
def test_front_matter_with_a_bomb_is_ignored_with_a_warning(name):
    meta, text, warning = split_front_matter(f"---\n{BOMBS[name][0]}\n---\n제1조(목적)\n")
    assert (meta, text) == ({}, "제1조(목적)\n")
    assert "front matter" in warning


@pytest.mark.parametrize("name", JSON_BOMBS)
def test_a_json_bomb_is_a_json_error(name, tmp_path):
    with pytest.raises(json.JSONDecodeError):
        load_json(JSON_BOMBS[name])
    path = tmp_path / "questions.jsonl"
    path.write_text('{"id": "1"}\n' + JSON_BOMBS[name] + "\n")
    with pytest.raises(UserError) as caught:
        list(read_json_lines(path))
    assert caught.value.where.endswith("questions.jsonl:2")
    assert read_json(path) is None


def test_values_within_the_limits_are_read():
    assert load_yaml("a: &x 1\nb: [2, {c: 2024-01-02}]")["b"][0] == 2
    assert load_yaml("a: " + "9" * LONGEST_NUMBER)["a"] == int("9" * LONGEST_NUMBER)
    nested = "[" * DEEPEST + "]" * DEEPEST
    assert load_json(nested) == json.loads(nested)
    assert load_json('"' + "[" * 500 + '\\""') == "[" * 500 + '"'


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON_VALUES, st.booleans())
def test_json_is_what_the_library_reads(value, padded):
    text = json.dumps(["[" * 200, value] if padded else value, ensure_ascii=padded)
    assert load_json(text) == json.loads(text)
    assert load_json(text.encode()) == json.loads(text)


@given(st.text(alphabet="&*a: -[]{}?!<\n0x9'\"#|>~", max_size=80))
def test_any_text_is_a_value_or_a_yaml_error(text):
    with contextlib.suppress(yaml.YAMLError):
        load_yaml(text)
