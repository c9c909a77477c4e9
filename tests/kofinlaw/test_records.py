"""Records to JSON values and back."""

from __future__ import annotations

import json

import pytest

from kofinlaw.records import Answer, Provision, from_json, provision_from_json, to_json


def test_a_record_comes_back_from_json_with_its_tuples():
    answer = Answer("Q1", "2", ("가람법/제1조",), 0.5, 12)
    assert from_json(Answer, json.loads(json.dumps(to_json(answer)))) == answer


def test_a_tree_of_provisions_comes_back_from_json():
    tree = Provision("제1항", "첫째", (Provision("제1항제1호", "하나"),))
    assert provision_from_json(json.loads(json.dumps(to_json(tree)))) == tree


def test_an_unknown_or_missing_field_and_another_type_are_errors():
    with pytest.raises(TypeError):
        from_json(Provision, {"label": "제1항", "text": "", "other": ""})
    with pytest.raises(TypeError):
        from_json(Provision, {"label": "제1항"})
    with pytest.raises(TypeError, match="must be a dataclass"):
        to_json({"label": "제1항"})
