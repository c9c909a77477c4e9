"""Run lm-evaluation-harness on a merged checkpoint and write its results as scores (`lm-eval`).

Every task becomes a system of that name: its accuracy with the harness's standard error, and one
item per document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import sha256_file, write_json, write_jsonl, write_text
from kofinlaw.records import to_json
from kofinlaw.scoring.markdown import scores_markdown
from kofinlaw.scoring.provenance import environment
from kofinlaw.scoring.result import Figure, Item, Scores, settings_record, system_record
from kofinlaw.scoring.scores_record import SCHEMA, ScoresRecord
from kofinlaw.scoring.settings import ScoreSettings

__all__ = ["METRICS", "NORMAL_95", "item_of", "run_lm_eval", "task_scores", "write_results"]

# The metrics in order of preference: a task is scored by the first one that it has.
METRICS = ("acc", "acc_norm", "exact_match", "f1")
NORMAL_95 = 1.959964


def run_lm_eval(
    model: Path,
    tasks: Sequence[str],
    out: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    offline: bool = True,
    batch_size: int = 8,
) -> dict[str, float]:
    """Run tasks of the harness on a checkpoint folder and return the accuracy (0..1) by task.

    Writes out/scores.json, items.jsonl, scores.md, and the harness's own figures as
    out/lm-eval.json. Raises UserError for a missing extra, a folder that is not a checkpoint, an
    unknown task, or a data set that cannot be read.

    Args:
        model: folder of the checkpoint.
        tasks: names of the harness's tasks.
        out: folder for the scores.
        limit: number of documents per task; None asks all of them.
        seed: of the harness.
        offline: whether the harness must not download its data sets.
        batch_size: documents per batch.
    """
    if not (model / "config.json").is_file():
        raise UserError(
            "this folder is not a checkpoint",
            where=str(model),
            remedy="name runs/<recipe>/merge/model",
        )
    from kofinlaw.offline import set_environment

    set_environment(offline=offline)
    try:
        import lm_eval
        from lm_eval.tasks import TaskManager
    except ImportError as error:
        raise UserError(
            "lm-evaluation-harness is not installed",
            where="--lm-eval",
            remedy='pip install "kofinlaw[lm-eval]"',
        ) from error
    manager = TaskManager()
    unknown = [name for name in tasks if name not in manager.all_tasks]
    if unknown:
        raise UserError(
            f"the harness has no task {', '.join(unknown)}",
            where="--lm-eval",
            remedy="`lm_eval --tasks list` prints them; Korean ones start with kobest or haerae",
        )
    try:
        results = lm_eval.simple_evaluate(
            model="hf",
            model_args={"pretrained": str(model), "trust_remote_code": False},
            tasks=list(tasks),
            task_manager=manager,
            limit=limit,
            batch_size=batch_size,
            log_samples=True,
            random_seed=seed,
            numpy_random_seed=seed,
            torch_random_seed=seed,
            fewshot_random_seed=seed,
        )
    except (ConnectionError, OSError) as error:
        raise_if_machine(error, "")
        raise UserError(
            f"a data set of {', '.join(tasks)} cannot be read: {error}",
            where="--lm-eval",
            remedy="download it once with `--online`; it stays on this machine",
        ) from error
    return write_results(results, model, out, seed=seed)


def write_results(
    results: Mapping[str, Any], model: Path, out: Path, *, seed: int = 0
) -> dict[str, float]:
    """Write a result of the harness as scores, and return the accuracy (0..1) by task.

    Raises UserError if no task has one of METRICS.
    """
    scored = {
        name: one for name in results.get("results", {}) if (one := task_scores(results, name))
    }
    if not scored:
        raise UserError(
            f"the harness reported none of {', '.join(METRICS)}",
            remedy="name tasks that have one of these metrics",
        )
    settings = ScoreSettings(embedder=None)
    versions = results.get("versions") or {}
    result: ScoresRecord = {
        "schema": SCHEMA,
        "tasks": {f"lm-eval:{name}": versions.get(name) for name in scored},
        "seed": seed,
        "settings": settings_record(settings),
        "embedder": None,
        "counts": {
            "questions": sum(one.choice.n for one in scored.values() if one.choice),
            "choice": sum(one.choice.n for one in scored.values() if one.choice),
            "free": 0,
            "without_key": 0,
        },
        "systems": {name: system_record(one) for name, one in scored.items()},
        "baselines": {},
        "solvers": {},
        "against": [],
        "pairs": [],
        "smallest": {},
        "judge": None,
        "environment": environment(),
        "sha256": {
            f"model:{path.name}": sha256_file(path)
            for path in [model / "config.json", *sorted(model.glob("*.safetensors"))]
            if path.is_file()
        },
    }
    out.mkdir(parents=True, exist_ok=True)
    write_jsonl(out / "items.jsonl", (to_json(i) for one in scored.values() for i in one.items))
    write_text(out / "scores.md", scores_markdown(result))
    write_json(
        out / "lm-eval.json", {k: results.get(k) for k in ("results", "versions", "configs")}
    )
    write_json(out / "scores.json", result)
    return {name: one.choice.value for name, one in scored.items() if one.choice}


def task_scores(results: Mapping[str, Any], task: str) -> Scores | None:
    """Return a task as a system; None if it has none of METRICS, as the heading of a group."""
    row = results["results"][task]
    metric = next((name for name in METRICS if f"{name},none" in row), None)
    if metric is None:
        return None
    value = float(row[f"{metric},none"])
    error = row.get(f"{metric}_stderr,none")
    spread = NORMAL_95 * float(error) if isinstance(error, (int, float)) else 0.0
    samples = (results.get("samples") or {}).get(task) or []
    counted = ((results.get("n-samples") or {}).get(task) or {}).get("effective")
    n = int(counted if counted is not None else len(samples))
    items = tuple(item_of(task, sample, metric) for sample in samples)
    return Scores(
        system=task,
        choice=Figure(value, max(0.0, value - spread), min(1.0, value + spread), n),
        free=None,
        cosine=None,
        keywords=None,
        blend=None,
        slices={},
        retrieval=None,
        text={},
        seconds={},
        tokens={},
        missing=(),
        duplicates=(),
        foreign=(),
        unreadable=(),
        fallbacks=0,
        items=items,
    )


def item_of(task: str, sample: Mapping[str, Any], metric: str) -> Item:
    """Return the item of one document: the model's answer, the target and the score."""
    given = sample.get("filtered_resps") or sample.get("resps") or ""
    text = str(given[0] if isinstance(given, list) and len(given) == 1 else given)
    score = sample.get(metric)
    return Item(
        system=task,
        id=f"{task}:{sample.get('doc_id')}",
        kind="choice",
        answer=text[:500],
        answer_length=len(text),
        gold=str(sample.get("target", "")),
        score=float(score) if isinstance(score, (int, float)) else None,
        cosine=None,
        keywords=None,
        slices=(),
        evidence=(),
        rank=None,
        seconds=None,
        tokens=0,
        confidence=None,
        origin="model",
    )
