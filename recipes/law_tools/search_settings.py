"""Derive the settings of a search for passages alone, without a language model."""

from __future__ import annotations

from kofinlaw.rag.settings import WRITTEN_FORMS, RagSettings
from kofinlaw.recipes.law_tools.arguments import MOST_FOUND

__all__ = ["without_model"]


def without_model(settings: RagSettings) -> tuple[RagSettings, tuple[str, ...]]:
    """Return the settings of a search for passages alone, and what of the recipe's they leave out.

    No language model is loaded: forms that a model writes and the reranker `llm` are left out. No
    passage is added behind the hits.
    """
    forms = tuple(form for form in settings.query_forms if form not in WRITTEN_FORMS)
    left_out = [f"query form {form}" for form in settings.query_forms if form in WRITTEN_FORMS]
    reranker = settings.reranker
    if reranker == "llm":
        left_out.append("reranker llm")
        reranker = "none"
    most = min(MOST_FOUND, settings.pool)
    if reranker != "none":
        most = min(most, settings.rerank_pool)
    values = settings.model_dump() | {
        "preset": "none",
        "query_forms": forms or ("stem",),
        "reranker": reranker,
        "k": most,
        "neighbours": 0,
        "cross_references": 0,
        "option_passages": 0,
    }
    return RagSettings.model_validate(values), tuple(left_out)
