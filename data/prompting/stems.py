"""Detect negative stems of multiple-choice questions (`옳지 않은 것은?`)."""

from __future__ import annotations

import re

__all__ = ["is_negative"]

# The last clause of a negative stem asks for the option that is *not* true. "신고하지 않은 경우의
# 과태료는?" is a positive question about an omission.
_NEGATIVE = re.compile(
    r"(않은|않는|아니하는|아니한|아닌|틀린|그른|잘못된|잘못|없는|옳지|맞지|어긋나는|벗어난|거리가\s*먼"
    r"|부적절한|부적합한)"
    r"([^.?!]{0,14}?(것|설명|보기|내용|항목|사항|행위|조치|진술|경우)|\s*(곳|자))[은는을를]?"
    r"(\s*(무엇|어느|모두|고르|어떤)[^?]*)?[\s?？.:]*\Z"
)


def is_negative(stem: str) -> bool:
    """Return whether the stem asks for the option that is not true (`옳지 않은 것은?`)."""
    return bool(_NEGATIVE.search(stem.strip()))
