"""Check a teacher's output. Each filter is a small function that returns a verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from kofinlaw.augment.reading.endings import read_ending
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.teacher.choice_filters import choice_verdicts, twin_verdicts
from kofinlaw.augment.teacher.prompt_files import Prompt
from kofinlaw.augment.teacher.support import Verdict, plain_ending, support, worst_verdicts
from kofinlaw.augment.teacher.tasks import Role, Written
from kofinlaw.data.cleaning.personal import find_personal_data
from kofinlaw.data.korean.words import bigrams, content_morphemes, hangul_share, sentences
from kofinlaw.data.law.annexes import split_unit
from kofinlaw.data.law.verifying.known_law import KnownLaw
from kofinlaw.data.law.verifying.verify import verify_citations
from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.data.solvers.look_up import shared_run

__all__ = [
    "COPIED_LETTERS",
    "FILTERS",
    "FOREIGN_WORDS",
    "LEAST_AGREEMENT",
    "LEAST_HANGUL",
    "Filter",
    "about_the_passage",
    "agreement",
    "article",
    "asks",
    "citations",
    "first_failure",
    "keywords",
    "korean",
    "length",
    "natural",
    "not_an_echo",
    "not_in_circles",
    "not_the_prompt",
    "personal_data",
    "question_from_the_passage",
    "to_the_task",
    "verdicts",
]

# The roles of the texts that a teacher writes freely.
_OWN_WORDS: tuple[Role, ...] = ("question", "claim", "story", "case", "options")
_CIRCLE = 15  # characters of a run that a sentence must not repeat
_ASKING = frozenset(
    ["누구", "어떤", "언제", "무엇", "얼마", "며칠", "어디", "조치", "경우", "방법", "상대", "기간"]
)
# Tasks whose questions may share little with the provision.
_LOOSE = frozenset(
    [
        "refusal",
        "dialogue",
        "easier",
        "scenario",
        "choice_scenario",
        "choice_paraphrase",
        "comparison",
    ]
)
_ASKS = re.compile(r"(?:\?|까|가|오\.|요)\s*$")
# Words that a question may add by task (default 1). With more it asks about something else.
FOREIGN_WORDS = {
    "harder": 2,
    "rephrasing": 2,
    "dialogue": 2,
    "choice_paraphrase": 3,
    "choice_scenario": 2,
    "comparison": 2,
}
# From this length on, a run of the prompt's letters that is most of an output is a copy.
COPIED_LETTERS = 16
LEAST_HANGUL = 0.8  # share of letters
LEAST_AGREEMENT = 0.5  # share of the shorter answer's content words
_FOREIGN_SCRIPT = re.compile(r"[\u3040-\u30ff\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f]")
# Calques of English and Japanese that Korean law does not use: double passives, 당신, 가능하다.
_CALQUES = re.compile(
    r"되어지|보여지|불리워|쓰여지|나뉘어지|당신|그녀|그들은|것이 가능하|하는 것을 허용"
    r"|중 하나이다|가지고 있어야만|만들어지게|에 의해서 되|필요로 (?:한다|합니다)|로부터의|에로의"
)
# The model talks about its task instead of doing it.
_CHATTER = re.compile(
    r"인공지능|언어 ?모델|AI로서|죄송|다음은 .{0,20}입니다|출력:|JSON|Sure|Here is"
)


def length(written: Written, prompt: Prompt) -> Verdict:
    """Check that every field has an allowed length, and there are two to five keywords."""
    for field in written.task.fields:
        value = written.fields[field.name]
        texts = [value] if isinstance(value, str) else value
        if field.role == "keywords" and not 2 <= len(texts) <= 5:
            return Verdict("length", False, f"{len(texts)} keywords")
        for text in texts:
            if not field.shortest <= len(text) <= field.longest:
                return Verdict("length", False, f"{field.name}: {len(text)}")
    return Verdict("length", True)


def korean(written: Written, prompt: Prompt) -> Verdict:
    """Check that the text is in Hangul, except for foreign words of the passage."""
    for text in written.texts(*_OWN_WORDS):
        own = re.sub(r"[A-Za-z]+", lambda w: "" if w[0] in written.source.text else w[0], text)
        if hangul_share(own) < LEAST_HANGUL or _FOREIGN_SCRIPT.search(text):
            return Verdict("korean", False, text[:40])
    return Verdict("korean", True)


def natural(written: Written, prompt: Prompt) -> Verdict:
    """Check that the text has no calques of English or Japanese, except those of the passage."""
    text = " ".join(written.texts(*_OWN_WORDS))
    found = [match[0] for match in _CALQUES.finditer(text) if match[0] not in written.source.text]
    return Verdict("natural", not found, " ".join(found))


def to_the_task(written: Written, prompt: Prompt) -> Verdict:
    """Check that the text does not talk about being a model and holds no part
    of the prompt's form.
    """
    match = _CHATTER.search(" ".join(written.texts(*_OWN_WORDS)))
    return Verdict("to_the_task", match is None, match[0] if match else "")


def asks(written: Written, prompt: Prompt) -> Verdict:
    """Check that every question ends like a question."""
    wrong = [text for text in written.texts("question") if not _ASKS.search(text)]
    return Verdict("asks", not wrong, " ".join(wrong)[-30:])


def not_the_prompt(written: Written, prompt: Prompt) -> Verdict:
    """Check that no field copies an example of the prompt, even with another subject."""
    shown = normalize(prompt.text)
    kept = set(written.source.options)  # an option that is a value is copied on purpose
    texts = [text for text in written.texts(*_OWN_WORDS) if text not in kept]
    copied = [text for text in texts if _copied(normalize(text), shown)]
    return Verdict("not_the_prompt", not copied, " ".join(copied)[:40])


def _copied(text: str, shown: str) -> bool:
    run = len(shared_run(text, shown))
    return run == len(text) or (run >= COPIED_LETTERS and run > len(text) / 2)


def about_the_passage(written: Written, prompt: Prompt) -> Verdict:
    """Check that questions (with their cases) and claims share bigrams with the passage."""
    source = written.source
    # A stem on a whole article shares words with the question by rule.
    available = set(bigrams(f"{source.text} {source.question}" if source.options else source.text))
    cases = " ".join(written.texts("case"))
    texts = [f"{text} {cases}" for text in written.texts("question", "claim")]
    shared = min((len(set(bigrams(text)) & available) for text in texts), default=0)
    least = 2 if written.task.name in _LOOSE else 4
    return Verdict("about_the_passage", shared >= least, str(shared))


def not_an_echo(written: Written, prompt: Prompt) -> Verdict:
    """Check that an answer does not repeat its question, and a variant not its original
    question.
    """
    claims = [normalize(text) for text in written.texts("claim")]
    for text in written.texts("question"):
        bare = normalize(text)[:-3]
        if any(bare in claim for claim in claims):
            return Verdict("not_an_echo", False, text[:40])
        if written.source.question and bare in normalize(written.source.question):
            return Verdict("not_an_echo", False, "the question it was made from")
    return Verdict("not_an_echo", True)


def not_in_circles(written: Written, prompt: Prompt) -> Verdict:
    """Check that no sentence repeats a run of 15 characters, unless the passage repeats it."""
    texts = written.texts(*_OWN_WORDS)
    rows = [row for text in texts for row in sentences(text)]
    runs = [run for row in rows if (run := _repeated_run(row))]
    own = [run for run in runs if written.source.text.count(run) < 2]
    return Verdict("not_in_circles", not own, own[0] if own else "")


def _repeated_run(row: str) -> str:
    """Return the first run of 15 characters or more that the row repeats behind it; else empty.

    The run is as long as it can be. The time grows with the length of the row alone.
    """
    first: dict[str, int] = {}
    for place in range(len(row) - _CIRCLE + 1):
        first.setdefault(row[place : place + _CIRCLE], place)
    starts = [
        start
        for place in range(len(row) - _CIRCLE + 1)
        if place - (start := first[row[place : place + _CIRCLE]]) >= _CIRCLE
    ]
    if not starts:
        return ""
    start = min(starts)
    low, high = _CIRCLE, len(row)
    while low < high:  # a run that is repeated has repeated beginnings
        middle = (low + high + 1) // 2
        repeated = row.find(row[start : start + middle], start + middle) >= 0
        low, high = (middle, high) if repeated else (low, middle - 1)
    return row[start : start + low]


def question_from_the_passage(written: Written, prompt: Prompt) -> Verdict:
    """Check that a question uses the words of the passage.

    Otherwise it asks about something else.
    """
    if written.task.name == "refusal":
        return Verdict("question_from_the_passage", True)
    source = written.source
    second = source.second.title if source.second is not None else ""
    shown = " ".join(
        [source.text, source.title, second, source.question, *written.texts("story", "case")]
    )
    held = set(content_morphemes([shown])[0])
    foreign = [
        word
        for question in content_morphemes(written.texts("question"))
        for word in question
        if len(word) > 1 and word not in held and word not in shown and word not in _ASKING
    ]
    allowed = FOREIGN_WORDS.get(written.task.name, 1)
    return Verdict("question_from_the_passage", len(foreign) <= allowed, " ".join(foreign))


def article(written: Written, prompt: Prompt) -> Verdict:
    """Check that the article that the output names is that of the passage."""
    named = written.texts("article")
    wrong = [name for name in named if normalize(_without_act(name, written)) != _citation(written)]
    return Verdict("article", not wrong, " ".join(wrong))


def _without_act(name: str, written: Written) -> str:
    return name.replace(f"「{written.source.title}」", "").replace(written.source.title, "")


def _citation(written: Written) -> str:
    return normalize(written.source.citation)


def citations(written: Written, known: KnownLaw) -> Verdict:
    """Check that the corpus refutes no reference of the output; one that it cannot know passes.

    Articles without an act are those of the passage's act.
    """
    source = written.source
    text = "\n".join(written.texts(*_OWN_WORDS))
    found = verify_citations(text, known, act=source.title, article=split_unit(source.unit)[1])
    wrong = [one for one in found if one.failed]
    return Verdict("citations", not wrong, "; ".join(one.message for one in wrong)[:200])


def keywords(written: Written, prompt: Prompt) -> Verdict:
    """Check that the reference contains all keywords, and no two are equal."""
    claims = normalize(" ".join(written.texts("claim")))
    words = [normalize(word) for word in written.texts("keywords")]
    wrong = [word for word in words if word not in claims]
    return Verdict("keywords", not wrong and len(set(words)) == len(words), " ".join(wrong))


def personal_data(written: Written, prompt: Prompt) -> Verdict:
    """Check that the text has no number of a person, card or account."""
    found = find_personal_data(" ".join(written.texts(*_OWN_WORDS)))
    return Verdict("personal_data", not found, " ".join(item.kind for item in found))


Filter = Callable[[Written, Prompt], Verdict]
FILTERS: tuple[Filter, ...] = (
    length,
    korean,
    natural,
    to_the_task,
    asks,
    not_the_prompt,
    about_the_passage,
    not_an_echo,
    not_in_circles,
    question_from_the_passage,
    article,
    keywords,
    personal_data,
)


def verdicts(written: Written, prompt: Prompt) -> list[Verdict]:
    """Return the verdicts of all filters, then those on the sentences of each claim (`support`), on
    a multiple-choice output and on paraphrases, by rule in both directions.
    """
    found = [check(written, prompt) for check in FILTERS]
    source = written.source
    citation = f"「{source.title}」 {source.citation}"
    known = " ".join(written.texts("story"))
    supported = worst_verdicts(
        verdict
        for claim in written.texts("claim")
        for sentence in sentences(claim)
        for verdict in support(sentence, source.passage, citation=citation, known=known)
    )
    return [*found, *supported, *choice_verdicts(written), *twin_verdicts(written)]


def agreement(first: str, second: str) -> Verdict:
    """Return whether the teacher gives the same answer again from the passage alone.

    Both answers must have the same figures and the same duty or permission, and the longer one half
    of the shorter one's content words.
    """
    unknown = normalize(NO_EVIDENCE).rstrip(".")
    refused = [
        unknown in normalize(text) or "찾을수없" in normalize(text) for text in (first, second)
    ]
    if any(refused):
        return Verdict("reanswer", all(refused), second[:60])
    figures = [{(q.dimension, round(q.value, 6)) for q in find_figures(t)} for t in (first, second)]
    if all(figures) and not (figures[0] <= figures[1] or figures[1] <= figures[0]):
        return Verdict("reanswer", False, second[:60])
    endings = [read_ending(plain_ending(text)) for text in (first, second)]
    if endings[0] and endings[1] and endings[0].sense != endings[1].sense:
        return Verdict("reanswer", False, second[:60])
    words = [set(w) for w in content_morphemes([first, second])]
    least = min(map(len, words))
    share = len(words[0] & words[1]) / least if least else 0.0
    return Verdict("reanswer", share >= LEAST_AGREEMENT, f"{share:.2f} {second[:60]}")


def first_failure(found: Sequence[Verdict]) -> Verdict | None:
    """Return the first verdict that failed, which is the reason of a rejected record."""
    return next((verdict for verdict in found if not verdict.ok), None)
