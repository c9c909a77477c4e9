"""Say the checks and figures of the merge proof in Korean and English."""

from __future__ import annotations

from collections.abc import Mapping

from kofinlaw.scoring.value_text import Words, shown, translated

__all__ = ["BASES", "FIGURES", "WEIGHTS", "bound_words", "proof_rows"]

# A bound or a value of `verify.json` and its Korean form; `\1` is the part that the pattern keeps.
_KOREAN: tuple[tuple[str, str], ...] = (
    (r"the adapter's and the merge's", "어댑터와 병합 기록의 기본 모델과 같음"),
    (r"the base's or the adapter's bytes", "기본 모델 또는 어댑터의 파일과 같음"),
    (r"the base's", "기본 모델의 파일과 같음"),
    (r"the adapter's, which has other tokens", "토큰을 더한 어댑터의 파일과 같음"),
    (
        r"every module that the config selects, no more and no fewer",
        "설정이 고른 모든 모듈과 같음",
    ),
    (r"(\d+) modules, (\d+) tensors missing or too many", r"모듈 \1개, 빠지거나 남는 텐서 \2개"),
    (
        r"(\d+) modules, (\d+) tensors missing or too many, first (.+)",
        r"모듈 \1개, 빠지거나 남는 텐서 \2개, 첫째 \3",
    ),
    (r"the base's, no more and no fewer", "기본 모델의 텐서와 같은 개수"),
    (r"each is base \+ adapter, rounded once", "모두 기본 + 어댑터를 한 번 반올림한 값"),
    (r"transformers loads the merged folder", "transformers가 병합한 폴더를 불러옴"),
    (r"readable", "읽을 수 있음"),
    (r"at least ([\d.e+-]+)", r"\1 이상"),
    (
        r"at most ([\d.e+-]+) nats \(adapter's own effect ([\d.e+-]+)\)",
        r"\1 nat 이하(어댑터의 효과 \2)",
    ),
    (
        r"at most ([\d.e+-]+) nats a token \(the adapter's own: ([\d.e+-]+)\)",
        r"토큰당 \1 nat 이하(어댑터의 효과 \2)",
    ),
    (r"at most ([\d.e+-]+)", r"\1 이하"),
    (
        r"([\d.]+) to ([\d.]+) of every weight's change \(worst: (.+)\)",
        r"모든 가중치에서 변화량의 \1–\2배(가장 나쁜 곳: \3)",
    ),
    (r"([\d.]+) to ([\d.]+) of every weight's change", r"모든 가중치에서 변화량의 \1–\2배"),
    (r"(\d+) compared, (\d+) missing or too many", r"\1개 비교, 빠지거나 남는 것 \2개"),
    (r"(\d+) of (\d+) differ, first (.+)", r"\2개 가운데 \1개가 다름, 첫째 \3"),
    (r"(\d+) of (\d+) differ", r"\2개 가운데 \1개가 다름"),
)
BASES: dict[str, Words] = {
    "dequantized": ("4비트에서 되돌린 기본 모델", "dequantized base"),
    "original": ("원래 정밀도의 기본 모델", "base in its original precision"),
    "best": ("더 나은 기본 모델", "better of both bases"),
}
FIGURES: dict[str, Words] = {
    "argmax_agreement": ("다음 토큰 일치", "argmax agreement"),
    "kl_mean": ("KL 발산의 평균, nat", "mean KL divergence, nats"),
    "kl_max": ("KL 발산의 최댓값, nat", "largest KL divergence, nats"),
    "adapter_effect_kl": ("어댑터의 효과(KL), nat", "the adapter's own effect (KL), nats"),
    "kl_positions": ("KL을 계산한 위치", "positions of the KL divergence"),
    "loss_trained": ("손실, 기본 + 어댑터", "loss, base + adapter"),
    "loss_base": ("손실, 기본 모델", "loss, base model"),
    "loss_merged": ("손실, 병합한 모델", "loss, merged model"),
    "loss_difference_largest": (
        "한 토큰의 가장 큰 손실 차이",
        "largest loss difference of a token",
    ),
    "choices": ("객관식 문항", "multiple-choice questions"),
    "choice_agreement": ("같은 보기 선택", "same choices"),
    "greedy_same": ("같은 글을 쓴 수", "equal texts"),
    "greedy_texts": ("비교한 글의 수", "compared texts"),
    "seconds_per_token_trained": (
        "토큰당 시간, 기본 + 어댑터, s",
        "seconds a token, base + adapter",
    ),
    "seconds_per_token_merged": ("토큰당 시간, 병합한 모델, s", "seconds a token, merged model"),
    "answer_loss_base": ("답의 손실, 기본 모델", "loss of the answers, base model"),
    "answer_loss_trained": ("답의 손실, 기본 + 어댑터", "loss of the answers, base + adapter"),
    "answer_loss_merged": ("답의 손실, 병합한 모델", "loss of the answers, merged model"),
    "accuracy_trained": ("객관식 정답률, 기본 + 어댑터", "accuracy, base + adapter"),
    "accuracy_merged": ("객관식 정답률, 병합한 모델", "accuracy, merged model"),
    "compute_dtype": ("계산 형식", "compute format"),
    "tokens_compared": ("비교한 토큰", "compared tokens"),
}
WEIGHTS: dict[str, Words] = {
    "modules": ("LoRA 모듈", "modules with LoRA"),
    "tensors": ("텐서", "tensors"),
    "parameters": ("파라미터", "parameters"),
    "parameters_expected": ("파라미터, 기대한 수", "parameters, expected"),
    "delta_kept": ("남은 어댑터 비율", "share of the adapter that is kept"),
    "delta_kept_at": ("가장 적게 남은 가중치", "weight that keeps the least"),
    "rounding_share": ("저장하면서 반올림으로 사라진 비율", "share lost to rounding when stored"),
}


def bound_words(bound: object) -> Words:
    """Return a bound or a measured value in both languages; an unknown form stays unchanged."""
    text = shown(bound)
    if text.isdigit():
        text = f"{int(text):,}"
    return translated(text, _KOREAN), text


def proof_rows(merge: Mapping[str, object]) -> list[tuple[Words, str]]:
    """Return the bases and every figure of a proof as (name, text), in the order of the record."""
    rows: list[tuple[Words, str]] = []
    figures, weights = merge.get("figures"), merge.get("weights")
    for part, names in ((figures, FIGURES), (weights, WEIGHTS)):
        if isinstance(part, Mapping):
            rows += [(names[name], shown(value)) for name, value in part.items() if name in names]
    return rows
