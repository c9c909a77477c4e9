"""Hold the sentences that several packages show, in Korean and English."""

from __future__ import annotations

__all__ = ["NOT_PROVEN"]

NOT_PROVEN = (
    "검증되지 않았습니다. 이 실행에는 평가 문항이 없으므로, 답이 맞는지 알 수 없습니다.",
    "Not proven: this run has no test questions, so it is not known how often its answers are "
    "right.",
)
