"""A recipe as stages: what each reads, what it depends on, and the room that does the work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.files import read_jsonl, write_json, write_jsonl
from kofinlaw.data.records import Key, Question
from kofinlaw.recipes.document import Document
from kofinlaw.recipes.runner import Stage
from kofinlaw.recipes.schema import Recipe, System, resolve_path

SYSTEM_STAGES: dict[System, str] = {
    "base": "answer-base",
    "base-rag": "answer-base-rag",
    "trained": "answer-trained",
    "trained-rag": "answer-trained-rag",
}


@dataclass(frozen=True)
class Run:
    """A recipe bound to its folder; `started` is when the process began (monotonic seconds)."""

    recipe: Recipe
    document: Document
    folder: Path
    started: float
    cache: Path

    def path(self, value: str) -> Path:
        """A path of the recipe, made absolute."""
        return resolve_path(value, self.document)

    @property
    def questions_path(self) -> Path:
        """The evaluation questions, whichever files they came from."""
        return self.folder / "questions" / "questions.jsonl"

    @property
    def key_path(self) -> Path:
        """Their key; only scoring reads it."""
        return self.folder / "questions" / "key.jsonl"


def bind(recipe: Recipe, document: Document, runs: Path, cache: Path | None = None) -> Run:
    """A run of this recipe under `runs/<name>`."""
    return Run(
        recipe,
        document,
        (runs / recipe.name).resolve(),
        time.monotonic(),
        cache or default_cache(),
    )


def default_cache() -> Path:
    """Where converted models and embeddings are kept: $KOFINLAW_CACHE or ~/.cache/kofinlaw."""
    import os

    return Path(os.environ.get("KOFINLAW_CACHE", "~/.cache/kofinlaw")).expanduser()


def source_paths(run: Run) -> tuple[Path, ...]:
    """The recipe's document folders and files."""
    return tuple(run.path(source.path) for source in run.recipe.data.sources)


def protected_paths(run: Run) -> tuple[Path, ...]:
    """Question files that no example may come near."""
    evaluate = run.recipe.evaluate
    return tuple(run.path(name) for name in (evaluate.questions, evaluate.submission) if name)


def protected_texts(run: Run) -> list[str]:
    """Stems and options of the recipe's own evaluation questions."""
    from kofinlaw.rag.questions import read_questions

    texts = []
    for path in protected_paths(run):
        for question in read_questions(path).questions:
            texts.append(" ".join((question.question, *question.options)))
    return texts


def build_stages(run: Run) -> list[Stage]:
    """Every stage of the recipe, in order."""
    recipe = run.recipe
    dump = recipe.model_dump(mode="json")
    model = {"model": dump["model"], "seed": recipe.seed}
    stages = [
        Stage(
            "data",
            lambda out, progress: _data(run, out, progress),
            {"data": dump["data"], "model": dump["model"]},
            (*source_paths(run), *protected_paths(run)),
            ("data",),
        ),
        Stage(
            "augment",
            lambda out, progress: _augment(run, out, progress),
            {"augment": dump["augment"], **model},
            protected_paths(run),
            ("data", "augment"),
            ("data",),
        ),
        Stage(
            "questions",
            lambda out, progress: _questions(run, out),
            {"evaluate": dump["evaluate"]},
            _existing(run, recipe.evaluate.questions, recipe.evaluate.key),
            ("data",),
            ("augment",),
        ),
        Stage(
            "train",
            lambda out, progress: train_stage(run, out, progress),
            {"train": dump["train"], **model},
            (),
            ("data", "models", "trainer"),
            ("augment",),
        ),
        Stage(
            "merge",
            lambda out, progress: _merge(run, out, progress),
            {"merge": dump["merge"], **model},
            (),
            ("models", "trainer"),
            ("train",),
        ),
        Stage(
            "verify",
            lambda out, progress: _verify(run, out, progress),
            {"verify": dump["verify"], **model},
            (),
            ("models", "trainer", "scoring"),
            ("questions", "train", "merge"),
        ),
        Stage(
            "index",
            lambda out, progress: _index(run, out, progress),
            {"rag": dump["rag"]},
            (),
            ("data", "models", "rag"),
            ("data",),
        ),
    ]
    if recipe.export.formats:
        stages.append(
            Stage(
                "export",
                lambda out, progress: _export(run, out, progress),
                {"export": dump["export"], **model},
                (),
                ("models", "trainer"),
                ("merge",),
            )
        )
    settings = {"answer": dump["answer"], "rag": dump["rag"], **model}
    answered = []
    for system in recipe.evaluate.systems:
        stages.append(_answer_stage(run, system, settings, "questions"))
        answered.append(SYSTEM_STAGES[system])
    if recipe.evaluate.submission:
        stages.append(_submission_stage(run, settings))
    stages.append(
        Stage(
            "score",
            lambda out, progress: _score(run, out, progress),
            {"score": dump["score"], "evaluate": dump["evaluate"], "seed": recipe.seed},
            (),
            ("data", "rag", "scoring"),
            ("data", "questions", *answered),
        )
    )
    everything = tuple(stage.name for stage in stages)
    stages.append(
        Stage(
            "report",
            lambda out, progress: _report(run, out),
            {"recipe": dump},
            (),
            ("scoring",),
            everything,
        )
    )
    return stages


