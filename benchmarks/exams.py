"""Measure models and ways of choosing on the two development exams, next to trivial solvers.

    python benchmarks/exams.py --work DIR --rows odd --choose-by score,generate
    python benchmarks/exams.py --work DIR --adapter trained#1=ADAPTER --adapter trained#2=ADAPTER

Evidence of exam_dev: all statutes and regulations; of two texts with one title the newer one is
read. Evidence of exam_hard_dev: its acts. Nothing is trained here. A choice (a way of choosing, a
weight, a checkpoint) is made with `--rows odd` and reported with `--rows even`.

- Models whose names differ only after `#` are seeds of one model: they are averaged within each
  question, and the permutation test is over questions.
- All systems answer without a deadline, so under one plan, with the same retrieval.
- `DIR` keeps corpora, indexes, answers (a killed run continues) and `records-EXAM.jsonl`: for each
  question the shown texts and each system's option scores, so that ways of combining them can be
  compared without answering again. It must lie outside the repository.

The last line is JSON.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from development_data import DATA
from outcome import outcome

from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import read_json_lines, sha256_file, sha256_text, write_jsonl
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.identity import model_fingerprint
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.templates import template_for
from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.rag.answer.answer_file import answer_questions
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.questions.exam_files import ExamFile, Rows, exam_rows, read_exam
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.scoring.exams.exam_figures import best_solver
from kofinlaw.scoring.exams.rate_exam import RatedExam, average_seeds, rate_exam
from kofinlaw.scoring.stats.intervals import mean_figure
from kofinlaw.scoring.stats.paired import paired_difference, sign_flip_p

ROOT = Path(__file__).resolve().parents[1]
EXAMS = {"dev": "exam_dev", "hard": "exam_hard_dev"}
SOURCES = {
    "dev": ("statutes/acts", "statutes/admin_rules", "regulations"),
    "hard": ("exam_hard_dev/acts",),
}
# Least accuracy of the base by (exam, part), and least gain of the trained model in points.
BASE_AIMS = {("dev", "law"): 0.70, ("dev", "other"): 0.40, ("dev", "all"): 0.56}
BASE_AIMS |= {("hard", "all"): 0.43}
GAIN_AIMS = {("dev", "law"): 0.05, ("hard", "all"): 0.06}
OVER_SOLVER = 0.05
Part = tuple[str, str]  # exam, part


def is_law(slices: Sequence[str]) -> bool:
    """Return whether the columns `domain` and `sub_domain` say that a question is on law."""
    return any(name.startswith(("domain:", "sub_domain:")) and "법률" in name for name in slices)


def parts_of(exam: str, rated: RatedExam) -> dict[str, list[str]]:
    """Return the question ids of law, other and all; an exam without domains has only all."""
    ids = [question.id for question in rated.questions]
    if exam != "dev":
        return {"all": ids}
    law = [i for i in ids if is_law(rated.keys[i].slices)]
    return {"law": law, "other": [i for i in ids if i not in set(law)], "all": ids}


def only_part(exam: ExamFile, name: str, part: str) -> ExamFile:
    """Return the exam with its questions on law only, if `part` asks for them."""
    if part == "all" or name != "dev":
        return exam
    kept = [i for i, key in enumerate(exam.keys) if is_law(key.slices)]
    return replace(
        exam,
        questions=tuple(exam.questions[i] for i in kept),
        keys=tuple(exam.keys[i] for i in kept),
        rows=tuple(exam.rows[i] for i in kept),
    )


def index_of(exam: str, data: Path, work: Path, rag: RagSettings, folder: Path) -> Index:
    """Return the index of an exam's evidence, which is built once in `work`."""
    built = rag.model_dump(mode="json", include={"lexical", "embedder", "store"})
    mark = sha256_text(str([built, SOURCES[exam]]))[:8]
    corpus, index = work / f"{exam}-corpus", work / f"{exam}-index-{mark}"
    if not (corpus / "chunks.jsonl").is_file():
        sources = [{"path": str(data / name)} for name in SOURCES[exam]]
        counts = build_corpus(
            DataSettings.model_validate({"sources": sources, "chunks": {"max_tokens": 512}}),
            corpus,
            base=data,
            count_tokens=load_tokenizer(folder).count,
        )
        print({"corpus": exam, **counts.to_record()}, flush=True)
    if not (index / "index.json").is_file():
        build_index(corpus / "chunks.jsonl", index, rag, cache=work / "cache")
    return Index.load(index)


