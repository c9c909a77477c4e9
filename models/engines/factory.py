"""Open the engine that the settings name."""

from __future__ import annotations

from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.settings import EngineSettings


def open_engine(
    settings: EngineSettings, folder: Path | None, *, adapter: Path | None = None, seed: int = 0
) -> Engine:
    """The engine the settings name on a local model folder.

    A model that is loaded already with the same settings is shared, and unloaded when its last
    user closes. `adapter` is a peft folder applied beside the weights (transformers, vllm).
    `folder` may be None for `openai` and `dummy`. Raises UserError where an extra is missing or an
    engine cannot do this.
    """
    if settings.engine == "dummy":
        from kofinlaw.models.engines.dummy_engine import DummyEngine

        return DummyEngine(seed=seed)
    if adapter is not None and settings.engine not in ("transformers", "vllm"):
        raise UserError(
            f"engine {settings.engine} does not apply adapters",
            remedy="merge the adapter first, or use engine transformers",
        )
    if settings.engine == "openai":
        from kofinlaw.models.engines.openai_engine import OpenAIEngine

        return OpenAIEngine(settings, folder)
    if folder is None:
        raise UserError(f"engine {settings.engine} needs a local model folder")
    from kofinlaw.models.engines.shared_models import lease

    key = (settings, folder.resolve(), adapter and adapter.resolve(), seed)
    return lease(key, lambda: _loaded(settings, folder, adapter, seed))


def _loaded(settings: EngineSettings, folder: Path, adapter: Path | None, seed: int) -> Engine:
    if settings.engine == "llamacpp":
        from kofinlaw.models.engines.llamacpp_engine import LlamaCppEngine

        return LlamaCppEngine(settings, folder)
    if settings.engine == "vllm":
        from kofinlaw.models.engines.vllm_engine import VllmEngine

        return VllmEngine(settings, folder, adapter=adapter, seed=seed)
    from kofinlaw.models.engines.transformers_engine import TransformersEngine

    return TransformersEngine(settings, folder, adapter=adapter)
