"""Define what a teacher can be asked to write: the JSON fields of each task and its turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kofinlaw.augment.generators import free_text
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.names import normalize
from kofinlaw.data.prompting.wording import NO_EVIDENCE

__all__ = [
    "LONGEST_PASSAGE",
    "SHORTEST_PASSAGE",
    "TASKS",
    "Field",
    "Given",
    "Role",
    "Source",
    "Task",
    "Written",
    "passages",
    "questions",
]

# The role of a field decides which filters check it.
Role = Literal["question", "claim", "story", "article", "keywords", "case", "options"]
# What a prompt shows: a provision; a provision with a free-text question and its answer, or with a
# multiple-choice question; two provisions that differ in one slot.
Given = Literal["passage", "question", "choice", "pair"]
# Characters of a passage.
SHORTEST_PASSAGE, LONGEST_PASSAGE = 35, 160


@dataclass(frozen=True)
class Source:
    """A provision that a teacher is shown, and for variants the question about it.

    `citation` is how it is cited (`제9조제1항`), `unit` the id of its article. A multiple-choice
    question has `options` by rule, `right` is the index of the right one from 0 (-1: none), and
    `negative` says that it asks for what is not so. `second` is the other provision of a pair.
    """

    unit: str
    title: str
    citation: str
    passage: str
    question: str = ""
    answer: str = ""
    options: tuple[str, ...] = ()
    right: int = -1
    negative: bool = False
    second: Source | None = None

    @property
    def passages(self) -> list[str]:
        """The texts that an example shows as evidence: the article's id and the provision."""
        own = f"{self.unit}\n{self.passage}"
        return [own, *(self.second.passages if self.second is not None else [])]

    @property
    def text(self) -> str:
        """The provision, or both provisions of a pair."""
        return " ".join([self.passage, *([self.second.text] if self.second is not None else [])])


@dataclass(frozen=True)
class Field:
    """A text of the output with its length in characters.

    For `keywords` and `options` it is a list of such texts.
    """

    name: str
    role: Role
    shortest: int
    longest: int


@dataclass(frozen=True)
class Task:
    """One kind of example.

    Attributes:
        name: The task's name; its prompt file has the same name.
        fields: The fields of the output, in the order in which the model writes them.
        turns: Templates of (question, answer) over the fields and the source.
        given: What the prompt shows.
        reanswered: Whether the teacher must give the same answer from the passage alone.
    """

    name: str
    fields: tuple[Field, ...]
    turns: tuple[tuple[str, str], ...]
    given: Given = "passage"
    reanswered: bool = True

    @property
    def choice(self) -> bool:
        """Whether the example is a multiple-choice question, with options by rule."""
        return self.given in ("choice", "pair")

    @property
    def schema(self) -> dict[str, object]:
        """The JSON schema of the output, for engines that can enforce one."""
        return {
            "type": "object",
            "properties": {field.name: _schema(field) for field in self.fields},
            "required": [field.name for field in self.fields],
            "additionalProperties": False,
        }

    @property
    def longest(self) -> int:
        """Characters of the longest output, with its JSON syntax."""
        texts = sum(
            f.longest * (5 if f.role in ("keywords", "options") else 1) for f in self.fields
        )
        return texts + sum(len(f.name) + 8 for f in self.fields) + 4

    def named(self, *roles: Role) -> list[str]:
        """Return the names of the fields of these roles."""
        return [field.name for field in self.fields if field.role in roles]


def _schema(field: Field) -> dict[str, object]:
    text: dict[str, object] = {"type": "string", "maxLength": field.longest}
    if field.role in ("keywords", "options"):
        least = 2 if field.role == "keywords" else 4
        return {"type": "array", "items": text, "minItems": least, "maxItems": 5}
    return text


def _question(name: str = "question") -> Field:
    return Field(name, "question", 10, 150)


def _answer(name: str = "answer", longest: int = 160) -> Field:
    return Field(name, "claim", 8, longest)


_ARTICLE = Field("article", "article", 3, 30)

