"""The verdict in three lines and the warnings below them, in plain words, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kofinlaw.data.korean.words import josa
from kofinlaw.scoring.report.labels import LANGUAGES, baseline_label, system_label

ENOUGH = 400  # items from which a usual difference shows
Words = tuple[str, str]  # Korean, English
NOT_SCORED = (
    "채점한 객관식 답이 아직 없습니다.",
    "No multiple-choice answers have been scored yet.",
)
NOT_COMPARED = (
    "학습 전후를 견줄 답이 없어 학습이 도움이 되었는지 말할 수 없습니다.",
    "Without answers from before and after training nothing can be said of the training.",
)
OUTCOMES = {
    "helped": ("학습이 도움이 되었습니다", "Training helped"),
    "hurt": ("학습이 점수를 떨어뜨렸습니다", "Training lowered the score"),
    "none": ("학습은 도움이 되지 않았습니다", "Training did not help"),
    "unclear": (
        "학습이 도움이 되었다고 말할 수 없습니다. 이만한 차이는 우연으로도 나옵니다",
        "Training cannot be said to have helped: a difference like this could be chance",
    ),
}
FAULTS = {
    "missing": ("답이 없어 틀린 것으로 센 문항", "unanswered items, counted as wrong"),
    "unreadable": ("보기 번호가 아닌 답", "answers that name no option"),
    "duplicates": ("두 번 답해 첫 답만 센 문항", "items answered twice, the first counts"),
    "foreign": ("묻지 않은 문항에 대한 답(무시함)", "answers to other questions, ignored"),
}


def verdict(figures: Mapping[str, Any]) -> dict[str, Any]:
    """{"outcome", "pair", "ko": [3 lines], "en": [3 lines], "warnings": [{"ko", "en"}]}.

    `outcome`: helped, hurt, unclear, none (no difference) or unknown (not compared).
    """
    scores = figures.get("scores") or {}
    pair = training_pair(scores)
    outcome = outcome_of(pair, (scores.get("settings") or {}).get("alpha", 0.05))
    lines = (
        what_was_scored(scores, pair),
        did_training_help(pair, outcome),
        what_could_show(scores, pair),
    )
    warnings = [*warn_scores(scores), *warn_merge(figures.get("merge"))]
    return {
        "outcome": outcome,
        "pair": pair,
        "ko": [line[0] for line in lines],
        "en": [line[1] for line in lines],
        "warnings": [dict(zip(LANGUAGES, words, strict=True)) for words in warnings],
    }


def training_pair(scores: Mapping[str, Any]) -> dict[str, Any] | None:
    """The pair that differs in training alone: with retrieval, else without."""
    pairs = {(p["a"], p["b"]): p for p in scores.get("pairs", [])}
    for a, b in (("base-rag", "trained-rag"), ("base", "trained")):
        if (a, b) in pairs:
            return dict(pairs[a, b])
    return None


def outcome_of(pair: Mapping[str, Any] | None, alpha: float) -> str:
    """One word for what the paired test says of the training."""
    if pair is None or not pair["n"]:
        return "unknown"
    if pair["only_a"] == pair["only_b"]:
        return "none"
    if pair["p_value"] >= alpha:
        return "unclear"
    return "helped" if pair["difference"] > 0 else "hurt"


def main_system(scores: Mapping[str, Any]) -> str | None:
    """The system the report is about: the last trained one, else the last."""
    names = list(scores.get("systems", {}))
    trained = [name for name in names if name.startswith("trained")]
    return (trained or names or [None])[-1]


def best_trivial(scores: Mapping[str, Any]) -> tuple[str, float] | None:
    """The strongest multiple-choice baseline that needs no documents."""
    found = {
        name: figure["value"]
        for name, figure in scores.get("baselines", {}).items()
        if name != "echo" and not name.startswith("overlap")
    }
    return max(found.items(), key=lambda item: item[1]) if found else None


def what_was_scored(scores: Mapping[str, Any], pair: Mapping[str, Any] | None) -> Words:
    """Line 1: right answers of the trained system, the base and the best trivial way."""
    name = main_system(scores)
    figure = scores["systems"][name]["choice"] if name else None
    if name is None or figure is None:
        return NOT_SCORED
    n, right, share = figure["n"], round(figure["value"] * figure["n"]), 100 * figure["value"]
    korean = f"{josa(system_label(name, 'ko'), '은/는')} 객관식 {n}문항 가운데 "
    korean += f"{right}문항({share:.1f}%)을 맞혔습니다."
    english = f"{system_label(name, 'en')}: {right} of {n} multiple-choice items right "
    english += f"({share:.1f}%)."
    if pair and pair["b"] == name:
        value = 100 * scores["systems"][pair["a"]]["choice"]["value"]
        korean += f" {josa(system_label(pair['a'], 'ko'), '은/는')} {value:.1f}%입니다."
        english += f" {system_label(pair['a'], 'en').capitalize()}: {value:.1f}%."
    trivial = best_trivial(scores)
    if trivial:
        value = 100 * trivial[1]
        korean += f" 읽지 않고 찍는 가장 나은 방법({baseline_label(trivial[0], 'ko')})은 "
        korean += f"{value:.1f}%입니다."
        english += f" The best way without reading ({baseline_label(trivial[0], 'en')}): "
        english += f"{value:.1f}%."
    return korean, english[0].upper() + english[1:]


def did_training_help(pair: Mapping[str, Any] | None, outcome: str) -> Words:
    """Line 2: the paired test of trained against base, in plain words."""
    if pair is None or outcome == "unknown":
        return NOT_COMPARED
    points, p_value = 100 * pair["difference"], pair["p_value"]
    p_text = f"p = {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"
    counts = f"{pair['only_b']}:{pair['only_a']}"
    korean, english = OUTCOMES[outcome]
    return (
        f"{korean} (차이 {points:+.1f}점, 한쪽만 맞힌 문항 {counts}, 정확 맥니마 검정 {p_text}).",
        f"{english} ({points:+.1f} points, right alone {counts}, exact McNemar {p_text}).",
    )


def what_could_show(scores: Mapping[str, Any], pair: Mapping[str, Any] | None) -> Words:
    """Line 3: the smallest difference these items can show, and where to look for a smaller one."""
    smallest = scores.get("smallest", {}).get(f"{pair['a']}|{pair['b']}") if pair else None
    if not pair or not smallest or not smallest["n"]:
        return "", ""
    n, alpha, differing = smallest["n"], 100 * smallest["alpha"], pair["only_a"] + pair["only_b"]
    if smallest["observed"] is None:
        korean = f"두 시스템의 정오가 갈린 문항이 {n}문항 가운데 {differing}문항뿐이라 어떤 차이도 "
        korean += f"유의수준 {alpha:.0f}%에서 드러날 수 없습니다."
        english = f"Only {differing} of {n} items came out differently, so no difference can be "
        english += f"significant at {alpha:.0f}%."
    else:
        seen, least = 100 * smallest["observed"], 100 * smallest["at_best"]
        korean = f"이 {n}문항으로 우연이 아니라고 말할 수 있는 가장 작은 차이는 {seen:.1f}점입니다"
        korean += f"(정오가 갈린 {differing}문항, 유의수준 {alpha:.0f}%; "
        korean += f"가장 유리할 때도 {least:.1f}점)."
        english = f"The smallest difference these {n} items can show is {seen:.1f} points "
        english += f"({differing} items came out differently, {alpha:.0f}% level; "
        english += f"{least:.1f} at the very best)."
    if smallest["powered"] is not None:
        found = 100 * smallest["powered"]
        korean += f" 참된 차이가 {found:.0f}점은 되어야 열 번에 여덟 번 찾아냅니다."
        english += f" A true difference must be about {found:.0f} points to be found "
        english += "eight times in ten."
    if n < ENOUGH:
        korean += " 더 작은 차이를 보려면 400문항 넘게 묻는 recipes/statutes-cpu.yaml을 돌리십시오."
        english += " For smaller ones run recipes/statutes-cpu.yaml, which asks more than 400."
    return korean, english


def warn_scores(scores: Mapping[str, Any]) -> list[Words]:
    """What a reader must know before believing the scores."""
    out = []
    for name, one in scores.get("systems", {}).items():
        korean, english = system_label(name, "ko"), system_label(name, "en")
        for field, (ko, en) in FAULTS.items():
            count = len(one[field])
            if count:
                out.append((f"{korean}: {ko} {count}", f"{english}: {count} {en}"))
        if one["fallbacks"]:
            count = one["fallbacks"]
            out.append(
                (
                    f"{korean}: 모델이 아니라 대체 규칙이 쓴 답 {count}",
                    f"{english}: {count} answers by the fallback rule, not by the model",
                )
            )
    unkeyed = (scores.get("counts") or {}).get("without_key")
    if unkeyed:
        out.append((f"정답이 없어 채점하지 않은 문항 {unkeyed}", f"{unkeyed} questions lack a key"))
    return out


def warn_merge(merge: Mapping[str, Any] | None) -> list[Words]:
    """A merge that was not proven."""
    result = str((merge or {}).get("verdict", "")).lower()
    if result in {"", "pass", "passed", "ok", "true"}:
        return []
    return [
        (f"병합 증명을 통과하지 못했습니다: {result}", f"The merge was not proven: {result}"),
    ]