def _existing(run: Run, *names: str | None) -> tuple[Path, ...]:
    return tuple(run.path(name) for name in names if name)


def _answer_stage(run: Run, system: System, settings: dict[str, Any], after: str) -> Stage:
    needs = [after]
    if system.endswith("rag"):
        needs.append("index")
    if system.startswith("trained"):
        needs += ["merge", "verify"]
    return Stage(
        SYSTEM_STAGES[system],
        lambda out, progress: _answer(run, system, run.questions_path, out, progress),
        settings,
        (),
        ("data", "models", "rag"),
        tuple(needs),
    )


def _submission_stage(run: Run, settings: dict[str, Any]) -> Stage:
    path = run.path(run.recipe.evaluate.submission or "")
    return Stage(
        "submission",
        lambda out, progress: _answer(run, "trained-rag", path, out, progress),
        settings,
        (path,),
        ("data", "models", "rag"),
        ("index", "merge", "verify"),
    )


def model_folder(run: Run, progress: Progress = silent) -> Path:
    """The base model's folder on this machine (converted once where a package carries it)."""
    from kofinlaw.models.resolve import model_folder as resolve

    return resolve(run.recipe.model, offline=run.recipe.offline, cache=run.cache, progress=progress)


def token_counter(run: Run, progress: Progress = silent) -> Callable[[str], int]:
    """The base model's own token count."""
    from kofinlaw.models.loading import load_tokenizer

    return load_tokenizer(model_folder(run, progress)).count


