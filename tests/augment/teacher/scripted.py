"""Run a teacher whose answers are scripted, in a process that a test can kill.

    python tests/augment/teacher/scripted.py CORPUS OUT LEDGER SENT ITEMS [teach]

Runs the augment stage (or the teacher alone) with a teacher whose answers depend on the prompt
only. A line for each prompt is written to SENT before the prompt is answered.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kofinlaw.augment.settings import AugmentSettings, TeacherSettings
from kofinlaw.augment.teacher.prompt_files import read_prompt
from kofinlaw.augment.teacher.tasks import TASKS
from kofinlaw.files import sha256_text
from kofinlaw.models.engines.base import EngineStats, Generation, Request

_LAST = re.compile(r"조문: (?P<passage>[^\n]*)\n(?:질문: (?P<question>[^\n]*)\n)?")


class Scripted:
    """An engine that answers by a function of the prompt and records the requests."""

    name = "scripted"
    deterministic = True

    def __init__(self, answer: Callable[[str], str | Generation], pause: float = 0.0) -> None:
        self.answer = answer
        self.pause = pause
        self.asked: list[str] = []
        self.note: Callable[[str], None] = self.asked.append
        self.stats = EngineStats()

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """The answers of the function. A Generation is returned unchanged."""
        out = []
        for request in requests:
            self.note(request.prompt)
            time.sleep(self.pause)
            answer = self.answer(request.prompt)
            out.append(
                answer if isinstance(answer, Generation) else Generation(answer, 1, 1, "stop", 0.0)
            )
        return out

    def close(self) -> None:
        """Nothing to free."""

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def task_of(prompt: str) -> str:
    """Which prompt file a request was made from."""
    names = [*TASKS, "reanswer", "judge", "pick", "entails", "same_question"]
    return next(name for name in names if read_prompt(name).text.split("\n")[0] in prompt)


def shown(prompt: str) -> tuple[str, str]:
    """(passage, question) that the request shows after its examples."""
    match = list(_LAST.finditer(prompt))[-1]
    return match["passage"], match["question"] or ""


def options_of(prompt: str) -> list[str]:
    """The options that the request shows after its examples."""
    rows = prompt.rsplit("보기:\n", 1)[-1].split("\n")
    return [row[2:] for row in rows if re.match(r"\d ", row)]


def pick(prompt: str) -> str:
    """Choose the option that the provision holds; of a pair, the values in their order."""
    passage, _ = shown(prompt)
    options = options_of(prompt)
    held = []
    for number, option in enumerate(options, 1):
        values = re.fullmatch(r"\(가\) (.*), \(나\) (.*)", option)
        if values is None:
            held += [number] if option in passage else []
        elif values[2] in passage[passage.find(values[1]) + len(values[1]) :]:
            held += [number] if values[1] in passage else []
    return str(held[0]) if held else "1"


def choice_fields(task: str, prompt: str) -> dict[str, object]:
    """Write the words around a multiple-choice question and keep its options."""
    if task == "comparison":
        rows = prompt.rsplit("\n(가) ", 1)[-1].split("\n")
        first, second, values = rows[0], rows[1].removeprefix("(나) "), rows[2]
        cases = [
            " ".join(w for w in text.split() if w.rstrip(".") not in values)[-40:].split(" ", 1)[1]
            for text in (re.sub(r"\d\S*", "", first), re.sub(r"\d\S*", "", second))
        ]
        return {
            "case_a": f"{cases[0]} 경우",
            "case_b": f"{cases[1]} 경우",
            "question": f"{first.split()[0]} (가)와 (나)는 각각 얼마인가?",
        }
    passage, question = shown(prompt)
    options = options_of(prompt)
    if task == "choice_scenario":
        words = [w for w in passage.rstrip(".").split() if not any(o in w for o in options)]
        half = " ".join(word for word in reversed(words) if not re.search(r"\d", word))[:40]
        return {
            "scenario": f"김씨는 {half} 어떤 일이 있는지 알고 싶어서 문의하였다.",
            "question": f"{half} 무엇인가?",
        }
    ending = "옳지 않은 것은?" if re.search("않은 것은|아닌 것은", question) else "알맞은 것은?"
    words = question.replace("은?", "은").split()
    turned = [
        " ".join([*w[1:-1], w[0], w[-1]]) if len(o) > 12 and len(w := o.split()) > 2 else o
        for o in options
    ]
    return {"question": f"{' '.join(reversed(words))} {ending}", "options": turned}


def sound(prompt: str) -> str:
    """Write what a careful teacher would write: the provision's own words."""
    task = task_of(prompt)
    if task in ("entails", "same_question"):
        return "예"
    if task == "pick":
        return pick(prompt)
    if task in ("choice_scenario", "choice_paraphrase", "comparison"):
        return json.dumps(choice_fields(task, prompt), ensure_ascii=False)
    passage, question = shown(prompt)
    half = " ".join(passage.rstrip(".").split(" ")[:4])
    asked = f"{half} 무엇을 하여야 하는가?"
    if task == "judge":
        return "예"
    if task == "reanswer":
        unknown = "얼마의 수수료" in question
        return json.dumps(
            {"answer": "주어진 조문에서 답을 찾을 수 없습니다." if unknown else passage},
            ensure_ascii=False,
        )
    citation = prompt.rsplit("」 ", 1)[-1].split("\n")[0]
    values = {
        "explanation": passage,
        "scenario": f"김씨는 {half} 어떤 일이 있는지 알고 싶어서 문의하였다.",
        "reference": passage,
        "summary": passage,
        "answer": passage,
        "follow_up_answer": passage,
        "question": f"{half} 얼마의 수수료를 내는가?" if task == "refusal" else asked,
        "follow_up": f"그러면 {half} 누가 하여야 하는가?",
        "article": citation,
    }
    words = [word for word in passage.rstrip(".").split(" ") if len(word) > 1]
    fields = {
        field.name: words[:2] if field.role == "keywords" else values[field.name]
        for field in TASKS[task].fields
    }
    return json.dumps(fields, ensure_ascii=False)


