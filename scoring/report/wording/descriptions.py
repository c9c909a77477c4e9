"""Translate the descriptions of the bundled recipes; other descriptions are the user's own."""

from __future__ import annotations

from kofinlaw.scoring.value_text import Words

__all__ = ["DESCRIPTIONS", "description_words"]

DESCRIPTIONS: dict[str, str] = {
    "your statutes, an embedder trained on them, an index and the base model": (
        "내 법령, 그것으로 학습한 임베딩 모델, 색인, 기본 모델"
    ),
    "the values of a public guide, for comparison": "비교를 위한 공개 가이드의 설정",
    "your documents, an index and the base model; nothing is trained": (
        "내 문서, 색인, 기본 모델. 학습하지 않습니다"
    ),
    "EXAONE 3.5 7.8B, QLoRA, contest rules, 515 questions in 270 minutes": (
        "EXAONE 3.5 7.8B, QLoRA, 대회 규정, 270분 안에 515문항"
    ),
    "EXAONE 3.5 7.8B writes examples for an EXAONE student": (
        "EXAONE 3.5 7.8B가 EXAONE 학생 모델의 예제를 씁니다"
    ),
    "three LoRA ranks of a 270M model on the bundled corpus, no GPU needed": (
        "내장 코퍼스로 270M 모델의 LoRA 랭크 세 가지를 비교, GPU 필요 없음"
    ),
    "the published LoRA rank study on OPT-350m (planned, not run)": (
        "OPT-350m의 공개된 LoRA 랭크 연구 (계획만 함)"
    ),
    "the rulebooks of an invented bank, a 270M model, every stage, no GPU needed": (
        "가상 은행의 규정집과 270M 모델로 모든 단계를 실행, GPU 필요 없음"
    ),
    "Qwen2.5 7B writes examples for a Qwen2.5 student": (
        "Qwen2.5 7B가 Qwen2.5 학생 모델의 예제를 씁니다"
    ),
    "Qwen2.5 7B, QLoRA, contest rules, 515 questions in 270 minutes": (
        "Qwen2.5 7B, QLoRA, 대회 규정, 270분 안에 515문항"
    ),
    "no retrieval, dense, ensemble, multi-query and full, each with the base and the trained "
    "model": "검색 없음, 밀집 검색, 앙상블, 다중 질의, 전체를 기본 모델과 학습 모델로 비교",
    "SOLAR 10.7B, QLoRA, contest rules, 515 questions in 270 minutes": (
        "SOLAR 10.7B, QLoRA, 대회 규정, 270분 안에 515문항"
    ),
    "SOLAR 10.7B writes examples for a SOLAR student": (
        "SOLAR 10.7B가 SOLAR 학생 모델의 예제를 씁니다"
    ),
    "real statutes, a 270M model trained on some acts and tested on others": (
        "실제 법령. 270M 모델을 일부 법으로 학습하고 다른 법으로 평가"
    ),
}


def description_words(description: str) -> Words:
    """Return a recipe's description in both languages; an unknown one stays unchanged."""
    return DESCRIPTIONS.get(description, description), description
