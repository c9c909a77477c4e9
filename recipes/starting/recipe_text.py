"""Write the text of a first recipe: YAML with a comment on every line that has a value."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kofinlaw.models.machines import Machine
from kofinlaw.models.policy.rules import Policy, policy_named
from kofinlaw.recipes.pipeline.planning.count_record import DryCount
from kofinlaw.recipes.starting.model_choice import ModelChoice
from kofinlaw.recipes.starting.survey import (
    HOLDOUT_SHARE,
    MOST_FREE_QUESTIONS,
    MOST_TEST_QUESTIONS,
    FoundDocument,
    Survey,
)
from kofinlaw.texts import terminal_text

__all__ = [
    "MANY",
    "SHOWN",
    "Sizes",
    "Start",
    "describe_document",
    "document_lines",
    "recipe_text",
    "sizes_for",
]

Start = Literal["ask", "train", "train-untested"]
MANY = 3  # documents of one file that are listed by name
SHOWN = 30  # documents and files that are listed
COLUMN = 34  # of the comments
FEW_STEPS = 100  # below, the adapter is merged into float32: 16 bit would round much of it away


@dataclass(frozen=True)
class Sizes:
    """The sizes of a recipe: tokens of chunks, of evidence in a prompt and of an example."""

    chunk_tokens: int
    evidence_tokens: int
    example_tokens: int
    effective_batch: int
    most_items: int


def sizes_for(choice: ModelChoice, machine: Machine) -> Sizes:
    """Return the sizes that suit a model: small ones read short evidence."""
    if choice.small:
        return Sizes(512, 320, 1024, 4, 4000 if machine.gpu else 800)
    return Sizes(1024, 1350, 2048, 16, 6000)


def recipe_text(
    survey: Survey,
    choice: ModelChoice,
    machine: Machine,
    possible: DryCount | None,
    *,
    start: Start,
    policy: str,
    name: str,
    documents: str,
    embedder: str | None,
) -> str:
    """Return the recipe as YAML.

    Args:
        survey: The documents.
        choice: The model.
        machine: The memory that the recipe is written for.
        possible: The dry count of examples and test questions; None if nothing is trained.
        start: ask only, train and prove, or train without a test.
        policy: The policy of the recipe.
        name: The name of the run's folder.
        documents: The path of the folder or file as the recipe names it.
        embedder: The model of the vectors; None searches by words only.
    """
    sizes = sizes_for(choice, machine)
    rules = policy_named(policy)
    generated = rules.generated_answers_only
    unlisted = choice.small  # small models are misled by options that are listed
    lines = [*_head(survey, possible, start), ""]
    lines += _top(name, policy, start)
    lines += ["", *_model(choice, machine)]
    lines += ["", *_data(survey, documents, sizes, policy)]
    if start != "ask" and possible is not None:
        lines += ["", *_augment(possible, sizes, start, contrast=unlisted)]
        lines += ["", *_train(possible, choice, sizes, contrast=unlisted)]
    lines += ["", *_rag(embedder, sizes)]
    lines += ["", "answer:", *_limit(rules)]
    lines += _answer(generated=generated, small=choice.small)
    if start == "train":
        lines += ["", *_evaluate()]
        if embedder:
            text = "model of the cosine similarity in the free-text score"
            lines += ["", "score:", _row("  embedder", embedder, text)]
    return "\n".join(lines) + "\n"


def document_lines(documents: Sequence[FoundDocument]) -> list[str]:
    """Return a line for each document, and one line for a file that holds many documents."""
    by_file: dict[str, list[FoundDocument]] = {}
    for one in _whole(documents):
        by_file.setdefault(one.file, []).append(one)
    lines: list[str] = []
    for file, found in by_file.items():
        if len(found) <= MANY:
            lines += [describe_document(one) for one in found]
        else:
            lines.append(f"{len(found)} documents, the first is {found[0].title}: {file}")
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], *([f"… and {more} more lines, all in the corpus"] if more > 0 else [])]


def _whole(documents: Sequence[FoundDocument]) -> list[FoundDocument]:
    """Return each document once: one of several files (a regulation, its annexes) as one."""
    parts: dict[tuple[str, str], list[FoundDocument]] = {}
    for one in documents:
        parts.setdefault((one.title, one.day), []).append(one)
    return [
        replace(
            found[0],
            file=found[0].file + (f" and {len(found) - 1} more files" if len(found) > 1 else ""),
            articles=sum(part.articles for part in found),
            chunks=sum(part.chunks for part in found),
        )
        for found in parts.values()
    ]


def describe_document(one: FoundDocument) -> str:
    """Return one line on a document: title, kind, day, licence, size and file."""
    day = f"in force from {one.day}" if one.day else "day unknown"
    licence = one.license if one.license not in ("", "unknown") else "no licence stated"
    size = f"{one.articles} articles" if one.articles else f"{one.chunks} passages"
    return f"{one.title} ({one.kind}, {day}, {licence}): {size}, {one.file}"


def _head(survey: Survey, possible: DryCount | None, start: Start) -> list[str]:
    said = {
        "ask": "Ask your documents: an index and the base model; nothing is trained.",
        "train": "Train a model on your documents and test it on those that are held out.",
        "train-untested": "Train a model on your documents without a test: NOT PROVEN.",
    }
    lines = [f"# {said[start]}", "#", "# Written by `kofinlaw init`. Change it as you like."]
    lines += ["#", f"# {survey.titles} documents in {survey.files} files:"]
    lines += [f"#   {line}" for line in document_lines(survey.documents)]
    if survey.left_out or survey.parts or survey.refused:
        lines += ["#", "# Left out:"]
        lines += [f"#   {one.name}: {one.reason}" for one in survey.left_out[:SHOWN]]
        if len(survey.left_out) > SHOWN:
            lines.append(f"#   … and {len(survey.left_out) - SHOWN} more files")
        lines += [f"#   {sentence}" for sentence in survey.refused[:SHOWN]]
        lines += [f"#   {line}" for line in survey.part_lines]
    if start == "train" and possible is not None:
        lines += ["#", "# Held out for the test, never trained on:"]
        lines += [f"#   {title}" for title in possible.held_out[:SHOWN]]
    # A title with a line break would end the comment and become a key of the recipe.
    return [" ".join(terminal_text(line).splitlines()) for line in lines]


def _top(name: str, policy: str, start: Start) -> list[str]:
    said = {
        "ask": "your documents, an index and the base model; nothing is trained",
        "train": "a model trained on your documents, tested on documents that it has not seen",
        "train-untested": "a model trained on your documents without a test; not proven",
    }
    lines = [
        _row("name", name, "name of the run's folder: runs/<name>"),
        f"description: {said[start]}",
        _row("policy", policy, "which models and documents are allowed"),
        _row("offline", "true", "refuse every connection to another machine"),
    ]
    if start == "ask":
        lines.append(_row("ask_only", "true", "train nothing: the base model answers"))
    return lines


def _model(choice: ModelChoice, machine: Machine) -> list[str]:
    why = f"{choice.gib:g} GiB of {machine.gib:.1f} GiB ({machine.origin})"
    if not choice.at_hand:
        why += f"; get its weights: hf download {choice.card.id}"
    if choice.path is not None:
        rows = [_row("  id", _quoted(choice.path.name), why)]
        return ["model:", *rows, _row("  path", _quoted(str(choice.path)), "its weights")]
    return ["model:", _row("  id", choice.card.id, why)]


def _data(survey: Survey, documents: str, sizes: Sizes, policy: str) -> list[str]:
    lines = ["data:", "  sources:"]
    if survey.sources:
        base = documents.rstrip("/")
        why = f"allowed by policy {policy}"
        paths = [base if survey.folder.is_file() else f"{base}/{n}" for n in survey.sources]
        lines += [_row("    - path", _quoted(path), why) for path in paths]
    else:
        lines.append(_row("    - path", _quoted(documents), "your documents"))
    why = f"longest chunk in tokens; the longest of your documents has {survey.longest_tokens}"
    return [*lines, "  chunks:", _row("    max_tokens", sizes.chunk_tokens, why)]


def _augment(possible: DryCount, sizes: Sizes, start: Start, *, contrast: bool) -> list[str]:
    form = "text" if contrast else "label"
    given = possible.sentence()
    why = "the text of the option" if contrast else "the number of the option"
    lines = [
        "augment:",
        _row("  items", sizes.most_items, f"most examples; your documents give {given}"),
        _row("  answer_form", form, f"the model answers with {why}"),
    ]
    if start == "train":
        multiple, free = possible.tests - possible.free_tests, possible.free_tests
        lines += [
            _row("  holdout_share", HOLDOUT_SHARE, "share of the articles that is held out"),
            _row(
                "  holdout_items",
                MOST_TEST_QUESTIONS,
                f"most test questions with options; your documents give {multiple}",
            ),
            _row("  holdout_free", MOST_FREE_QUESTIONS, f"the same in free text; they give {free}"),
        ]
    text = "evidence in one training prompt"
    return [*lines, "  raft:", _row("    max_evidence_tokens", sizes.evidence_tokens, text)]


def _train(possible: DryCount, choice: ModelChoice, sizes: Sizes, *, contrast: bool) -> list[str]:
    epochs = 1 if possible.examples >= 400 else 2 if possible.examples >= 150 else 3
    steps = math.ceil(possible.examples * epochs / sizes.effective_batch)
    if contrast:  # rates of docs/studies/transfer.md
        rate = "4.0e-4" if steps < 40 else "2.0e-4"
    else:
        rate = "1.0e-3" if steps < 40 else "3.0e-4" if choice.small else "2.0e-4"
    asked = "train in the way the questions are asked: options are not listed"
    lines = [
        "train:",
        *([_row("  objective", "contrast", asked)] if contrast else []),
        _row(
            "  quantization",
            "none" if choice.small else "nf4",
            "16-bit base weights" if choice.small else "4-bit base weights (QLoRA)",
        ),
        "  lora:",
        _row("    rank", 16, "rank of the adapter"),
        _row("    alpha", 32, "the update is scaled by alpha / rank"),
        _row("  learning_rate", rate, f"peak learning rate; about {steps} steps"),
    ]
    lines += [
        _row("  effective_batch", sizes.effective_batch, "examples in one optimizer step"),
        _row("  epochs", epochs, "passes over the examples"),
        _row("  max_length", sizes.example_tokens, "longest example in tokens"),
        "",
        "merge:",
    ]
    if choice.small and steps < FEW_STEPS:
        text = "few steps change little, and 16 bit would round much of it away"
        return [
            *lines,
            _row("  base", "original", "merge into the weights that training used"),
            _row("  dtype", "float32", text),
        ]
    base = "original" if choice.small else "best"
    text = "weights that training used" if choice.small else "better of 4-bit and 16-bit weights"
    return [
        *lines,
        _row("  base", base, f"merge into the {text}"),
        _row("  dtype", "bfloat16", "number format of the merged weights"),
    ]


def _rag(embedder: str | None, sizes: Sizes) -> list[str]:
    lines = ["rag:", _row("  lexical", "kiwi", "morphemes of content words, by Kiwi")]
    if embedder:
        lines += [
            _row("  embedder", embedder, "model of the vectors"),
            _row("  alpha", 0.35, "weight of the vectors in the fused score"),
        ]
    lines += [
        _row("  k", 5, "passages kept for a question"),
        _row("  evidence_tokens", sizes.evidence_tokens, "tokens of evidence in a prompt"),
    ]
    return [*lines, _row("  option_passages", 2, "passages searched for each option")]


def _limit(rules: Policy) -> list[str]:
    """Return the lines on a policy's time limit and its questions; none without a limit."""
    minutes, questions = rules.answering_minutes, rules.answering_questions
    if minutes is None:
        return []
    pauses = "the time between a stop and a restart counts too, as the policy's clock does"
    counted = "questions of the policy, with which `plan` counts the minutes"
    return [
        _row("  budget_minutes", minutes, "the policy's limit for all questions, with loading"),
        _row("  count_pauses", "true", pauses),
        *([_row("  expected_questions", questions, counted)] if questions else []),
    ]