def settings_of(items: int, **teacher: object) -> AugmentSettings:
    """A stage with a teacher and few grounded items."""
    named = {"model": {"id": "google/gemma-3-270m"}, "engine": {"engine": "dummy"}}
    return AugmentSettings(
        items=5,
        free_share=0,
        teacher=TeacherSettings.model_validate({**named, "items": items, "batch": 4, **teacher}),
    )


def main() -> None:
    """Teach, and record what is sent."""
    from kofinlaw.augment.protected_questions import ProtectedTexts
    from kofinlaw.augment.reading.acts import read_laws
    from kofinlaw.augment.stage import generate_examples
    from kofinlaw.augment.teacher.synthesis import synthesize
    from kofinlaw.files import read_jsonl, write_jsonl
    from kofinlaw.models.engines import factory as engines
    from kofinlaw.records import Article

    corpus, out, ledger, sent, items, *alone = sys.argv[1:]
    engine = Scripted(sound, pause=0.02)

    def note(prompt: str) -> None:
        with open(sent, "a", encoding="utf-8") as handle:
            handle.write(sha256_text(prompt) + "\n")

    engine.note = note
    engines.open_engine = lambda *_, **__: engine  # type: ignore[assignment]
    settings = settings_of(int(items))
    if not alone:
        generate_examples(settings, Path(corpus), Path(out), seed=1, ledger=Path(ledger))
        return
    laws = read_laws(read_jsonl(Path(corpus) / "articles.jsonl", Article)).acts
    book = Path(ledger)
    used = Path(out) / "ledger.jsonl"
    assert settings.teacher is not None
    taught = synthesize(
        settings.teacher, laws, [], book, seed=1, protected=ProtectedTexts(()), used=used
    )
    write_jsonl(Path(out) / "examples.jsonl", taught.examples)
    write_jsonl(Path(out) / "rejected.jsonl", taught.rejected)


if __name__ == "__main__":
    main()
