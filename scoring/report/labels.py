"""The report's words in Korean and English."""

from __future__ import annotations

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
    "echo": ("질문 되풀이", "question repeated"),
    "overlap": ("근거와 겹치는 보기", "evidence overlap"),
}
SLICES = {
    "negative": ("부정형 질문", "negative stem"),
    "positive": ("긍정형 질문", "positive stem"),
    "numeric": ("숫자 보기", "numeric options"),
    "article-quoted": ("조문 번호 인용", "article quoted"),
    "scenario": ("사례형", "scenario"),
    "definition": ("정의", "definition"),
    "duty": ("의무와 금지", "duties"),
    "penalty": ("벌칙", "penalties"),
    "computed": ("계산해야 하는 것", "computed"),
    "actor": ("누가 하는가", "who acts"),
    "addressee": ("누구에게 하는가", "to whom"),
    "chain": ("조문을 이어 읽기", "articles chained"),
    "definition_mismatch": ("뜻이 맞지 않는 용어", "mismatched definition"),
    "definition_term": ("뜻에 맞는 용어", "term of a definition"),
    "term_definition": ("용어의 뜻", "definition of a term"),
    "enumeration": ("각 호에 드는 것", "in the list"),
    "enumeration_not": ("각 호에 들지 않는 것", "not in the list"),
    "exception": ("예외", "exception"),
    "modality": ("의무인가 재량인가", "must or may"),
    "not_of_article": ("그 조문이 아닌 것", "not of the article"),
    "penalty_named": ("정해진 벌칙", "the named penalty"),
    "penalty_not": ("벌칙이 아닌 것", "not the penalty"),
    "quantity": ("수량과 기한", "amounts and terms"),
    "statement_false": ("틀린 설명", "false statement"),
    "statement_true": ("옳은 설명", "true statement"),
    "violated_article": ("어긴 조문", "article violated"),
    "which_act": ("어느 법인가", "which act"),
    "which_article": ("어느 조문인가", "which article"),
}
STAGES = {
    "data": ("문서 읽기", "documents"),
    "augment": ("증강", "augmentation"),
    "questions": ("평가 문항", "questions"),
    "train": ("학습", "training"),
    "merge": ("병합", "merge"),
    "verify": ("병합 검증", "merge proof"),
    "index": ("색인", "index"),
    "export": ("내보내기", "export"),
    "submission": ("제출 파일", "submission"),
    "score": ("채점", "scoring"),
    "report": ("보고서", "report"),
}
FUNNEL = {
    "documents": ("문서", "documents"),
    "articles": ("조문", "articles"),
    "chunks": ("덩이", "chunks"),
    "drafts": ("만들 수 있는 초안", "possible drafts"),
    "train": ("학습 문항", "training items"),
    "heldout": ("따로 둔 문항", "held-out items"),
    "examples": ("학습 예", "training examples"),
}
TRAINING = {
    "examples": ("학습 예", "examples"),
    "steps": ("단계", "steps"),
    "tokens": ("토큰", "tokens"),
    "supervised_tokens": ("배운 토큰(답)", "supervised tokens"),
    "loss_first": ("처음 손실", "loss at first"),
    "loss_last": ("끝 손실", "loss at the end"),
    "evaluation_loss": ("따로 둔 예의 손실", "held-out loss"),
    "padding": ("채움 비율", "padding share"),
    "tokens_per_second": ("초당 토큰", "tokens a second"),
    "train_seconds": ("학습 시간, s", "training time, s"),
    "peak_memory_gib": ("최대 메모리, GiB", "peak memory, GiB"),
    "trainable_parameters": ("학습한 매개변수", "trained parameters"),
}
MERGE_CHECKS = {
    "base": ("기본 모델", "base"),
    "tokenizer": ("토크나이저", "tokenizer"),
    "chat template": ("대화 틀", "chat template"),
    "rendered turns": ("대화 틀로 쓴 글", "rendered turns"),
    "tensors": ("텐서", "tensors"),
    "parameters": ("매개변수", "parameters"),
    "weights": ("가중치", "weights"),
    "adapter kept": ("남은 어댑터 몫", "adapter kept"),
    "argmax agreement": ("다음 낱말 일치", "argmax agreement"),
    "KL divergence": ("KL 거리", "KL divergence"),
    "loss difference": ("손실 차이", "loss difference"),
    "same choices": ("같은 보기를 고름", "same choices"),
}
SECTIONS = {
    "scores": ("점수", "Scores"),
    "slices": ("문항 유형별", "Slices"),
    "items": ("어디서 틀리는가", "Where it fails"),
    "training": ("학습", "Training"),
    "augment": ("증강", "Augmentation"),
    "retrieval": ("검색", "Retrieval"),
    "latency": ("시간", "Latency"),
    "merge": ("병합 증명", "Merge proof"),
    "compliance": ("규정 준수", "Compliance"),
    "environment": ("환경과 재현", "Environment"),
}


def system_label(name: str, language: str) -> str:
    """A system's name for people; answer stages and unknown names stand as they are."""
    pair = SYSTEMS.get(name)
    return pair[LANGUAGES.index(language)] if pair else name


def baseline_label(name: str, language: str) -> str:
    """A baseline's name for people; `overlap:SYSTEM` names its system."""
    kind, _, system = name.partition(":")
    pair = BASELINES.get(kind)
    if not pair:
        return name
    label = pair[LANGUAGES.index(language)]
    return f"{label}, {system_label(system, language)}" if system else label


def slice_label(name: str, language: str) -> str:
    """A slice's name for people."""
    if name.startswith("options-"):
        count = name.removeprefix("options-")
        return f"보기 {count}개" if language == "ko" else f"{count} options"
    kind, _, value = name.partition(":")
    if value and kind in ("domain", "sub_domain"):
        return value
    pair = SLICES.get(name)
    return pair[LANGUAGES.index(language)] if pair else name


def stage_label(name: str, language: str) -> str:
    """A stage's name for people."""
    if name.startswith("answer-"):
        system = system_label(name.removeprefix("answer-"), language)
        return f"답변: {system}" if language == "ko" else f"answers: {system}"
    pair = STAGES.get(name)
    return pair[LANGUAGES.index(language)] if pair else name