def answer(
    questions: Path,
    out: Path,
    model: Path,
    retriever: Retriever | None,
    settings: AnswerSettings,
    seed: int,
) -> None:
    """Answer the exam with one model in one way; finished answers of these weights are kept."""
    weights = model_fingerprint(model, settings.engine.gguf)
    done = out / "done"
    if done.is_file() and done.read_text(encoding="utf-8") != weights:
        raise SystemExit(f"{out} holds answers of other weights: delete it, or rename the model")
    if done.is_file():
        return
    answer_questions(
        questions,
        out,
        open_engine=lambda: open_engine(settings.engine, model, seed=seed),
        template=template_for(model),
        retriever=retriever,
        settings=settings,
        model=weights,
        context=RunContext(
            seed=seed,
            progress=lambda phase, done, total=None, **info: print(
                f"{out.name} {phase} {done}/{total}", flush=True
            ),
        ),
    )
    done.write_text(weights, encoding="utf-8")


def records(exam: ExamFile, rated: RatedExam, answers: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Return one record a question, with each system's lines of `plan.jsonl` (option scores, shown
    texts) and the credit of systems and solvers.
    """
    turns: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for name, folder in answers.items():
        for _, row in read_json_lines(folder / "plan.jsonl"):
            turns.setdefault((name, str(row["id"])), []).append(row)
    return [
        {
            "id": question.id,
            "row": row,
            "question": question.question,
            "options": question.options,
            "negative": is_negative(question.question),
            "answer": key.answer,
            "slices": key.slices,
            "systems": {
                name: {
                    "right": rated.systems[name][question.id],
                    "turns": turns.get((name, question.id), []),
                }
                for name in answers
            },
            "solvers": {name: credit[question.id] for name, credit in rated.solvers.items()},
        }
        for question, key, row in zip(exam.questions, exam.keys, exam.rows, strict=True)
    ]


def mean(values: Sequence[float]) -> float:
    """Return the mean of at least one value."""
    return sum(values) / len(values)


def table(exams: Mapping[str, RatedExam], parts: Mapping[Part, Sequence[str]]) -> str:
    """Return accuracy in percent with intervals, one row a system or solver."""
    shown = list(parts)
    lines = ["| | " + " | ".join(f"{e} {p}" for e, p in shown) + " |"]
    lines += ["| --- |" + " --- |" * len(shown)]
    lines.append("| questions | " + " | ".join(str(len(parts[one])) for one in shown) + " |")
    first = next(iter(exams.values()))
    for kind in ("systems", "solvers"):
        for name in getattr(first, kind):
            cells = []
            for exam, part in shown:
                credit = getattr(exams[exam], kind).get(name)
                figure = credit and mean_figure([credit[i] for i in parts[exam, part]])
                cells.append(
                    f"{100 * figure.value:.1f} [{100 * figure.low:.0f}, {100 * figure.high:.0f}]"
                    if figure
                    else "–"
                )
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def compared(pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return the difference of two systems on the same questions with interval and p-value."""
    before, after = [x for x, _ in pairs], [y for _, y in pairs]
    difference, low, high = paired_difference(
        before, after, samples=10_000, confidence=0.95, seed=0
    )
    return {
        "questions": len(pairs),
        "difference": round(difference, 4),
        "interval": [round(low, 4), round(high, 4)],
        "p": round(sign_flip_p([y - x for x, y in pairs]), 5),
    }


