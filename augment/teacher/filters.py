"""What a teacher's output must pass: each filter is a small function with a stored verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

from kofinlaw.augment.generators.modality import reading
from kofinlaw.augment.generators.names import normal
from kofinlaw.augment.generators.quantities import quantities
from kofinlaw.augment.teacher.prompt_files import Prompt
from kofinlaw.augment.teacher.support import Verdict, plain_ending, support
from kofinlaw.augment.teacher.tasks import Written
from kofinlaw.data.cleaning.personal import find_personal_data
from kofinlaw.data.korean.words import bigrams, content_morphemes, hangul_share, sentences
from kofinlaw.data.prompting.wording import NO_EVIDENCE

_CIRCLE = re.compile(r"(.{15,}).*\1")
_ASKING = frozenset(
    ["누구", "어떤", "언제", "무엇", "얼마", "며칠", "어디", "조치", "경우", "방법", "상대", "기간"]
)
_ASKS = re.compile(r"(?:\?|까|가|오\.|요)\s*$")
# Words of its own that a question may have: more, and it asks about something else.
FOREIGN_WORDS = {"harder": 2, "rephrasing": 2, "dialogue": 2}
# A run of the prompt's letters that is most of an output is no coincidence at this length.
COPIED_LETTERS = 16
LEAST_HANGUL = 0.8
LEAST_AGREEMENT = 0.5
_FOREIGN_SCRIPT = re.compile(r"[\u3040-\u30ff\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f]")
# Calques of English and Japanese that Korean law does not use: double passives, 당신, 가능하다.
_CALQUES = re.compile(
    r"되어지|보여지|불리워|쓰여지|나뉘어지|당신|그녀|그들은|것이 가능하|하는 것을 허용"
    r"|중 하나이다|가지고 있어야만|만들어지게|에 의해서 되|필요로 (?:한다|합니다)|로부터의|에로의"
)
# A model that talks about its task instead of doing it.
_CHATTER = re.compile(
    r"인공지능|언어 ?모델|AI로서|죄송|다음은 .{0,20}입니다|출력:|JSON|Sure|Here is"
)


def length(written: Written, prompt: Prompt) -> Verdict:
    """Every field within its characters; two to five keywords."""
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
    """Hangul, but for the passage's own foreign words."""
    for text in written.texts("question", "claim", "story"):
        own = re.sub(r"[A-Za-z]+", lambda w: "" if w[0] in written.source.passage else w[0], text)
        if hangul_share(own) < LEAST_HANGUL or _FOREIGN_SCRIPT.search(text):
            return Verdict("korean", False, text[:40])
    return Verdict("korean", True)


def natural(written: Written, prompt: Prompt) -> Verdict:
    """Not translationese: no calque that the passage itself does not use."""
    text = " ".join(written.texts("question", "claim", "story"))
    found = [
        match[0] for match in _CALQUES.finditer(text) if match[0] not in written.source.passage
    ]
    return Verdict("natural", not found, " ".join(found))


def to_the_task(written: Written, prompt: Prompt) -> Verdict:
    """No talk about being a model, no piece of the prompt's form."""
    match = _CHATTER.search(" ".join(written.texts("question", "claim", "story")))
    return Verdict("to_the_task", match is None, match[0] if match else "")


def asks(written: Written, prompt: Prompt) -> Verdict:
    """Every question asks."""
    wrong = [text for text in written.texts("question") if not _ASKS.search(text)]
    return Verdict("asks", not wrong, " ".join(wrong)[-30:])


def not_the_prompt(written: Written, prompt: Prompt) -> Verdict:
    """No field is one of the prompt's own examples, nor one with another subject put in."""
    shown = normal(prompt.text)
    texts = written.texts("question", "claim", "story")
    copied = [text for text in texts if _copied(normal(text), shown)]
    return Verdict("not_the_prompt", not copied, " ".join(copied)[:40])


def _copied(text: str, shown: str) -> bool:
    run = SequenceMatcher(None, text, shown, autojunk=False).find_longest_match().size
    return run == len(text) or (run >= COPIED_LETTERS and run > len(text) / 2)


def about_the_passage(written: Written, prompt: Prompt) -> Verdict:
    """Questions and claims share words with the passage."""
    held = set(bigrams(written.source.passage))
    texts = written.texts("question", "claim")
    shared = min((len(set(bigrams(text)) & held) for text in texts), default=0)
    least = 2 if written.task.name in ("refusal", "dialogue", "easier", "scenario") else 4
    return Verdict("about_the_passage", shared >= least, str(shared))


