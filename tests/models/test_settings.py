"""Settings of models and engines."""

from __future__ import annotations

import pytest

from kofinlaw.models.settings import EngineSettings


@pytest.mark.parametrize(
    "values,words",
    [
        ({"engine": "openai"}, "needs `servers`"),
        ({"servers": ["http://127.0.0.1:1/v1"]}, "belongs to engine openai"),
        ({"gguf": "x.gguf"}, "belongs to engine llamacpp"),
        ({"engine": "llamacpp", "quantization": "nf4"}, "is for engine"),
        ({"threads": 0}, "greater than or equal to 1"),
        ({"max_batch_token": 1}, "Extra inputs"),
    ],
)
def test_engine_settings_that_do_not_fit_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        EngineSettings.model_validate(values)