def summary(exams: Mapping[str, RatedExam]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures, and each target with its measured value."""
    parts: dict[Part, list[str]] = {
        (exam, part): ids
        for exam, rated in exams.items()
        for part, ids in parts_of(exam, rated).items()
        if ids
    }
    print(table(exams, parts), flush=True)
    names = list(next(iter(exams.values())).systems)
    figures: dict[str, Any] = {"accuracy": {}, "best solver": {}, "compared": {}}
    for exam, part in parts:
        rated, ids = exams[exam], parts[exam, part]
        rows = {**rated.systems, **rated.solvers}
        figures["accuracy"][f"{exam} {part}"] = {
            name: round(mean([credit[i] for i in ids]), 4) for name, credit in rows.items()
        }
        figures["best solver"][f"{exam} {part}"] = {n: best_solver(rated, n, ids) for n in names}
    # The questions on which the exams are compared together: law, and the hard exam.
    pooled = [part for part in (("dev", "law"), ("hard", "all")) if part in parts]

    def against(before: str | None, after: str) -> list[tuple[float, float]]:
        pairs = []
        for exam, part in pooled:
            rated, ids = exams[exam], parts[exam, part]
            solver = best_solver(rated, after, ids)
            other = rated.systems[before] if before else rated.solvers[solver]
            pairs += [(other[i], rated.systems[after][i]) for i in ids]
        return pairs

    for name in names:
        figures["compared"][f"best solver -> {name}"] = compared(against(None, name))
    for name in names[1:]:
        figures["compared"][f"{names[0]} -> {name}"] = compared(against(names[0], name))
    targets: dict[str, Any] = {}
    base = names[0]
    trained = next((n for n in names if n.startswith("trained")), None)
    for (exam, part), aim in BASE_AIMS.items():
        if (exam, part) in parts:
            value = mean([exams[exam].systems[base][i] for i in parts[exam, part]])
            targets[f"{base}, {exam} {part}"] = (round(value, 4), (">=", aim))
    for exam, part in GAIN_AIMS:
        if (exam, part) not in parts or trained is None:
            continue
        rated, ids = exams[exam], parts[exam, part]
        after = mean([rated.systems[trained][i] for i in ids])
        gain = after - mean([rated.systems[base][i] for i in ids])
        solver = rated.solvers[best_solver(rated, trained, ids)]
        over = after - mean([solver[i] for i in ids])
        where = f"{exam} {part}"
        targets[f"{trained} over {base}, {where}"] = (round(gain, 4), (">=", GAIN_AIMS[exam, part]))
        targets[f"{trained} over the best solver, {where}"] = (
            round(over, 4),
            (">=", OVER_SOLVER),
        )
    if trained is not None:
        p_value = figures["compared"][f"{base} -> {trained}"]["p"]
        targets[f"{trained} against {base}, p over both exams"] = (p_value, ("<", 0.05))
    return figures, targets


def models_of(given: argparse.Namespace) -> dict[str, Path]:
    """Return the models by name; adapters are merged into the small base model once."""
    base = given.base or quickstart_model()
    models = dict(pair.split("=", 1) for pair in given.model or ())
    found = {name: Path(path) for name, path in models.items()}
    for pair in given.adapter or ():
        from kofinlaw.trainer.merge.merge_model import merge_adapter

        name, path = pair.split("=", 1)
        mark = sha256_file(Path(path) / "adapter_model.safetensors")[:8]
        merged = given.work / "merged" / f"{name}-{mark}"
        if not (merged / "config.json").is_file():
            merge_adapter(Path(path), base, merged, base="original", dtype="bfloat16")
        found[name] = merged
    return found if models else {"base": base, **found}


def settings_of(given: argparse.Namespace) -> tuple[RagSettings, dict[str, Any]]:
    """Return the retrieval settings, and the keys of the answer settings."""
    values: dict[str, dict[str, Any]] = {
        "rag": {"lexical": "kiwi", "k": 5, "evidence_tokens": given.evidence_tokens},
        "answer": {"answer_form": "text", "engine": EngineSettings(dtype="bfloat16")},
    }
    for override in given.set or ():
        dotted, _, text = override.partition("=")
        section, _, key = dotted.partition(".")
        if section not in values or not key:
            raise SystemExit(f"--set {override}: write rag.KEY=VALUE or answer.KEY=VALUE")
        values[section][key] = yaml.safe_load(text)
    return RagSettings.model_validate(values["rag"]), values["answer"]


def measure(exam: str, given: argparse.Namespace, models: Mapping[str, Path]) -> RatedExam:
    """Answer one exam with every model in every way, write the records and rate the answers."""
    path = given.data / EXAMS[exam] / "questions.csv"
    rows: Rows = given.rows
    asked = exam_rows(only_part(read_exam(path), exam, given.part), rows, given.limit)
    rag, answer_keys = settings_of(given)
    mark = sha256_text(str([rag.model_dump(mode="json"), answer_keys, given.seed]))[:8]
    part = "" if given.part == "all" else f"-{given.part}"
    folder = given.work / f"{exam}{part}-{given.rows}-{given.limit or 'whole'}-{mark}"
    questions = folder / "questions.jsonl"
    write_jsonl(questions, asked.questions)
    index = index_of(exam, given.data, given.work, rag, next(iter(models.values())))
    answers: dict[str, Path] = {}
    for name, model in models.items():
        for way in given.choose_by.split(","):
            settings = AnswerSettings.model_validate({**answer_keys, "choose_by": way})
            retriever = Retriever(index, rag, cache=given.work / "cache")
            model_name, _, seed = name.partition("#")
            suffix = f"#{seed}" if seed else ""
            systems: dict[str, Retriever | None] = {f"{model_name} {way}{suffix}": retriever}
            if given.without_evidence:
                systems[f"{model_name} {way}, no evidence{suffix}"] = None
            for system, searching in systems.items():
                out = folder / system.replace(" ", "-").replace(",", "")
                answer(questions, out, model, searching, settings, given.seed)
                answers[system] = out
    rated = rate_exam(exam, asked.questions, asked.keys, answers)
    target = given.work / f"records-{exam}.jsonl"
    write_jsonl(target, records(asked, rated, answers))
    print(f"per-question records: {target}", flush=True)
    return average_seeds(rated)


def main() -> None:
    """Measure and print the tables; the last line is JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for indexes and answers")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the development data")
    parser.add_argument("--exam", default="dev,hard", help="dev, hard or both (default)")
    parser.add_argument("--model", action="append", metavar="NAME=PATH", help="first one: the base")
    parser.add_argument("--adapter", action="append", metavar="NAME=PATH", help="merged once")
    parser.add_argument("--base", type=Path, help="base of the adapters; default: the small model")
    parser.add_argument("--choose-by", default="score", help="values of answer.choose_by")
    parser.add_argument("--rows", choices=["odd", "even", "all"], default="all")
    parser.add_argument("--part", choices=["all", "law"], default="all", help="law questions only")
    parser.add_argument("--limit", type=int, help="at most so many questions of each exam")
    parser.add_argument("--evidence-tokens", type=int, default=320)
    parser.add_argument("--without-evidence", action="store_true", help="also without evidence")
    parser.add_argument("--set", action="append", metavar="KEY=VALUE", help="rag.… or answer.…")
    parser.add_argument("--seed", type=int, default=42)
    given = parser.parse_args()
    if given.work.resolve().is_relative_to(ROOT):
        parser.error(
            "--work must lie outside the repository: exam questions are not copied into it"
        )
    chosen = given.exam.split(",")
    absent = [str(given.data / EXAMS[e]) for e in chosen if not (given.data / EXAMS[e]).is_dir()]
    if absent:
        print(outcome({}, {}, not_run=[f"the exam in {name} is absent" for name in absent]))
        return
    given.work.mkdir(parents=True, exist_ok=True)
    models = models_of(given)
    figures, targets = summary({exam: measure(exam, given, models) for exam in chosen})
    figures["rows"], figures["choose_by"] = given.rows, given.choose_by
    print(outcome(figures, targets))


if __name__ == "__main__":
    main()
