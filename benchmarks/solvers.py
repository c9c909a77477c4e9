"""Measure the trivial solvers on the held-out questions of `statutes-cpu`; no model is asked.

    python benchmarks/solvers.py [FOLDER_OF_STATUTES] [--questions 420]

The corpus, the held-out questions, the retrieval and the packing to 320 tokens are those of the
recipe, so the solvers read the text that the prompts show. Each solver is also given the whole
retrieved passages. Equal options share the credit. The last line is JSON.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from development_data import STATUTES, require
from outcome import outcome

from kofinlaw.augment.settings import AugmentSettings, RaftSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.prompting.packing import pack
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.settings import DataSettings
from kofinlaw.data.solvers.solvers import SOLVERS, Asked, Solvers
from kofinlaw.files import read_jsonl
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Key, Question

TRAINED = ("전자금융거래법", "개인정보 보호법", "신용정보의 이용 및 보호에 관한 법률")
HELD_OUT = ("전자서명법", "정보통신망 이용촉진 및 정보보호 등에 관한 법률")
RULE = "전자금융감독규정"
EVIDENCE_TOKENS = 320
ITEMS = 1000  # of training, which decide what is left for the held-out questions
FOUND_AT_ONCE = 64


def questions_of(
    statutes: Path, work: Path, questions: int
) -> tuple[list[Question], dict[str, Key], dict[str, list[Asked]]]:
    """Return the questions, their keys, and how the solvers see them by kind of text.

    The kinds of text are `packed`, as in the prompt, and `whole` passages.
    """
    acts = [
        f"{t.replace(' ', '_')}{tail}.md" for t in TRAINED + HELD_OUT for tail in ("", "_시행령")
    ]
    files = [statutes / "acts" / name for name in acts]
    files.append(statutes / "admin_rules" / f"{RULE}.md")
    count = load_tokenizer(quickstart_model()).count
    (work / "data").mkdir(parents=True)
    sources = [{"path": str(file)} for file in files]
    build_corpus(
        DataSettings.model_validate({"sources": sources, "chunks": {"max_tokens": 512}}),
        work / "data",
        base=work,
        count_tokens=count,
    )
    settings = AugmentSettings(
        items=ITEMS,
        answer_form="text",
        holdout_documents=tuple(f"{t}{tail}" for t in HELD_OUT for tail in ("", " 시행령")),
        holdout_items=questions,
        raft=RaftSettings(max_evidence_tokens=EVIDENCE_TOKENS),
    )
    generate_examples(settings, work / "data", work / "augment", seed=42, count_tokens=count)
    rag = RagSettings(lexical="kiwi", embedder=None, k=5, evidence_tokens=EVIDENCE_TOKENS)
    build_index(work / "data" / "chunks.jsonl", work / "index", rag)
    retriever = Retriever(Index.load(work / "index"), rag)
    asked = list(read_jsonl(work / "augment" / "heldout_questions.jsonl", Question))
    asked = [question for question in asked if question.options]
    seen: dict[str, list[Asked]] = {"packed": [], "whole": []}
    for start in range(0, len(asked), FOUND_AT_ONCE):
        part = asked[start : start + FOUND_AT_ONCE]
        for question, hits in zip(part, retriever.search(part), strict=True):
            whole = [hit.chunk.text for hit in hits]
            query = " ".join([question.question, *question.options])
            packed = pack(whole, query, EVIDENCE_TOKENS, count)
            for kind, texts in (("packed", packed), ("whole", whole)):
                negative = is_negative(question.question)
                seen[kind].append(
                    Asked(question.question, question.options, tuple(texts), negative)
                )
    keys = {key.id: key for key in read_jsonl(work / "augment" / "heldout_key.jsonl", Key)}
    return asked, keys, seen


def mean(values: Sequence[float]) -> float:
    """Return the mean to four digits."""
    return round(sum(values) / len(values), 4)


def main() -> None:
    """Generate, retrieve, pack, solve; print tables and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=STATUTES, metavar="FOLDER_OF_STATUTES"
    )
    parser.add_argument("--questions", type=int, default=420)
    arguments = parser.parse_args()
    require(arguments.folder, "FOLDER_OF_STATUTES")
    with tempfile.TemporaryDirectory() as name:
        asked, keys, seen = questions_of(arguments.folder, Path(name), arguments.questions)
    answers = [int(keys[question.id].answer) - 1 for question in asked]
    kinds = [keys[question.id].slices[0] for question in asked]
    figures: dict[str, object] = {
        "questions": len(asked),
        "uniform": mean([1 / len(question.options) for question in asked]),
    }
    pace = 0.0
    for text, rows in seen.items():
        solvers = Solvers()
        started = time.process_time()
        solvers.prepare(rows)
        credit = [solvers.credits(one, answer) for one, answer in zip(rows, answers, strict=True)]
        pace = pace or len(rows) / (time.process_time() - started)
        figures[text] = {solver: mean([one[solver] for one in credit]) for solver in SOLVERS}
        by_kind: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
        for kind, one in zip(kinds, credit, strict=True):
            by_kind[kind].append(one)
        print(f"\n{text}: {figures[text]}")
        for kind, found in sorted(by_kind.items(), key=lambda pair: -len(pair[1])):
            shares = "  ".join(f"{s} {mean([one[s] for one in found]):.2f}" for s in SOLVERS)
            print(f"{kind:20} {len(found):4}  {shares}")
    figures["questions_a_minute"] = round(60 * pace)
    print(outcome(figures, {"questions a minute": (figures["questions_a_minute"], (">", 1000))}))


if __name__ == "__main__":
    main()
