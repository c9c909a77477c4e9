"""Swap who acts and towards whom: `은행은 금융위원회에 보고하여야 한다` ↔ the reverse.

Both versions hold the same words, so only their roles tell which one the law says.
"""

from __future__ import annotations

import re

from kofinlaw.augment.hard.facts import Fact
from kofinlaw.augment.reading.acts import Law
from kofinlaw.augment.reading.names import is_name, subject
from kofinlaw.data.korean.words import josa

__all__ = ["reversed_roles"]

# Acts that have one direction: what A does towards B, B does not do towards A.
_ONE_WAY = re.compile(
    r"(?:보고|제출|신고|등록|통보|신청|교부|청구|요구|명|권고|지급|반환|인도|납부|위탁|인가|허가|승인|제공|요청|고지|통지|내)"
)
_TOWARDS = re.compile(r"(?<=\s)(?P<name>[가-힣ㆍ]{2,16})(?P<particle>에게|에) ")
_BODY = re.compile(
    r"(?:위원회|원|회사|은행|기관|법원|이사회|총회|협회|중앙회|센터|금고|조합|정부|청)$"
)


def reversed_roles(law: Law, fact: Fact) -> str:
    """Return the fact with its subject and its receiver swapped; empty where that may be true too.

    It may be true if a sentence of the article says it, or if the parties overlap.
    """
    text = fact.text
    who = subject(text)
    if not who or not text.startswith(who) or not _ONE_WAY.search(text[-18:]):
        return ""
    found = [m for m in _TOWARDS.finditer(text, len(who)) if is_name(m.group("name"))]
    if len(found) != 1:
        return ""
    towards, name = found[0], found[0].group("name")
    if law.parties.may_hold_for(name, who) or text.count(name) > 1 or text.count(who) > 1:
        return ""
    before = text[: towards.start()].rstrip().rsplit(" ", 1)[-1]
    if before in ("또는", "및") or before.endswith(("의", "ㆍ")):
        return ""
    for clause in law.by_article.get(fact.clause.article.id, ()):
        if subject(clause.main) == name and who in clause.main:
            return ""
    middle = text[len(who) + 1 : towards.start()]
    particle = "에" if _BODY.search(who) and not who.endswith(("임원", "직원")) else "에게"
    return f"{josa(name, '은/는')}{middle}{who}{particle} {text[towards.end() :]}"
