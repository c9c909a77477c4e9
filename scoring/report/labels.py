"""Define the names that the report shows, in Korean and English."""

from __future__ import annotations

from kofinlaw.scoring.report.wording.question_kinds import kind_label
from kofinlaw.scoring.value_text import Words

__all__ = [
    "BASELINES",
    "CRITERIA",
    "EVIDENCE",
    "FUNNEL",
    "LANGUAGES",
    "MERGE_CHECKS",
    "METHODS",
    "PARTS",
    "SECTIONS",
    "SLICES",
    "STAGES",
    "SYSTEMS",
    "TRAINING",
    "TRAINING_REST",
    "baseline_label",
    "pair_label",
    "row_label",
    "slice_label",
    "stage_label",
    "system_label",
]

LANGUAGES = ("ko", "en")

SYSTEMS = {
    "base": ("기본 모델", "base model"),
    "base-rag": ("기본 모델 + 검색", "base + retrieval"),
    "trained": ("학습 모델", "trained model"),
    "trained-rag": ("학습 모델 + 검색", "trained + retrieval"),
}
BASELINES = {
    "majority": ("가장 흔한 번호", "majority digit"),
    "longest": ("가장 긴 보기", "longest option"),
    "uniform": ("무작위", "uniform guess"),
    "echo": ("질문을 그대로 답함", "question repeated"),
    "stem_overlap": ("질문과 겹치는 보기", "stem overlap"),
    "sentence": ("질문과 가장 가까운 근거 문장", "nearest evidence sentence"),
    "overlap": ("근거와 겹치는 보기", "evidence overlap"),
    "look_up": ("근거에서 그대로 찾은 보기", "look-up in the evidence"),
}
METHODS = {"bigrams": ("바이그램", "bigrams"), "morphemes": ("형태소", "morphemes")}
SLICES = {
    "rows:odd": ("홀수 번째 행", "odd rows"),
    "rows:even": ("짝수 번째 행", "even rows"),
    "negative": ("부정형 질문", "negative stem"),
    "positive": ("긍정형 질문", "positive stem"),
    "hard": ("읽어야 푸는 문항", "hard"),
    "look_up": ("찾아서 푸는 문항", "look-up"),
    "numeric": ("숫자 보기", "numeric options"),
    "article-quoted": ("조문 번호 인용", "article cited"),
    "scenario": ("사례형", "scenario"),
    "computed": ("계산이 필요한 문항", "needs a calculation"),
}
STAGES = {
    "data": ("문서 읽기", "documents"),
    "augment": ("증강", "augmentation"),
    "questions": ("평가 문항", "questions"),
    "evidence": ("정해진 근거", "forced evidence"),
    "train": ("학습", "training"),
    "merge": ("병합", "merge"),
    "verify": ("병합 검증", "merge proof"),
    "index": ("색인", "index"),
    "export": ("내보내기", "export"),
    "submission": ("제출 파일", "submission"),
    "score": ("채점", "scoring"),
    "exams": ("시험", "exams"),
    "twins": ("쌍둥이 문항", "twins"),
    "report": ("보고서", "report"),
}
FUNNEL = {
    "documents": ("문서", "documents"),
    "articles": ("조문", "articles"),
    "chunks": ("청크", "chunks"),
    "drafts": ("가능한 초안", "possible drafts"),
    "train": ("학습 문항", "training items"),
    "heldout": ("홀드아웃 문항", "held-out items"),
    "heldout_free": ("그중 주관식", "of which free text"),
    "examples": ("학습 예제", "training examples"),
}
TRAINING = {
    "examples": ("학습 예제", "examples"),
    "steps": ("스텝", "steps"),
    "tokens": ("토큰", "tokens"),
    "supervised_tokens": ("학습 대상 토큰(답)", "supervised tokens"),
    "loss_first": ("첫 손실", "first loss"),
    "loss_last": ("마지막 손실", "last loss"),
    "evaluation_loss": ("홀드아웃 손실", "held-out loss"),
    "choices": ("선택 학습 문항(스텝 합계)", "items to choose from, all steps"),
    "choice_accuracy_first": ("학습 문항 정확도, 처음", "accuracy on training items, first"),
    "choice_accuracy_last": ("학습 문항 정확도, 마지막", "accuracy on training items, last"),
    "evaluation_accuracy": ("홀드아웃 문항 정확도", "accuracy on held-out items"),
    "padding": ("패딩 비율", "padding share"),
    "tokens_per_second": ("초당 토큰", "tokens per second"),
    "train_seconds": ("학습 시간, s", "training time, s"),
    "peak_memory_gib": ("최대 메모리, GiB", "peak memory, GiB"),
    "trainable_parameters": ("학습한 파라미터", "trained parameters"),
}
TRAINING_REST = {
    "held_out": ("홀드아웃 예제", "held-out examples"),
    "rejected": ("버린 예제", "rejected examples"),
    "best_step": ("가장 좋은 스텝", "best step"),
    "resumed_from": ("이어서 시작한 스텝", "resumed from step"),
    "out_of_memory": ("메모리가 모자란 횟수", "times out of memory"),
    "seconds": ("단계 시간, s", "time of the stage, s"),
    "budget_tokens": ("한 번에 계산하는 토큰", "tokens per pass"),
    "unmoved_tensors": ("바뀌지 않은 텐서", "unmoved tensors"),
    "frozen_changed": ("바뀐 고정 텐서", "changed frozen tensors"),
    "processes": ("프로세스", "processes"),
    "base_sha256": ("기본 모델의 해시", "hash of the base model"),
    "template_sha256": ("채팅 템플릿의 해시", "hash of the chat template"),
}
MERGE_CHECKS = {
    "base": ("기본 모델", "base"),
    "tokenizer": ("토크나이저", "tokenizer"),
    "chat template": ("채팅 템플릿", "chat template"),
    "rendered turns": ("템플릿 적용 결과", "rendered turns"),
    "adapter modules": ("어댑터가 있는 모듈", "adapter modules"),
    "tensors": ("텐서", "tensors"),
    "parameters": ("파라미터", "parameters"),
    "weights": ("가중치", "weights"),
    "adapter kept": ("남은 어댑터 비율", "adapter kept"),
    "argmax agreement": ("다음 토큰 일치", "argmax agreement"),
    "KL divergence": ("KL 발산", "KL divergence"),
    "loss difference": ("손실 차이", "loss difference"),
    "same choices": ("같은 보기 선택", "same choices"),
    "loads": ("불러오기", "loads"),
}
EVIDENCE = {
    "gold": ("정답 근거", "gold evidence"),
    "retrieved": ("검색한 근거", "retrieved evidence"),
    "partial": ("결정적인 줄이 없는 근거", "without the deciding line"),
    "none": ("근거 없음", "no evidence"),
    "contradicting": ("모순되는 근거", "contradicting evidence"),
}
PARTS = {
    "choice": ("객관식", "multiple choice"),
    "free": ("주관식", "free text"),
}
CRITERIA = {
    "correctness": "정확성",
    "helpfulness": "유용성",
    "pairwise": "짝 비교",
}
SECTIONS = {
    "scores": ("점수", "Scores"),
    "exams": ("시험", "Exams"),
    "abstention": ("기권", "Abstention"),
    "twins": ("쌍둥이 문항", "Twins"),
    "slices": ("문항 유형별", "Slices"),
    "items": ("문항별 결과", "Item results"),
    "training": ("학습", "Training"),
    "augment": ("증강", "Augmentation"),
    "retrieval": ("검색", "Retrieval"),
    "latency": ("응답 시간", "Latency"),
    "merge": ("병합 증명", "Merge proof"),
    "compliance": ("규정 준수", "Compliance"),
    "environment": ("환경과 재현", "Environment"),
    "glossary": ("용어", "Glossary"),
}