# The claim comes before the question. A base model then copies the provision first and asks about
# it, instead of answering an invented question.
TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "explanation",
            (Field("explanation", "claim", 30, 300), _ARTICLE),
            (("「{title}」 {place}의 내용을 설명하시오.", "{explanation} (「{title}」 {place})"),),
            reanswered=False,
        ),
        Task(
            "scenario",
            (Field("scenario", "story", 20, 250), _answer(), _question(), _ARTICLE),
            (("{scenario} {question}", "{answer} (「{title}」 {place})"),),
        ),
        Task(
            "free_question",
            (
                Field("reference", "claim", 40, 90),
                Field("keywords", "keywords", 2, 20),
                _question(),
            ),
            (("{question}", "{reference}"),),
        ),
        Task("rephrasing", (_question(),), (("{question}", "{given_answer}"),), given="question"),
        Task("harder", (_answer(), _question()), (("{question}", "{answer}"),), given="question"),
        Task("easier", (_answer(), _question()), (("{question}", "{answer}"),), given="question"),
        Task(
            "summary",
            (Field("summary", "claim", 15, 120),),
            (("다음 조문(「{title}」 {place})을 한 문장으로 요약하시오.", "{summary}"),),
            reanswered=False,
        ),
        Task(
            "dialogue",
            (_answer(), _question(), _answer("follow_up_answer"), _question("follow_up")),
            (("{question}", "{answer}"), ("{follow_up}", "{follow_up_answer}")),
        ),
        Task("refusal", (_question(),), (("{question}", NO_EVIDENCE),)),
        Task(
            "choice_scenario",
            (Field("scenario", "story", 20, 250), _question()),
            (("{scenario} {question}", "{given_answer}"),),
            given="choice",
        ),
        Task(
            "choice_paraphrase",
            (Field("question", "question", 10, 200), Field("options", "options", 1, 120)),
            (("{question}", "{given_answer}"),),
            given="choice",
        ),
        Task(
            "comparison",
            (Field("case_a", "case", 6, 120), Field("case_b", "case", 6, 120), _question()),
            (("(가) {case_a}\n(나) {case_b}\n{question}", "{given_answer}"),),
            given="pair",
        ),
    )
}


@dataclass(frozen=True)
class Written:
    """A teacher's parsed output: the task, its source, and its fields by name."""

    task: Task
    source: Source
    fields: Mapping[str, str | tuple[str, ...]]

    def texts(self, *roles: Role) -> list[str]:
        """Return the texts of the fields with these roles; keywords are single texts."""
        found = []
        for name in self.task.named(*roles):
            value = self.fields[name]
            found += [value] if isinstance(value, str) else list(value)
        return found

    @property
    def options(self) -> tuple[str, ...]:
        """The options of a multiple-choice example: the teacher's own words, or those by rule."""
        own = self.texts("options")
        return tuple(own) if own else self.source.options

    @property
    def right(self) -> str:
        """The right option, or the given answer of a free-text question."""
        options, right = self.options, self.source.right
        return options[right] if 0 <= right < len(options) else self.source.answer

    @property
    def twins(self) -> list[tuple[str, str, bool]]:
        """(original, new text, whether it is a question): texts that must mean the same.

        Options that the teacher copied are left out.
        """
        source, found = self.source, []
        if self.task.name in ("rephrasing", "choice_paraphrase"):
            found = [(source.question, text, True) for text in self.texts("question")]
        pairs = zip(source.options, self.texts("options"), strict=False)
        return found + [(a, b, False) for a, b in pairs if normalize(a) != normalize(b)]

    @property
    def turns(self) -> list[tuple[str, str]]:
        """(question, answer) of each turn of the example."""
        source = self.source
        values = dict(title=source.title, place=source.citation, given_answer=self.right)
        values |= {k: v for k, v in self.fields.items() if isinstance(v, str)}
        return [
            (question.format(**values), answer.format(**values))
            for question, answer in self.task.turns
        ]


def passages(law: Law) -> list[Source]:
    """Return the act's provisions without list and exception that are short enough for a prompt."""
    return [
        Source(clause.article.id, law.title, clause.citation, clause.main)
        for clause in law.clauses
        if SHORTEST_PASSAGE <= len(clause.main) <= LONGEST_PASSAGE
        and "각호" not in clause.main.replace("각 호", "각호")
        and not clause.proviso
    ]


def questions(law: Law) -> list[Source]:
    """Return the act's free-text questions, for tasks that vary a question."""
    found = []
    for item in free_text.generate(law):
        sentence, _, citation = item.reference.rstrip(".").rpartition("(")
        passage = f"{sentence.strip().rstrip('.')}."
        found.append(
            Source(
                item.unit,
                law.title,
                citation.rstrip(")"),
                passage,
                item.question,
                item.reference,
            )
        )
    return found
