"""Define the JSON of a measured evaluation set, `bench.json`, and write it as a Markdown page."""

from __future__ import annotations

from typing import TypedDict

from kofinlaw.scoring.benches.free_pairs import FreePair
from kofinlaw.scoring.benches.gold_groups import DEPTHS, GroupDifference, GroupFigures
from kofinlaw.scoring.exams.exam_record import ExamsRecord
from kofinlaw.scoring.exams.exam_table import exams_markdown
from kofinlaw.scoring.markdown import percent, scores_markdown
from kofinlaw.scoring.scores_record import ScoresRecord
from kofinlaw.scoring.value_text import p_text
from kofinlaw.texts import markdown_text

__all__ = ["BENCH_SCHEMA", "BenchFileRecord", "BenchRecord", "RetrievalPart", "bench_markdown"]

BENCH_SCHEMA = "kofinlaw.bench/1"


class BenchFileRecord(TypedDict):
    """A file that was read."""

    path: str
    sha256: str
    form: str
    questions: int


class RetrievalPart(TypedDict):
    """Search in the set's own corpus: figures by way of searching, and their paired difference."""

    passages: int
    absent: int
    systems: dict[str, GroupFigures]
    differences: list[GroupDifference]


class BenchRecord(TypedDict):
    """The content of `bench.json`: what was measured, and one of `exams` and `scores`.

    `exams` are the figures of multiple choice, `scores` those of free text,
    with paired tests in `free_pairs`. `sample` is the number
    of questions that were drawn (0: all). `notes` are sentences that a reader of the figures needs.
    """

    schema: str
    set: str
    title: str
    reader: int
    license: str
    schema_from: str
    kind: str
    questions: int
    sample: int
    files: list[BenchFileRecord]
    corpus: BenchFileRecord | None
    near_copies: int
    notes: list[str]
    exams: ExamsRecord | None
    scores: ScoresRecord | None
    free_pairs: list[FreePair]
    retrieval: RetrievalPart | None


def bench_markdown(record: BenchRecord) -> str:
    """Return the page of a measured set: source and licence, figures, tests, retrieval."""
    lines = [f"# {markdown_text(record['title'])}", ""]
    lines.append(f"- licence: {markdown_text(record['license'])}")
    lines.append(
        f"- reader {record['set']}/{record['reader']}, columns from "
        f"{markdown_text(record['schema_from'])}"
    )
    shown = [*record["files"], *([record["corpus"]] if record["corpus"] else [])]
    for file in shown:
        name = file["path"].replace("\\", "/").rpartition("/")[2]
        lines.append(
            f"- {markdown_text(name)}: {file['form']}, {file['questions']} rows, "
            f"SHA-256 {file['sha256']}"
        )
    if record["sample"]:
        lines.append(f"- a fixed sample of {record['sample']} questions")
    lines += [f"- {markdown_text(note)}" for note in record["notes"]]
    if record["exams"] is not None:
        lines += ["", exams_markdown(record["exams"]).rstrip()]
    if record["scores"] is not None:
        lines += [
            "",
            scores_markdown(record["scores"]).replace("# Scores", "## Free text").rstrip(),
        ]
    if record["free_pairs"]:
        lines += ["", *_pair_lines(record["free_pairs"])]
    if record["retrieval"] is not None:
        lines += ["", *_retrieval_lines(record["retrieval"])]
    return "\n".join(lines) + "\n"


def _pair_lines(pairs: list[FreePair]) -> list[str]:
    lines = [
        "| pair | score | questions | difference, points | p |",
        "| --- | --- | ---: | --- | ---: |",
    ]
    for one in pairs:
        low, high = 100 * one["low"], 100 * one["high"]
        names = f"{markdown_text(one['a'])} → {markdown_text(one['b'])}"
        change = f"{100 * one['difference']:+.1f} [{low:+.1f}, {high:+.1f}]"
        cells = [names, one["score"], str(one["n"]), change, p_text(one["p_value"])]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _retrieval_lines(part: RetrievalPart) -> list[str]:
    depths = "/".join(map(str, DEPTHS))
    lines = [
        f"## Search in the set's own corpus ({part['passages']} passages)",
        "",
        f"| search | questions | hit@{depths} | all gold@{depths} | recall@5 % | recall@10 % "
        "| MRR@10 | nDCG@10 |",
        "| --- | ---: | --- | --- | --- | --- | ---: | ---: |",
    ]
    for name, one in part["systems"].items():
        hits, every = (
            "/".join(f"{100 * one[kind][str(k)]['value']:.1f}" for k in DEPTHS)
            for kind in ("hit", "every")
        )
        lines.append(
            f"| {markdown_text(name)} | {one['n']} | {hits} | {every} "
            f"| {percent(one['recall']['5'])} | {percent(one['recall']['10'])} "
            f"| {one['mrr']:.3f} | {one['ndcg']:.3f} |"
        )
    for pair in part["differences"]:
        low, high = 100 * pair["low"], 100 * pair["high"]
        lines += [
            "",
            f"- {markdown_text(pair['a'])} → {markdown_text(pair['b'])}, recall@5: "
            f"{100 * pair['difference']:+.1f} points [{low:+.1f}, {high:+.1f}], "
            f"p {p_text(pair['p_value'])}",
        ]
    if part["absent"]:
        lines += ["", f"- {part['absent']} gold passages are not in the corpus: never found"]
    return lines