def system_label(name: str) -> Words:
    """Return a system's name; answer stages and unknown names stay unchanged."""
    return SYSTEMS.get(name, (name, name))


def pair_label(first: str, second: str) -> Words:
    """Return two systems with an arrow from the first to the second."""
    before, after = system_label(first), system_label(second)
    return f"{before[0]} → {after[0]}", f"{before[1]} → {after[1]}"


def baseline_label(name: str, method: str = "") -> Words:
    """Return a baseline's name; `overlap:SYSTEM` also names its system.

    `method` is how its tokens were made (`bigrams` or `morphemes`), or empty.
    """
    kind, _, system = name.partition(":")
    if kind not in BASELINES:
        return name, name
    korean, english = BASELINES[kind]
    if method in METHODS:
        korean, english = f"{korean}, {METHODS[method][0]}", f"{english}, {METHODS[method][1]}"
    if not system:
        return korean, english
    label = system_label(system)
    return f"{korean}, {label[0]}", f"{english}, {label[1]}"


def row_label(name: str) -> Words:
    """Return the name of a system, or of a solver of an exam (`overlap_bigrams:SYSTEM`)."""
    if name in SYSTEMS:
        return system_label(name)
    solver, colon, system = name.partition(":")
    if solver.startswith("overlap_"):
        kind, _, method = solver.partition("_")
        return baseline_label(f"{kind}{colon}{system}", method)
    return baseline_label(name)


def slice_label(name: str) -> Words:
    """Return a slice's name."""
    kind, _, value = name.partition(":")
    if name.startswith("options-"):
        count = name.removeprefix("options-")
        return f"보기 {count}개", f"{count} options"
    if value and kind in ("domain", "sub_domain", "category", "year", "paper"):
        return value, value
    return SLICES.get(name) or kind_label(name)


def stage_label(name: str) -> Words:
    """Return a stage's name; `answer-SYSTEM` and `evidence-MODEL-KIND` also name what answers."""
    if name.startswith("answer-"):
        label = system_label(name.removeprefix("answer-"))
        return f"답변: {label[0]}", f"answers: {label[1]}"
    model, _, kind = name.removeprefix("evidence-").partition("-")
    if name.startswith("evidence-") and kind in EVIDENCE:
        label, evidence = system_label(model), EVIDENCE[kind]
        return f"{evidence[0]}: {label[0]}", f"{evidence[1]}: {label[1]}"
    if name.startswith("twins-"):
        label = system_label(name.removeprefix("twins-"))
        return f"쌍둥이 문항: {label[0]}", f"twins: {label[1]}"
    if name.startswith("exam-"):
        exam, _, part = name.removeprefix("exam-").partition(".")
        label = STAGES.get(part) or system_label(part) if part else ("문항", "questions")
        return f"시험 {exam}: {label[0]}", f"exam {exam}: {label[1]}"
    return STAGES.get(name, (name, name))
