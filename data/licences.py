"""Find the licence that a document states, and normalise its name.

공공누리 (KOGL) has four types. All require attribution; type 2 forbids commercial use, type 3
forbids derivatives, and type 4 forbids both. This module only reads the type; `models.policy`
decides what it permits.
"""

from __future__ import annotations

import re

__all__ = ["NOT_PROTECTED", "UNKNOWN", "normalise_licence", "stated_licence"]

# Korean Copyright Act, article 7: statutes, notices and court decisions are not protected.
NOT_PROTECTED = "KR-Copyright-Act-Art7"
UNKNOWN = "unknown"

_KOGL = re.compile(
    r"(?:공공누리|KOGL|Korea\s*Open\s*Government\s*Licen[cs]e)\s*+[-:(]?\s*+(?:제|type|유형)?\s*+-?\s*+([1-4])"
    r"\s*(?:유형)?",
    re.IGNORECASE,
)
_CREATIVE = re.compile(r"\bCC[\s-]*(BY(?:[\s-]*(?:NC|ND|SA))*|0)(?:[\s-]*(\d\.\d))?", re.IGNORECASE)
_KNOWN = {
    "apache-2.0": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "mit": "MIT",
    "public domain": "public-domain",
    "퍼블릭 도메인": "public-domain",
}
_STATED = re.compile(
    r"(?:라이선스|라이센스|이용\s?허락|이용\s?조건|[Ll]icen[cs]e)\s*[:：]\s*([^\n·|/,;]{2,60})"
)
_HEAD = 3000


def normalise_licence(stated: str) -> str:
    """Return the normalised name of a licence (`KOGL-1`, `CC-BY-NC-4.0`);
    unknown names as stated.
    """
    text = re.sub(r"\s+", " ", stated).strip().rstrip(".")
    if match := _KOGL.search(text):
        return f"KOGL-{match.group(1)}"
    if match := _CREATIVE.search(text):
        parts = re.sub(r"[\s-]+", "-", match.group(1).upper())
        version = f"-{match.group(2)}" if match.group(2) else ""
        return f"CC{'-' if parts != '0' else ''}{parts}{version}"
    return _KNOWN.get(text.lower(), text)


def stated_licence(text: str) -> str:
    """Return the licence that a text states near its start or end; empty if it states none.

    Only `라이선스: …` lines and 공공누리 notices count: a document about licences names many.
    """
    for part in (text[:_HEAD], text[-_HEAD:]):
        if match := _STATED.search(part):
            return normalise_licence(match.group(1))
    if match := re.search(r"공공누리\s*+제?\s*+[1-4]\s*유형", text[-_HEAD:]):
        return normalise_licence(match.group(0))
    return ""