def _data(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    from kofinlaw.data.corpus import build_corpus

    count = token_counter(run, progress)
    counts = build_corpus(
        run.recipe.data,
        out,
        base=run.document.path.parent,
        count_tokens=count,
        protected_texts=protected_texts(run),
        seed=run.recipe.seed,
        progress=progress,
    )
    check_documents(run, out)
    return counts


def check_documents(run: Run, corpus: Path) -> None:
    """The policy's word on the corpus's dates and licences; raises UserError when it refuses."""
    from kofinlaw.data.records import Chunk
    from kofinlaw.models import policy

    seen: dict[tuple[str, str, str], None] = {}
    for chunk in read_jsonl(corpus / "chunks.jsonl", Chunk):
        seen[(chunk.title, chunk.as_of, chunk.license)] = None
    verdicts = policy.check_documents(run.recipe.policy, list(seen))
    policy.require(verdicts)


def _augment(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    from kofinlaw.augment.stage import augment

    return augment(
        run.recipe.augment,
        run.folder / "data",
        out,
        seed=run.recipe.seed,
        count_tokens=token_counter(run, progress),
        protected_texts=protected_texts(run),
        progress=progress,
    )


def _questions(run: Run, out: Path) -> dict[str, Any]:
    from kofinlaw.rag.questions import read_questions

    evaluate = run.recipe.evaluate
    questions: list[Question] = []
    keys: list[Key] = []
    if evaluate.questions:
        questions += read_questions(run.path(evaluate.questions)).questions
    if evaluate.key:
        keys += read_jsonl(run.path(evaluate.key), Key)
    if evaluate.heldout:
        folder = run.folder / "augment"
        questions += read_jsonl(folder / "heldout_questions.jsonl", Question)
        keys += read_jsonl(folder / "heldout_key.jsonl", Key)
    if not questions:
        raise UserError(
            "there is no question to prove the model on",
            where="evaluate",
            remedy="name `evaluate.questions`, or hold documents out with `evaluate.heldout: true`",
        )
    write_jsonl(out / "questions.jsonl", questions)
    write_jsonl(out / "key.jsonl", keys)
    return {"questions": len(questions), "keys": len(keys)}


def train_stage(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    """Train the adapter of this run into `out` (also what recipes/train.py calls)."""
    from kofinlaw.models.templates import template_for
    from kofinlaw.trainer.sft import train

    folder = model_folder(run, progress)
    return train(
        run.recipe.train,
        folder,
        run.folder / "augment" / "examples.jsonl",
        out,
        template=template_for(folder),
        seed=run.recipe.seed,
        resume="if-possible",
        model_id=run.recipe.model.id,
        progress=progress,
    )


def _merge(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    from kofinlaw.trainer.merge import merge

    settings = run.recipe.merge
    adapter, base = run.folder / "train" / "adapter", model_folder(run)
    if settings.base == "best":
        from kofinlaw.models.templates import template_for
        from kofinlaw.scoring.verify_best import merge_best

        # Chosen on the fixed dialogues alone: choosing on scored questions would flatter the score.
        return merge_best(
            adapter,
            base,
            out / "model",
            dtype=settings.dtype,
            name=settings.name,
            template=template_for(base),
            progress=progress,
        )
    return merge(
        adapter,
        base,
        out / "model",
        base=settings.base,
        dtype=settings.dtype,
        name=settings.name,
        progress=progress,
    )


def _verify(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    from kofinlaw.models.templates import template_for
    from kofinlaw.scoring.verify import verify_stage

    folder = model_folder(run)
    counts = verify_stage(
        run.recipe.verify,
        merged=run.folder / "merge" / "model",
        adapter=run.folder / "train" / "adapter",
        base=folder,
        questions=run.questions_path,
        template=template_for(folder),
        out=out,
        progress=progress,
    )
    if counts["verdict"] != "pass":
        raise UserError(
            f"the merged model is not the model that was trained: {counts.get('failed', '')}",
            where=str(out / "verify.md"),
            remedy="read that page; merge.base: best measures both bases and keeps the better",
        )
    return counts


def _index(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    from kofinlaw.rag.index import build_index

    return build_index(
        run.folder / "data" / "chunks.jsonl",
        out,
        run.recipe.rag,
        cache=run.cache,
        progress=progress,
    )


def _export(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    from kofinlaw.trainer.export import export_stage

    settings = run.recipe.export
    if run.recipe.offline and not gguf_converter_ready(run):
        wanted = tuple(name for name in settings.formats if not name.startswith("gguf"))
        skipped = sorted(set(settings.formats) - set(wanted))
        if skipped:
            # Asked for where it is possible: its converter is installed once, with a connection.
            progress(f"skipped {', '.join(skipped)}: run `make gguf` once with a connection", 0)
        settings = settings.model_copy(update={"formats": wanted})
    counts = export_stage(
        settings, run.folder / "merge" / "model", out, cache=run.cache, progress=progress
    )
    return {**counts, "skipped": sorted(set(run.recipe.export.formats) - set(settings.formats))}


def gguf_converter_ready(run: Run) -> bool:
    """Whether the GGUF converter's own environment is on this machine."""
    home = Path(run.recipe.export.environments or run.cache / "environments")
    return (home / "gguf" / "bin" / "python").exists()


def system_folder(run: Run, system: System) -> Path:
    """The weights a system answers with."""
    return run.folder / "merge" / "model" if system.startswith("trained") else model_folder(run)


def _answer(
    run: Run, system: System, questions: Path, out: Path, progress: Progress
) -> dict[str, Any]:
    from kofinlaw.models.engines import open_engine
    from kofinlaw.models.templates import template_for
    from kofinlaw.rag.answer import answer_questions
    from kofinlaw.rag.index import Index
    from kofinlaw.rag.retrieve import Retriever

    recipe = run.recipe
    folder = system_folder(run, system)
    retriever = None
    if system.endswith("rag"):
        index = Index.load(run.folder / "index")
        retriever = Retriever(index, recipe.rag, cache=run.cache)
    return answer_questions(
        questions,
        out,
        open_engine=lambda: open_engine(recipe.answer.engine, folder, seed=recipe.seed),
        template=template_for(folder),
        retriever=retriever,
        settings=recipe.answer,
        seed=recipe.seed,
        started=time.monotonic(),
        progress=progress,
    )


def _score(run: Run, out: Path, progress: Progress) -> dict[str, Any]:
    from kofinlaw.scoring.score import score_systems

    return score_systems(
        run.questions_path,
        run.key_path,
        {name: run.folder / SYSTEM_STAGES[name] for name in run.recipe.evaluate.systems},
        run.folder / "data" / "chunks.jsonl",
        out,
        settings=run.recipe.score,
        seed=run.recipe.seed,
        cache=run.cache,
        progress=progress,
    )


def _report(run: Run, out: Path) -> dict[str, Any]:
    from kofinlaw.scoring.report import write_report

    write_json(out / "recipe.json", run.recipe.model_dump(mode="json"))
    return write_report(run.folder, out, recipe=run.recipe.model_dump(mode="json"))
