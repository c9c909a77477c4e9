"""Check a recipe against its policy, and record its models and sources."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.data.source_files import linked_files
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.policy.document_checks import check_sources
from kofinlaw.models.policy.model_checks import check_models
from kofinlaw.models.policy.rules import Verdict, require_allowed
from kofinlaw.models.settings import ModelSettings
from kofinlaw.recipes.pipeline.run import Run, source_paths
from kofinlaw.recipes.pipeline.schema import Recipe

__all__ = ["check_policy", "compliance_record", "model_name", "verdicts_for"]


def verdicts_for(recipe: Recipe, policy_name: str, embedders: Sequence[str] = ()) -> list[Verdict]:
    """Return the policy's verdicts on the models, the licences of the sources and the way
    of answering. `embedders`: further ones, such as the base that `fit-retriever` trains.
    """
    from kofinlaw.rag.contest.contest_rules import check_answering

    teacher = recipe.augment.teacher
    verdicts = check_models(
        policy_name,
        student=model_name(recipe.model),
        teachers=_teacher_names(teacher),
        embedders=list(
            dict.fromkeys(
                name for name in (recipe.rag.embedder, recipe.score.embedder, *embedders) if name
            )
        ),
        rerankers=[name for name in (recipe.rag.reranker,) if name not in ("none", "llm")],
        derived_name=recipe.merge.name or "",
        offline=recipe.offline,
    )
    sources = [(source.path, source.license) for source in recipe.sources if source.license]
    return [
        *verdicts,
        *check_sources(policy_name, sources),
        *check_answering(policy_name, recipe.answer),
    ]


def model_name(model: ModelSettings) -> str:
    """Return the name to look up in the catalogue: the id if it is known,
    else the model's folder.
    """
    return model.id if lookup_model(model.id) or model.path is None else str(model.path)


def _teacher_names(teacher: TeacherSettings | None) -> list[str]:
    """Return the teacher and its checker, whose verdicts also decide what the student learns."""
    if teacher is None:
        return []
    models = [teacher.model, *([teacher.checker.model] if teacher.checker is not None else [])]
    return list(dict.fromkeys(model_name(model) for model in models))


def check_policy(recipe: Recipe, embedders: Sequence[str] = ()) -> None:
    """Raise UserError if the policy refuses; it names the rule, the clause and what is allowed.

    `embedders`: further ones, such as the base that `fit-retriever` trains.
    """
    require_allowed(verdicts_for(recipe, recipe.policy, embedders))


def compliance_record(run: Run) -> dict[str, object]:
    """Return the record that the contest asks for: URL, date,
    licence and hash of models and sources.
    """
    from kofinlaw.models.policy.record import policy_record
    from kofinlaw.recipes.pipeline.integrity.fingerprints import inputs_sha256

    recipe = run.recipe
    teacher = recipe.augment.teacher
    student = model_name(recipe.model)
    models = {student: "student"}
    folders = {student: recipe.model.path} if recipe.model.path else {}
    for name in _teacher_names(teacher):
        models.setdefault(name, "teacher")
    for embedder in (recipe.rag.embedder, recipe.score.embedder):
        if embedder:
            models.setdefault(embedder, "embedder")
    if recipe.rag.reranker not in ("none", "llm"):
        models.setdefault(recipe.rag.reranker, "reranker")
    base = run.recipe_file.path.parent
    sources = [
        {
            "path": source.path,
            "license": source.license,
            "sha256": inputs_sha256([path, *linked_files(source, base)]),
        }
        for source, path in zip(recipe.sources, source_paths(run), strict=True)
    ]
    return policy_record(
        recipe.policy,
        models=models,
        sources=sources,
        verdicts=verdicts_for(recipe, recipe.policy),
        folders=folders,
        cache=run.cache,
    )
