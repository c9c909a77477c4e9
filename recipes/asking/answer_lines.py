"""Write an answer as the lines of a terminal: the answer, what decides it, and the evidence.

The evidence is that which the model read. Each passage is shown by the paragraph that decides,
whole, with the words of the question marked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kofinlaw.rag.abstention.decision import Judgement
    from kofinlaw.rag.answer.single_question import AskedAnswer, Evidence

__all__ = ["LineStyle", "answer_lines", "evidence_lines", "option_mark", "terminal_style"]

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_INSTEAD = "모델의 답을 쓸 수 없어 조문을 인용합니다: "
_WITHOUT_MODEL = "모델이 답하지 못해 조문과 가장 많이 겹치는 보기를 골랐습니다"
_KEPT = {
    "empty": "모델의 답에 글자가 없습니다",
    "prompt": "모델의 답이 질문이나 지시문을 되풀이합니다",
    "loop": "모델의 답이 같은 말을 되풀이합니다",
    "script": "모델의 답에 다른 문자가 섞여 있습니다",
}


@dataclass(frozen=True)
class LineStyle:
    """How lines are written: with bold words, and with scores, retrievers and search lists."""

    bold: bool = False
    debug: bool = False

    def strong(self, text: str) -> str:
        """Return the text in bold, where the terminal shows it."""
        return f"{_BOLD}{text}{_PLAIN}" if self.bold and text else text


def terminal_style(*, debug: bool = False) -> LineStyle:
    """Return the style of standard output: bold on a terminal, unless NO_COLOR is set."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return LineStyle(bold=wanted and sys.stdout.isatty(), debug=debug)


def option_mark(number: int) -> str:
    """Return the mark of an option: `②` for 2."""
    return chr(ord("①") + number - 1)


def answer_lines(result: AskedAnswer, style: LineStyle) -> list[str]:
    """Return the lines that show an answer with its evidence."""
    lines = [_answer_line(result, style)]
    units = {hit.chunk: hit.unit for hit in result.evidence}
    if result.decisive:
        unit = units.get(result.decisive_chunk, "")
        marked = _marked(result.decisive, f"{result.question} {result.option}", style)
        lines.append(f"결정 문장 · {marked} ({unit})")
    elif result.quoted in units:
        lines.append(f"인용 · {units[result.quoted]}")
    lines += _warnings(result)
    if style.debug:
        why = f", {result.replaced}" if result.replaced else ""
        lines.append(f"[origin {result.origin}{why}, confidence {result.confidence:.4f}]")
        lines += _judgement(result.judgement)
    if result.abstained:
        nearest = result.judgement.nearest if result.judgement is not None else ()
        return ["", *lines, *([f"가장 가까운 조문 · {', '.join(nearest)}"] if nearest else [])]
    return ["", *lines, "", *evidence_lines(result, style)]


def _judgement(judgement: Judgement | None) -> list[str]:
    """Return the line of `--debug` on the score and the floor of the question."""
    if judgement is None:
        return []
    if judgement.floor is None or judgement.score is None:
        return ["[no floor: an older version built the index, or it is searched without vectors]"]
    reason = f", {judgement.reason}" if judgement.reason else ""
    errors = ""
    if judgement.bound is not None:
        bound = f"bound {judgement.bound:.0%}" if judgement.bound else "assumed"
        hidden = "" if judgement.passed is None else f", {judgement.passed:.0%} pass when hidden"
        errors = f" ({bound}{hidden})"
    return [f"[bearing {judgement.score:.4f}, floor {judgement.floor:.4f}{errors}{reason}]"]


def evidence_lines(result: AskedAnswer, style: LineStyle, *, whole: bool = False) -> list[str]:
    """Return the lines that show the evidence; `whole` shows the passages and not a paragraph."""
    used = [hit for hit in result.evidence if hit.shown or hit.chunk == result.quoted]
    lines = ["근거" if used else "근거 없음"]
    for number, hit in enumerate(used, 1):
        lines.append(f"[{number}] {_source(hit)}")
        lines += [f"    {line}" for line in _body(result, hit, style, whole=whole)]
        if style.debug:
            lines.append(f"    [{hit.score:.4f}, {hit.by}, {hit.chunk}]")
    if style.debug:
        rest = [hit for hit in result.evidence if hit not in used]
        lines += [f"[not read] {hit.unit} [{hit.score:.4f}, {hit.by}, {hit.chunk}]" for hit in rest]
    return lines