def not_an_echo(written: Written, prompt: Prompt) -> Verdict:
    """An answer does not repeat its question, a variant not the question it was made from."""
    claims = [normal(text) for text in written.texts("claim")]
    for text in written.texts("question"):
        bare = normal(text)[:-3]
        if any(bare in claim for claim in claims):
            return Verdict("not_an_echo", False, text[:40])
        if written.source.question and bare in normal(written.source.question):
            return Verdict("not_an_echo", False, "the question it was made from")
    return Verdict("not_an_echo", True)


def not_in_circles(written: Written, prompt: Prompt) -> Verdict:
    """No run of 15 characters twice in a sentence, unless the law itself repeats it."""
    texts = written.texts("question", "claim", "story")
    rows = [row for text in texts for row in sentences(text)]
    runs = [match[1] for row in rows if (match := _CIRCLE.search(row))]
    own = [run for run in runs if written.source.passage.count(run) < 2]
    return Verdict("not_in_circles", not own, own[0] if own else "")


def question_from_the_passage(written: Written, prompt: Prompt) -> Verdict:
    """A question is asked in the passage's words, or it asks about something else."""
    if written.task.name == "refusal":
        return Verdict("question_from_the_passage", True)
    source = written.source
    shown = " ".join([source.passage, source.title, source.question, *written.texts("story")])
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
    """The article that is named as the ground is the passage's."""
    named = written.texts("article")
    wrong = [name for name in named if normal(_without_act(name, written)) != _place(written)]
    return Verdict("article", not wrong, " ".join(wrong))


def _without_act(name: str, written: Written) -> str:
    return name.replace(f"「{written.source.title}」", "").replace(written.source.title, "")


def _place(written: Written) -> str:
    return normal(written.source.place)


def keywords(written: Written, prompt: Prompt) -> Verdict:
    """Keywords stand in the reference, each its own."""
    claims = normal(" ".join(written.texts("claim")))
    words = [normal(word) for word in written.texts("keywords")]
    wrong = [word for word in words if word not in claims]
    return Verdict("keywords", not wrong and len(set(words)) == len(words), " ".join(wrong))


def personal_data(written: Written, prompt: Prompt) -> Verdict:
    """No number of a person, card or account."""
    found = find_personal_data(" ".join(written.texts("question", "claim", "story")))
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
    """The verdicts of every filter, then whether the passage supports each claim's sentences."""
    found = [check(written, prompt) for check in FILTERS]
    source = written.source
    place = f"「{source.title}」 {source.place}"
    known = " ".join(written.texts("story"))
    merged: dict[str, Verdict] = {}
    for claim in written.texts("claim"):
        for sentence in sentences(claim):
            for verdict in support(sentence, source.passage, place=place, known=known):
                if verdict.check not in merged or not verdict.ok:
                    merged[verdict.check] = verdict
    return [*found, *merged.values()]


def agreement(first: str, second: str) -> Verdict:
    """Whether the teacher, asked again with the passage alone, comes to the same answer.

    The same figures, the same duty or permission, and half of the shorter answer's content words
    in the longer.
    """
    unknown = normal(NO_EVIDENCE).rstrip(".")
    refused = [unknown in normal(text) or "찾을수없" in normal(text) for text in (first, second)]
    if any(refused):
        return Verdict("reanswer", all(refused), second[:60])
    figures = [{(q.dimension, round(q.value, 6)) for q in quantities(t)} for t in (first, second)]
    if all(figures) and not (figures[0] <= figures[1] or figures[1] <= figures[0]):
        return Verdict("reanswer", False, second[:60])
    senses = [reading(plain_ending(text)) for text in (first, second)]
    if senses[0] and senses[1] and senses[0][2] != senses[1][2]:
        return Verdict("reanswer", False, second[:60])
    words = [set(w) for w in content_morphemes([first, second])]
    least = min(map(len, words))
    share = len(words[0] & words[1]) / least if least else 0.0
    return Verdict("reanswer", share >= LEAST_AGREEMENT, f"{share:.2f} {second[:60]}")


def first_failure(found: Sequence[Verdict]) -> Verdict | None:
    """The verdict that a reject is filed under."""
    return next((verdict for verdict in found if not verdict.ok), None)
