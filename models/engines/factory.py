"""Open the engine that the settings name.

How to add an engine:

1. Write `models/engines/<name>_engine.py` with a class that has the attributes and methods of
   `kofinlaw.models.engines.base.Engine`. Heavy libraries may be imported at the top of that file.
2. Add the name to `EngineName` in `models/settings.py`, and its settings to `EngineSettings`.
3. Import the class in `_load_engine` below, inside the function, so that other engines do not need
   its libraries. An engine that holds no model in this process is returned by `open_engine`
   itself, as `openai` is.
4. Run the new engine in `tests/models/engines/test_engine_contract.py`, which checks the interface.
"""

from __future__ import annotations

from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.engines.base import Engine
from kofinlaw.models.engines.shared_models import lease_engine
from kofinlaw.models.settings import EngineSettings

__all__ = ["open_engine"]


def open_engine(
    settings: EngineSettings, folder: Path | None, *, adapter: Path | None = None, seed: int = 0
) -> Engine:
    """Open the engine that `settings.engine` names, on a local model folder.

    A model that is already loaded with the same arguments is shared; it is unloaded when its last
    user closes it. Use the engine as a context manager, or call `close`.

    Args:
        settings: which engine, and how it runs.
        folder: the model's folder. It may be None for `dummy` and `openai`.
        adapter: a peft folder that is applied without merging (transformers and vllm only).
        seed: seed of the engine (dummy and vllm). Each `Request` has its own seed.

    Raises: UserError if a library is missing, if the model cannot be loaded, or if the engine does
    not support an argument.
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
    key = (settings, folder.resolve(), adapter and adapter.resolve(), seed)
    return lease_engine(key, lambda: _load_engine(settings, folder, adapter, seed))


def _load_engine(settings: EngineSettings, folder: Path, adapter: Path | None, seed: int) -> Engine:
    if settings.engine == "llamacpp":
        from kofinlaw.models.engines.llamacpp_engine import LlamaCppEngine

        return LlamaCppEngine(settings, folder)
    if settings.engine == "vllm":
        from kofinlaw.models.engines.vllm_engine import VllmEngine

        return VllmEngine(settings, folder, adapter=adapter, seed=seed)
    from kofinlaw.models.engines.transformers_engine import TransformersEngine

    return TransformersEngine(settings, folder, adapter=adapter)
