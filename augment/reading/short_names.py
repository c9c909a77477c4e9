"""Find short names that mean a body in one article only, so that a question has to cite it.

`이하 이 조에서 "위원회"라 한다` names the 분담금 관리위원회; read alone it is the 금융위원회.
"""

from __future__ import annotations

import re

from kofinlaw.records import Article

__all__ = ["local_names", "needs_article"]

# A short name for one article only: `이하 이 조 및 제7조에서 "신청기관"이라 한다`.
_LOCAL = re.compile(r'이하 이 [조항호][^"“”()\n]{0,40}에서(?:는)? ?["“](?P<name>[^"“”]{2,20})["”]')
# Bodies and offices that an act may have several of, where nothing before says which one.
_VAGUE = re.compile(
    r"(?:^|[ ,(ㆍ])(?:위원회|소위원회|협의회|심의회|심사위원회|분과위원회|실무위원회|조정부|위원장"
    r"|부위원장|위원|의장|부의장|간사|회장|사무국장?|센터|협회)(?:[은는이가을를의에과와]|에서|에게|으로|로)(?![가-힣])"
)


def local_names(article: Article) -> frozenset[str]:
    """Return the short names that the article gives for itself only."""
    return frozenset(match.group("name") for match in _LOCAL.finditer(article.text))


def needs_article(article: Article, text: str) -> bool:
    """Return whether a text of the article uses a short name that only the article explains."""
    return bool(_VAGUE.search(text)) or any(
        re.search(rf"(?<![가-힣]){re.escape(name)}", text) for name in local_names(article)
    )
