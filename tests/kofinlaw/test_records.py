"""Records to JSON values and back."""

from __future__ import annotations

import errno
import json

import pytest

from kofinlaw import UserError
from kofinlaw.errors import MachineError
from kofinlaw.records import (
    Answer,
    Provision,
    from_json,
    provision_from_json,
    record_fault,
    to_json,
)


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


def test_a_fault_of_a_record_is_one_line_and_one_of_the_machine_is_raised():
    assert record_fault(UserError("no text", remedy="add one")) == "no text → add one"
    assert record_fault(ValueError("a\nb" + "x" * 1000)) == ("ValueError: a b" + "x" * 1000)[:300]
    assert record_fault(RecursionError()) == "it is nested too deeply"
    full = OSError(errno.ENOSPC, "No space left on device")
    wrapped = UserError("no space left on the disk")
    wrapped.__cause__ = full
    for error in (full, wrapped, MemoryError(), OSError(errno.EMFILE, "Too many open files")):
        with pytest.raises(MachineError):
            record_fault(error)
    assert record_fault(FileNotFoundError(errno.ENOENT, "x")).startswith("FileNotFoundError")
    denied = PermissionError(errno.EACCES, "Permission denied", "a.pdf")
    assert record_fault(denied).startswith("this file or folder may not be read or written → ")
