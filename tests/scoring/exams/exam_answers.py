"""Write answer folders of an exam by hand: which label each system gave, and what it was shown."""

from kofinlaw.files import write_jsonl
from kofinlaw.rag.answer.journal import Turn
from kofinlaw.records import Answer, Key, Question

OPTIONS = ("사흘 안에 알린다", "열흘 안에 알린다", "알리지 않는다", "한 달 안에 알린다")


def exam(count, negative=()):
    """`count` questions whose right answer is the first option; those in `negative` ask for false."""
    questions = [
        Question(
            f"q{n}",
            f"규정 {n}에 관한 설명으로 {'옳지 않은' if n in negative else '옳은'} 것은?",
            OPTIONS,
        )
        for n in range(1, count + 1)
    ]
    keys = [
        Key(
            question.id,
            answer="1",
            slices=(f"domain:{'법' if n % 3 else '경영'}", "rows:odd" if n % 2 else "rows:even"),
        )
        for n, question in enumerate(questions, 1)
    ]
    return questions, keys


def answered(folder, questions, labels, texts=(), plan="full"):
    """An answer folder; `labels` is one label for all questions, or one for each."""
    labels = [labels] * len(questions) if isinstance(labels, str) else labels
    turns = [
        Turn(q.id, 0, plan, len(texts), 10, 0, scores=[0.25] * 4, texts=list(texts))
        for q in questions
    ]
    answers = [
        Answer(q.id, label, (), 0.5, 10)
        for q, label in zip(questions, labels, strict=True)
        if label
    ]
    folder.mkdir(parents=True)
    write_jsonl(folder / "plan.jsonl", turns)
    write_jsonl(folder / "answers.jsonl", answers)
    return folder