def _answer(*, generated: bool, small: bool) -> list[str]:
    if small and generated:
        lines = [
            _row("  answer_form", "text", "the same as in training"),
            _row("  choose_by", "generate", "the model writes its choice"),
            _row("  contrast_decoding", "0.5", "options are not listed: they mislead small models"),
        ]
    elif small:
        lines = [
            _row("  answer_form", "text", "the same as in training"),
            _row("  choose_by", "contrast", "options are not listed: they mislead small models"),
            "  voters:",
            _row("    reading", "1.0", "the line of the provisions that supports an option"),
            _row("    evidence", "0.2", "what the evidence adds to the option's probability"),
            "  unrelated_voters:",
            _row("    likelihood", "0.5", "the model alone, where no evidence bears on it"),
            _row("  free_by", "choose", "a free-text answer is a sentence of the evidence"),
            "  free_voters:",
            _row("    nearest", "1.0", "similarity of the sentence to the question, by rule"),
            _row("    question", "2.0", "probability of the question after the sentence"),
        ]
    else:
        lines = [
            _row("  answer_form", "label", "the same as in training"),
            _row("  choose_by", "generate", "the model writes its choice"),
        ]
    if generated:
        text = "the policy takes only text that the model wrote"
        lines.append(_row("  free_replace", "false", text))
        lines.append(_row("  abstain", "never", "the policy takes an answer to every question"))
    tokens = 96 if small else 128
    return [*lines, _row("  free_max_tokens", tokens, "most tokens of a free-text answer")]


def _evaluate() -> list[str]:
    return [
        "evaluate:",
        _row("  heldout", "true", "test with questions from the held-out documents"),
        _row("  systems", "[base, base-rag, trained-rag]", "the systems that are compared"),
    ]


def _row(key: str, value: object, comment: str) -> str:
    return f"{f'{key}: {value}':<{COLUMN}}  # {comment}"


def _quoted(text: str) -> str:
    """Return a text as a YAML string in double quotes."""
    return json.dumps(text, ensure_ascii=False)
