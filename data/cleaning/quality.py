"""Judge the quality of a chunk: length, broken characters, share of Hangul, menu words."""

from __future__ import annotations

import re

from kofinlaw.data.korean.words import hangul_share
from kofinlaw.data.settings import QualitySettings

__all__ = ["quality_problem"]

_BROKEN = re.compile(r"[\ufffd\ue000-\uf8ff\x00-\x08\x0b\x0c\x0e-\x1f]")
_MENU = re.compile(
    r"(로그인|회원가입|사이트맵|본문\s?바로가기|개인정보처리방침|이용약관|저작권\s?보호|"
    r"Copyright|All rights reserved|이전글|다음글|목록보기|인쇄하기|공유하기|홈페이지 메뉴)",
    re.IGNORECASE,
)


def quality_problem(body: str, settings: QualitySettings) -> tuple[str, str]:
    """Return (reason, detail) of a rejection; two empty texts if the quality is good.

    `body` is the text of a chunk without its header.
    """
    bare = re.sub(r"\s", "", body)
    if len(bare) < settings.min_characters:
        return "too_short", f"{len(bare)} characters"
    broken = len(_BROKEN.findall(bare)) / len(bare)
    if broken > settings.max_broken_share:
        return "broken_text", f"{broken:.1%} of the characters are broken"
    share = hangul_share(bare)
    if share < settings.min_hangul_share and sum(1 for c in bare if c.isalpha()) >= 20:
        return "not_korean", f"{share:.0%} of the letters are Hangul"
    menu = sum(len(m.group(0)) for m in _MENU.finditer(body))
    if menu > 0.3 * len(bare):
        return "boilerplate", "mostly menu or footer words"
    return "", ""
