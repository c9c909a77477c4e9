"""Name the values of a run's environment, its stages and its training in Korean and English."""

from __future__ import annotations

from kofinlaw.scoring.value_text import Words

__all__ = [
    "ENVIRONMENT",
    "INPUTS",
    "PHASES",
    "PLANS",
    "STATES",
    "UNITS",
    "environment_label",
    "state_label",
]

ENVIRONMENT: dict[str, Words] = {
    "seed": ("난수 시드", "seed"),
    "kofinlaw": ("kofinlaw 버전", "kofinlaw version"),
    "commit": ("커밋", "commit"),
    "python": ("Python", "Python"),
    "system": ("운영체제", "operating system"),
    "processor": ("프로세서", "processor"),
    "cores": ("코어", "cores"),
    "memory_gib": ("메모리, GiB", "memory, GiB"),
    "graphics": ("그래픽 카드", "graphics card"),
    "packages": ("라이브러리", "libraries"),
}
STATES: dict[str, Words] = {
    "complete": ("완료", "complete"),
    "running": ("실행 중", "running"),
    "stopped": ("중단", "stopped"),
    "failed": ("실패", "failed"),
    "unproven": ("검증 없음", "not proven"),
    "outdated": ("이전 형식의 점수", "old scores"),
    "started": ("시작함", "started"),
}
# The figures that a stage reports while it works.
UNITS: dict[str, Words] = {
    "loss": ("손실", "loss"),
    "evaluation_loss": ("홀드아웃 손실", "held-out loss"),
    "choice_accuracy": ("학습 문항 정확도", "accuracy on training items"),
    "evaluation_accuracy": ("홀드아웃 정확도", "held-out accuracy"),
    "tokens_per_second": ("초당 토큰", "tokens per second"),
    "padding": ("패딩 비율", "padding share"),
    "budget": ("한 번에 계산하는 토큰", "tokens per pass"),
    "memory_gib": ("메모리, GiB", "memory, GiB"),
    "learning_rate": ("학습률", "learning rate"),
    "gradient_norm": ("그래디언트 노름", "gradient norm"),
    "plan": ("답변 계획", "answer plan"),
    "act": ("법령", "act"),
    "file": ("파일", "file"),
}
# How much of the answering plan was left when the time was short.
PLANS: dict[str, Words] = {
    "full": ("전체", "full"),
    "no-reasoning": ("추론 생략", "no-reasoning"),
    "half-context": ("근거 절반", "half-context"),
    "quarter-context": ("근거 4분의 1", "quarter-context"),
    "label-only": ("번호만", "label-only"),
}
# The inputs of the scoring, whose hashes are recorded.
INPUTS: dict[str, Words] = {
    "questions": ("문항", "questions"),
    "key": ("정답", "key"),
    "chunks": ("청크", "chunks"),
    "answers": ("답", "answers"),
}
# The phases of the stages, as they report them.
PHASES: dict[str, Words] = {
    "answer": ("문항에 답하는 중", "answering questions"),
    "augment: ask the student": ("학생 모델에 질문하는 중", "asking the student"),
    "augment: evidence": ("근거를 붙이는 중", "adding evidence"),
    "augment: generate": ("문항을 만드는 중", "generating questions"),
    "augment: ledger": ("교사의 출력을 읽는 중", "reading the teacher's outputs"),
    "augment: teacher": ("교사 모델이 쓰는 중", "the teacher is writing"),
    "augment: teacher answers again": ("교사 모델이 다시 푸는 중", "the teacher answers again"),
    "chunk": ("청크로 나누는 중", "splitting into chunks"),
    "clean": ("문서를 정리하는 중", "cleaning documents"),
    "compare": ("비교하는 중", "comparing"),
    "convert": ("변환하는 중", "converting"),
    "embed": ("임베딩하는 중", "embedding"),
    "evidence": ("근거를 고르는 중", "choosing evidence"),
    "exam": ("시험을 치르는 중", "taking the exam"),
    "history": ("이전 법령을 읽는 중", "reading earlier versions"),
    "index": ("색인하는 중", "indexing"),
    "judge": ("심판이 읽는 중", "the judge is reading"),
    "load": ("모델을 불러오는 중", "loading the model"),
    "merge": ("병합하는 중", "merging"),
    "preference": ("선호 학습 중", "preference training"),
    "probe": ("메모리를 확인하는 중", "probing memory"),
    "read": ("문서를 읽는 중", "reading documents"),
    "score": ("채점하는 중", "scoring"),
    "tokenise": ("토큰으로 나누는 중", "tokenising"),
    "train": ("학습하는 중", "training"),
    "vectors": ("벡터를 만드는 중", "computing vectors"),
    "verify": ("병합을 검증하는 중", "proving the merge"),
    "verify export": ("내보낸 모델을 검증하는 중", "proving the export"),
    "writing": ("파일을 쓰는 중", "writing files"),
}


def environment_label(name: str) -> Words:
    """Return the name of a value of the environment; unknown names stay unchanged."""
    return ENVIRONMENT.get(name, (name, name))


def state_label(name: str) -> Words:
    """Return the name of a state; unknown names stay unchanged."""
    return STATES.get(name, (name, name))
