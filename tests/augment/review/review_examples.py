"""Examples of every form, in the project's words, and verdicts on them."""

from kofinlaw.augment.review.verdicts import Verdict, example_sha256
from kofinlaw.data.prompting.wording import (
    REASONED_CUE,
    choice_messages,
    free_messages,
    verification_messages,
)
from kofinlaw.records import Choice, Example

LAW = "전자지급 안전법 제4조(거래내용의 확인)\n③ 지급업자는 거래기록을 5년간 보존하여야 한다."
QUESTION = "지급업자가 거래기록을 보존하여야 하는 기간은?"
OPTIONS = ["1년", "3년", "5년", "10년"]
ORIGIN = {
    "chunks": ["전자지급 안전법/제4조"],
    "generator": "quantity",
    "version": "1/2",
    "teacher": "",
    "teacher_revision": "",
    "teacher_license": "",
    "prompt_sha256": "",
    "seed": 7,
}


def with_reply(messages, reply):
    return [*messages, {"role": "assistant", "content": reply}]


def choice_example(
    name="quantity-1", *, form="label", reason="", options=OPTIONS, answer=2, twin=""
):
    messages = choice_messages(QUESTION, options, [LAW], form, reasoning=bool(reason))
    reply = str(answer + 1) if form == "label" else options[answer]
    reply = f"{reason}{REASONED_CUE}{reply}" if reason else reply
    return Example(
        name,
        "choice_quantity",
        with_reply(messages, reply),
        str(answer + 1),
        dict(ORIGIN),
        [{"check": "options_distinct", "ok": True}],
        Choice(
            question=QUESTION, options=list(options), evidence=[LAW],
            answer=answer, negative=False, twin=twin,
        ),
    )  # fmt: skip


def free_example(name="free-1", evidence=(LAW,)):
    reply = "지급업자는 거래기록을 5년간 보존하여야 한다(제4조제3항)."
    messages = with_reply(free_messages(QUESTION, evidence), reply)
    return Example(name, "free", messages, reply, dict(ORIGIN))


def statement_example(name="statement-1"):
    messages = verification_messages("지급업자는 거래기록을 3년간 보존하여야 한다.", [LAW])
    return Example(name, "verification", with_reply(messages, "틀림"), "틀림", dict(ORIGIN))


def verdict(example, judgement="right", reader="kim", **more):
    given = {"reason": "", "correction": None, "settles": False, "day": "2026-11-30", **more}
    sha256 = given.pop("sha256", None) or example_sha256(example)
    return Verdict(example.id, sha256, reader, judgement, **given)


def correction(question=QUESTION, options=OPTIONS, answer="3", target=""):
    return {"question": question, "options": list(options), "answer": answer, "target": target}
