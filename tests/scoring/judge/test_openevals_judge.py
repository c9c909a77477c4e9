"""openevals with a local engine."""

import importlib.util
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.models.templates import built_in_template
from kofinlaw.scoring.judge.rubrics import read_rubric

_spec = importlib.util.spec_from_file_location(
    "scripted_judge", Path(__file__).with_name("scripted_judge.py")
)
scripted_judge = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scripted_judge)
ScriptedJudge = scripted_judge.ScriptedJudge
fair = scripted_judge.fair


TEMPLATE = built_in_template("chatml", eos="<|im_end|>")


def test_openevals_runs_our_rubric_on_our_engine():
    if importlib.util.find_spec("openevals") is None:
        pytest.skip("the extra openevals is not installed")
    from kofinlaw.scoring.judge.openevals_judge import openevals_judge

    judge = openevals_judge(read_rubric("correctness"), ScriptedJudge(fair), TEMPLATE)
    right = judge(inputs="기한은?", outputs="3일", reference_outputs="3일")
    assert (right["key"], right["score"], right["comment"]) == ("correctness", 1, "견주어 보았다.")
    assert judge(inputs="기한은?", outputs="5일", reference_outputs="3일")["score"] == 0


def test_a_missing_openevals_is_named(monkeypatch):
    import sys

    from kofinlaw.scoring.judge.openevals_judge import openevals_judge

    monkeypatch.setitem(sys.modules, "openevals.llm", None)
    with pytest.raises(UserError, match=r"kofinlaw\[openevals\]"):
        openevals_judge(read_rubric("correctness"), ScriptedJudge(fair), TEMPLATE)