def _answer_line(result: AskedAnswer, style: LineStyle) -> str:
    from kofinlaw.data.prompting.wording import NO_EVIDENCE

    if result.option:
        mark = style.strong(f"{option_mark(int(result.answer))} {result.option}")
        if result.origin == "fallback":
            return f"{mark} ({_WITHOUT_MODEL})"
        return f"{mark} (확신 {result.confidence:.2f})"
    instead = result.origin == "fallback" and result.answer != NO_EVIDENCE
    return (_INSTEAD if instead else "") + style.strong(result.answer)


def _warnings(result: AskedAnswer) -> list[str]:
    """Return what a reader should check: acts without a text of that day, values that no source
    of a generated answer has.
    """
    former = result.judgement.former if result.judgement is not None else ()
    lines = [f"이름 · 「{name}」 → {_quoted(titles)} (부칙 또는 레시피)" for name, titles in former]
    lines += [
        f"「{act.title}」: 그날 시행 중인 조문이 없습니다 (말뭉치의 첫 시행일 {act.first})"
        for act in result.absent
    ]
    if result.doubt:
        lines.append(f"확인 필요 · 보기를 확실히 읽지 못했습니다: {result.doubt}")
    if result.origin == "model" and not result.option:
        from kofinlaw.rag.answer.free_text import free_problem
        from kofinlaw.scoring.metrics.grounding import ungrounded

        read = [hit for hit in result.evidence if hit.shown]
        problem = free_problem(result.answer, result.question, [hit.read for hit in read])
        if problem:  # only under free_replace: false, else a quotation replaces it
            lines.append(f"주의 · {_KEPT[problem]} (answer.free_replace: false)")
        sources = [*(hit.text for hit in read), result.question]
        _, missing = ungrounded(result.answer, sources, [hit.unit for hit in read])
        if missing:
            values = ", ".join(claim.text for claim in missing)
            lines.append(f"확인 필요 · 근거에 없는 값입니다: {values}")
    return lines


def _quoted(titles: Sequence[str]) -> str:
    return ", ".join(f"「{title}」" for title in titles)


def _source(hit: Evidence) -> str:
    """Return where a passage is from: its article or heading, its days, its file with pages."""
    from kofinlaw.data.law.versions import VERSIONED

    heading = hit.text.split("\n", 1)[0].strip()
    title = heading if heading.startswith(hit.unit) and len(heading) <= 120 else hit.unit
    day = hit.version
    if not day and hit.kind in VERSIONED:
        day = f"시행 {hit.day}" if hit.day else "시행일 모름"
    elif not day and hit.day:
        day = f"기준일 {hit.day}"
    file = hit.source.rsplit("/", 1)[-1] + (f" {hit.pages}쪽" if hit.pages else "")
    scan = f"문자 인식 {hit.ocr}" if hit.ocr else ""
    return " · ".join(filter(None, [title, day, file, scan]))


def _body(result: AskedAnswer, hit: Evidence, style: LineStyle, *, whole: bool) -> list[str]:
    from kofinlaw.rag.reading.paragraphs import deciding_paragraph

    said = result.option if result.option else result.answer
    asked = f"{result.question} {result.option}"
    if whole:
        heading, _, rest = hit.text.partition("\n")
        lines, more = (rest or heading).split("\n"), 0
    else:
        own = said if result.option or hit.chunk == result.quoted else ""
        found = deciding_paragraph(result.question, hit.text, own, read=hit.read)
        lines, more = list(found.lines), found.left_out
    marked = [_marked(line, asked, style) for line in lines]
    return [*marked, f"… 그 밖에 {more}개"] if more else marked


def _marked(text: str, asked: str, style: LineStyle) -> str:
    from kofinlaw.rag.reading.paragraphs import matching_words

    if not style.bold:
        return text
    out, end = "", 0
    for start, stop in matching_words(text, asked):
        out += text[end:start] + style.strong(text[start:stop])
        end = stop
    return out + text[end:]
