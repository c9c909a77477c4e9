"""Load policies.yaml and refuse a run by its verdicts."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.models.policy.model_checks import check_models
from kofinlaw.models.policy.rules import policies, require_allowed

EXAONE = "LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct"


GEMMA = "google/gemma-3-270m"


POLICIES = ("open", "research", "commercial", "contest-2025")


def test_there_are_the_four_policies():
    assert tuple(policies()) == POLICIES


def test_require_lists_every_refusal_and_lets_what_is_allowed_pass():
    require_allowed(check_models("open", student=GEMMA))
    with pytest.raises(UserError) as caught:
        require_allowed(check_models("contest-2025", student=GEMMA, teachers=[EXAONE]))
    text = str(caught.value)
    assert "released on 2025-08-14" in text
    assert "§3.1" in text
    assert "or another `policy`" in text
