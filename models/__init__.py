"""Which model, may we use it, does it fit, load it, run it.

In: a model's name or folder and the policy. Out: verdicts, a memory plan, a loaded model or
an engine that generates and scores.
"""

from kofinlaw.models.settings import EngineSettings, ModelSettings

__all__ = ["EngineSettings", "ModelSettings"]
