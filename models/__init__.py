"""Find a model, check that it may be used and fits in memory, load it, and run it.

In: a model's id or folder, settings and the name of a policy. Out: a catalogue card, verdicts, a
memory plan, a loaded model, or an engine that generates texts and scores choices.

    from kofinlaw.models import EngineSettings, ModelSettings, Request, model_folder, open_engine

    folder = model_folder(ModelSettings(id="google/gemma-3-270m"))
    with open_engine(EngineSettings(), folder) as engine:
        [generation] = engine.generate([Request("전자금융거래란", max_tokens=32)])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw.lazy import lazy_exports

if TYPE_CHECKING:
    from kofinlaw.models.catalogue import (
        License,
        ModelCard,
        all_models,
        find_model,
        licenses,
        lookup_model,
    )
    from kofinlaw.models.embedders import Embedder, open_embedder
    from kofinlaw.models.engines.base import ChoiceScore, Engine, Generation, Request
    from kofinlaw.models.engines.factory import open_engine
    from kofinlaw.models.loading import load_model
    from kofinlaw.models.memory.memory_plan import (
        MemoryPlan,
        plan_serving_memory,
        plan_training_memory,
    )
    from kofinlaw.models.policy.document_checks import check_documents, check_sources
    from kofinlaw.models.policy.model_checks import check_models
    from kofinlaw.models.policy.rules import (
        Policy,
        Verdict,
        policy_named,
        require_allowed,
        verdict_sentence,
    )
    from kofinlaw.models.quickstart import quickstart_model
    from kofinlaw.models.resolve import model_folder
    from kofinlaw.models.settings import EngineSettings, ModelSettings
    from kofinlaw.models.templates import ChatTemplate, template_for
    from kofinlaw.models.tokenizer import Tokenizer, load_tokenizer

__all__ = [
    "ChatTemplate",
    "ChoiceScore",
    "Embedder",
    "Engine",
    "EngineSettings",
    "Generation",
    "License",
    "MemoryPlan",
    "ModelCard",
    "ModelSettings",
    "Policy",
    "Request",
    "Tokenizer",
    "Verdict",
    "all_models",
    "check_documents",
    "check_models",
    "check_sources",
    "find_model",
    "licenses",
    "load_model",
    "load_tokenizer",
    "lookup_model",
    "model_folder",
    "open_embedder",
    "open_engine",
    "plan_serving_memory",
    "plan_training_memory",
    "policy_named",
    "quickstart_model",
    "require_allowed",
    "template_for",
    "verdict_sentence",
]
_EXPORTS = {
    "ChatTemplate": "kofinlaw.models.templates",
    "ChoiceScore": "kofinlaw.models.engines.base",
    "Embedder": "kofinlaw.models.embedders",
    "Engine": "kofinlaw.models.engines.base",
    "EngineSettings": "kofinlaw.models.settings",
    "Generation": "kofinlaw.models.engines.base",
    "License": "kofinlaw.models.catalogue",
    "MemoryPlan": "kofinlaw.models.memory.memory_plan",
    "ModelCard": "kofinlaw.models.catalogue",
    "ModelSettings": "kofinlaw.models.settings",
    "Policy": "kofinlaw.models.policy.rules",
    "Request": "kofinlaw.models.engines.base",
    "Tokenizer": "kofinlaw.models.tokenizer",
    "Verdict": "kofinlaw.models.policy.rules",
    "all_models": "kofinlaw.models.catalogue",
    "check_documents": "kofinlaw.models.policy.document_checks",
    "check_models": "kofinlaw.models.policy.model_checks",
    "check_sources": "kofinlaw.models.policy.document_checks",
    "find_model": "kofinlaw.models.catalogue",
    "licenses": "kofinlaw.models.catalogue",
    "load_model": "kofinlaw.models.loading",
    "load_tokenizer": "kofinlaw.models.tokenizer",
    "lookup_model": "kofinlaw.models.catalogue",
    "model_folder": "kofinlaw.models.resolve",
    "open_embedder": "kofinlaw.models.embedders",
    "open_engine": "kofinlaw.models.engines.factory",
    "plan_serving_memory": "kofinlaw.models.memory.memory_plan",
    "plan_training_memory": "kofinlaw.models.memory.memory_plan",
    "policy_named": "kofinlaw.models.policy.rules",
    "quickstart_model": "kofinlaw.models.quickstart",
    "require_allowed": "kofinlaw.models.policy.rules",
    "template_for": "kofinlaw.models.templates",
    "verdict_sentence": "kofinlaw.models.policy.rules",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
