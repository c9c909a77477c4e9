"""Settings of the recipe section `answer` that contradict each other."""

from __future__ import annotations

import pytest

from kofinlaw.models.settings import EngineSettings
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.settings import RagSettings


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing"):
        AnswerSettings(budget_minutes=1, reserve_minutes=2)
    with pytest.raises(ValueError, match="permutations must be 1"):
        AnswerSettings(choose_by="contrast", permutations=2)
    with pytest.raises(ValueError, match="reasoning_tokens must be 0"):
        AnswerSettings(choose_by="contrast", reasoning_tokens=32)
    with pytest.raises(ValueError, match="no voter with a weight"):
        AnswerSettings(choose_by="contrast", voters={"contrast": 0.0})
    with pytest.raises(ValueError, match="voters"):
        AnswerSettings(voters={"longest": 1.0})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="contrast_decoding needs choose_by generate"):
        AnswerSettings(contrast_decoding=0.5)
    generated = {"choose_by": "generate", "contrast_decoding": 0.5}
    with pytest.raises(ValueError, match="permutations must be 1 and reasoning_tokens 0"):
        AnswerSettings(**generated, permutations=2)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="permutations must be 1 and reasoning_tokens 0"):
        AnswerSettings(**generated, reasoning_tokens=32)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"engine llamacpp cannot .* use engine transformers"):
        AnswerSettings(**generated, engine=EngineSettings(engine="llamacpp"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="less than or equal to 1"):
        AnswerSettings(choose_by="generate", contrast_decoding=1.5)
    with pytest.raises(ValueError, match=r"0 \(off\) or at least 0.1"):
        AnswerSettings(choose_by="generate", contrast_decoding=0.05)
    with pytest.raises(ValueError, match="no embedder"):
        RagSettings(alpha=1.0)
    with pytest.raises(ValueError, match="pool 5 is smaller"):
        RagSettings(pool=5, k=10)
