"""Write the summary at the top of the report, in Korean and English."""

from __future__ import annotations

from kofinlaw.data.korean.words import josa
from kofinlaw.scoring.claims import (
    beats,
    best_baseline,
    main_system,
    outcome_of,
    training_pair,
    unequal_plans,
)
from kofinlaw.scoring.hard_slices import HEADLINE_ITEMS, SORTS
from kofinlaw.scoring.report.labels import baseline_label, system_label
from kofinlaw.scoring.report.page_scores import strongest_baseline
from kofinlaw.scoring.report.report_record import MergeFigures, Verdict
from kofinlaw.scoring.report.sections.score_warnings import merge_warnings, score_warnings
from kofinlaw.scoring.scores_record import (
    AgainstRecord,
    FigureRecord,
    PairRecord,
    ScoresRecord,
    SystemRecord,
)
from kofinlaw.scoring.stats.free_baselines import ECHO
from kofinlaw.scoring.value_text import Words, p_text
from kofinlaw.texts import NOT_PROVEN

__all__ = [
    "ENOUGH_ITEMS",
    "MORE_ITEMS",
    "NOT_COMPARED",
    "NOT_SCORED",
    "OUTCOMES",
    "SORT_WORDS",
    "comparison_with_baseline",
    "comparison_with_free_baseline",
    "score_lines",
    "smallest_difference_line",
    "training_line",
    "verdict",
]

ENOUGH_ITEMS = 400  # with so many items a typical difference becomes significant
MORE_ITEMS = "augment.holdout_items, evaluate.questions"

NOT_SCORED = (
    "채점한 답이 아직 없습니다.",
    "No answers have been scored yet.",
)
NOT_COMPARED = (
    "학습 전과 후의 답을 비교할 수 없어 학습의 효과를 판단할 수 없습니다.",
    "The effect of training is unknown: there are no answers from both before and after it.",
)
OUTCOMES = {
    "helped": ("학습이 도움이 되었습니다", "Training helped"),
    "no-claim": (
        "학습한 모델의 점수가 기본 모델보다 높지만 가장 강한 단순 기준선보다 높다고 말할 수 "
        "없으므로, 이 보고서는 모델이 내용을 배웠다고 주장하지 않습니다",
        "The score rose with training, but it is not shown to be above the strongest trivial "
        "baseline, so this report does not claim that the model learned the subject",
    ),
    "hurt": ("학습이 점수를 떨어뜨렸습니다", "Training lowered the score"),
    "none": ("학습은 도움이 되지 않았습니다", "Training did not help"),
    "unclear": (
        "학습이 도움이 되었다고 말할 수 없습니다. 이 정도 차이는 우연으로도 나옵니다",
        "Training is not shown to help: a difference of this size can be chance",
    ),
}
SORT_WORDS = {
    "hard": ("읽어야 푸는", "hard"),
    "look_up": ("찾아서 푸는", "look-up"),
}


def verdict(
    scores: ScoresRecord | None, merge: MergeFigures | None = None, *, tested: bool = True
) -> Verdict:
    """Return the lines in both languages, the outcome of training and the warnings.

    The first line states whether training helped. The next lines compare the main system with the
    strongest trivial baseline: first on the hard questions if there are at least `HEADLINE_ITEMS`,
    with the look-up questions next to them, then on multiple choice and on free text, then the key
    facts. The last line is the smallest difference that the items can show, if it is known. Without
    a trained and a base model to compare, the scores come first. Training counts as a help only if
    the trained model also beats the strongest baseline. A run that is not `tested` has no
    questions, and its only line says that it is not proven.
    """
    pair = training_pair(scores) if scores else None
    best = best_baseline(scores, pair["b"]) if scores and pair else None
    outcome = outcome_of(pair, scores["settings"]["alpha"] if scores else 0.05, best)
    if scores:
        lines = score_lines(scores, pair)
        lines.insert(len(lines) if outcome == "unknown" else 0, training_line(pair, outcome))
        lines += smallest_difference_line(scores, pair)
    else:
        lines = [NOT_SCORED, NOT_COMPARED] if tested else [NOT_PROVEN]
    warnings = [*(score_warnings(scores) if scores else ()), *merge_warnings(merge)]
    return {
        "outcome": outcome,
        "pair": pair,
        "ko": [korean for korean, _ in lines],
        "en": [english for _, english in lines],
        "warnings": [{"ko": korean, "en": english} for korean, english in warnings],
    }


def score_lines(scores: ScoresRecord, pair: PairRecord | None) -> list[Words]:
    """Return a line on each kind of score: the main system, the base model and the baselines."""
    name = main_system(scores)
    if name is None:
        return [NOT_SCORED]
    system = scores["systems"][name]
    lines = [
        *_sort_lines(name, scores),
        *_choice_lines(name, system, scores, pair),
        *(_too_few_hard(scores) if system["choice"] else ()),
        *_free_lines(name, system, scores),
        *_fact_lines(system, scores),
    ]
    return lines or [NOT_SCORED]


def _sort_lines(name: str, scores: ScoresRecord) -> list[Words]:
    """Return the lines on hard and look-up questions; none with too few hard ones."""
    sorts = scores.get("sorts", {})
    if "hard" not in sorts or sorts["hard"]["n"] < HEADLINE_ITEMS:
        return []
    out = []
    for sort in SORTS:
        record = sorts.get(sort)
        figure = record["systems"].get(name) if record else None
        if record is None or figure is None:
            continue
        label, title = system_label(name), SORT_WORDS[sort]
        value = 100 * figure["value"]
        line = (
            f"{josa(label[0], '은/는')} {title[0]} {figure['n']}문항의 {value:.1f}%를 맞혔습니다.",
            f"{_first_upper(label[1])} answers {value:.1f}% of {figure['n']} {title[1]} items "
            "correctly.",
        )
        best = record["best"].get(name)
        if best:
            solver = baseline_label(best["baseline"], scores["solvers"][best["baseline"]]["method"])
            line = _joined(
                line, comparison_with_baseline(best, solver, scores["settings"]["alpha"])
            )
        out.append(line)
    return out


def _too_few_hard(scores: ScoresRecord) -> list[Words]:
    """Return the line that says why generated questions have no headline on hard ones."""
    sorts = scores.get("sorts", {})
    count = sorts["hard"]["n"] if "hard" in sorts else 0
    if not sorts or count >= HEADLINE_ITEMS:
        return []
    korean, english = SORT_WORDS["hard"]
    return [
        (
            f"{korean} 문항이 {count}개뿐이라 따로 비교하지 않습니다({HEADLINE_ITEMS}개부터). "
            "`augment.holdout_share`를 늘리면 더 만듭니다.",
            f"There are only {count} {english} items, too few to compare (at least "
            f"{HEADLINE_ITEMS}); a larger `augment.holdout_share` gives more.",
        )
    ]


def _choice_lines(
    name: str, system: SystemRecord, scores: ScoresRecord, pair: PairRecord | None
) -> list[Words]:
    """Return the line on multiple choice; none if it was not scored."""
    figure = system["choice"]
    if figure is None:
        return []
    label = system_label(name)
    n, right, share = figure["n"], round(figure["value"] * figure["n"]), 100 * figure["value"]
    korean = (
        f"{josa(label[0], '은/는')} 객관식 {n}문항 가운데 {right}문항({share:.1f}%)을 맞혔습니다"
    )
    english = f"{_first_upper(label[1])} answers {right} of {n} multiple-choice items correctly "
    english += f"({share:.1f}%"
    before = scores["systems"][pair["a"]]["choice"] if pair and pair["b"] == name else None
    if pair and before:
        base, value = system_label(pair["a"]), 100 * before["value"]
        korean += f"({josa(base[0], '은/는')} {value:.1f}%)"
        english += f"; {base[1]}: {value:.1f}%"
    line = (f"{korean}.", f"{english}).")
    best = best_baseline(scores, name)
    if best:
        solver = baseline_label(best["baseline"], scores["solvers"][best["baseline"]]["method"])
        value = 100 * scores["baselines"][best["baseline"]]["value"]
        title = (f"{solver[0]}, {value:.1f}%", f"{solver[1]}, {value:.1f}%")
        line = _joined(line, comparison_with_baseline(best, title, scores["settings"]["alpha"]))
    return [line]


def _free_lines(name: str, system: SystemRecord, scores: ScoresRecord) -> list[Words]:
    """Return the line on free text; none if it was not scored.

    The score is compared with the strongest baseline and with the repeated question.
    """
    figure, echo = system["free"], scores["baselines"].get(ECHO)
    if figure is None:
        return []
    n, value = figure["n"], 100 * figure["value"]
    line = (
        f"주관식 {n}문항은 100점 만점에 {value:.1f}점입니다.",
        f"Free text gets {value:.1f} of 100 ({n} items).",
    )
    best = strongest_baseline(scores, name, "free")
    if best:
        title = (
            f"가장 강한 단순 기준선 '{best[0][0]}'",
            f"the strongest trivial baseline, {best[0][1]}",
        )
        line = _joined(line, comparison_with_free_baseline(figure, best[1], title))
    if echo and best and best[1] is not echo:
        title = ("질문을 그대로 답으로 내는 기준선", "the question given back as the answer")
        line = _joined(line, comparison_with_free_baseline(figure, echo, title))
    return [line]


def _fact_lines(system: SystemRecord, scores: ScoresRecord) -> list[Words]:
    """Return the line on the key facts of free text; none if they were not scored."""
    figure = system.get("facts")
    if figure is None or system["free"] is None:
        return []
    share = 100 * figure["value"]
    korean = f"모범 답의 핵심 사실 가운데 질문에 없는 것은 {share:.1f}%를 맞게 답했습니다"
    english = f"The answers state {share:.1f}% of the references' key facts that the question does "
    english += "not hold"
    found = scores.get("fact_baselines", {})
    if found:
        rows = [(baseline_label(name), 100 * one["value"]) for name, one in found.items()]
        korean += "(" + "; ".join(f"{label[0]} {value:.1f}%" for label, value in rows) + ")"
        english += " (" + "; ".join(f"{label[1]} {value:.1f}%" for label, value in rows) + ")"
    return [(korean + ".", english + ".")]


def comparison_with_baseline(against: AgainstRecord, baseline: Words, alpha: float) -> Words:
    """Return a sentence on whether a system beats a baseline of multiple choice, and by how much.

    A lead counts only if the exact McNemar test on the items is significant at `alpha`. `baseline`
    is the name of the strongest baseline, with its score where it is known.
    """
    points = 100 * against["difference"]
    counts = f"{against['only_system']}:{against['only_baseline']}"
    test = f"{counts}, p {_p(against['p_value'])}"
    korean = f"가장 강한 단순 기준선({baseline[0]})"
    english = f"the strongest trivial baseline ({baseline[1]})"
    if points <= 0:
        return (
            f"{korean}을 넘지 못했습니다(차이 {points:+.1f}점, 한쪽만 맞힌 문항 {test}).",
            f"It does not beat {english}: {points:+.1f} points (only one correct {test}).",
        )
    if not beats(against, alpha):
        return (
            f"{korean}을 넘었다고 말할 수 없습니다. {points:.1f}점 높지만 우연일 수 "
            f"있습니다(한쪽만 맞힌 문항 {test}).",
            f"It is not shown to beat {english}: the lead of {points:.1f} points can be chance "
            f"(only one correct {test}).",
        )
    return (
        f"{korean}보다 {points:.1f}점 높습니다(한쪽만 맞힌 문항 {test}).",
        f"It beats {english} by {points:.1f} points (only one correct {test}).",
    )


def comparison_with_free_baseline(
    figure: FigureRecord, baseline: FigureRecord, title: Words
) -> Words:
    """Return a sentence on whether a free-text score is above that of a baseline.

    A lead counts only if the interval of the system's score excludes the baseline. `title` is the
    name of the baseline.
    """
    points, value = 100 * (figure["value"] - baseline["value"]), 100 * baseline["value"]
    korean, english = f"{title[0]}({value:.1f}점)", f"{title[1]} ({value:.1f})"
    if points <= 0:
        return (
            f"{korean}을 넘지 못했습니다(차이 {points:+.1f}점).",
            f"It does not beat {english}: {points:+.1f} points.",
        )
    if figure["low"] <= baseline["value"]:
        return (
            f"{korean}을 넘었다고 말할 수 없습니다. {points:.1f}점 높지만 기준선이 신뢰 구간 안에 "
            "있습니다.",
            f"It is not shown to beat {english}: it is {points:.1f} points higher, but the "
            "baseline lies within its interval.",
        )
    return (f"{korean}보다 {points:.1f}점 높습니다.", f"It beats {english} by {points:.1f} points.")


def _joined(first: Words, second: Words) -> Words:
    """Return two sentences as one line."""
    return f"{first[0]} {second[0]}", f"{first[1]} {second[1]}"


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _p(value: float) -> str:
    """Return a p-value with its sign of relation."""
    text = p_text(value)
    return text if text.startswith("<") else f"= {text}"


def training_line(pair: PairRecord | None, outcome: str) -> Words:
    """Write the line on training: the paired test of the trained model against the base model."""
    if pair is None or outcome == "unknown":
        return NOT_COMPARED
    if outcome == "unequal":
        count = pair.get("other_plans") or 0
        return (
            f"학습의 효과를 검정하지 않았습니다. 학습 전과 후의 모델이 {count}문항을 서로 다른 "
            "답변 계획으로 답했습니다. 마감 시간이 부족하면 근거를 줄이기 때문입니다.",
            f"The effect of training is not tested: base and trained model answered {count} items "
            "under different plans, because the deadline left less evidence to one of them.",
        )
    points, p_value = 100 * pair["difference"], f"p {_p(pair['p_value'])}"
    counts = f"{pair['only_b']}:{pair['only_a']}"
    korean, english = OUTCOMES[outcome]
    return (
        f"{korean} (차이 {points:+.1f}점, 한쪽만 맞힌 문항 {counts}, 정확 맥니마 검정 {p_value}).",
        f"{english} ({points:+.1f} points, only one correct {counts}, exact McNemar {p_value}).",
    )


def smallest_difference_line(scores: ScoresRecord, pair: PairRecord | None) -> list[Words]:
    """Return the line on the smallest difference that the items can show, and how to find a smaller
    one; none if it is unknown.
    """
    smallest = scores["smallest"].get(f"{pair['a']}|{pair['b']}") if pair else None
    if not pair or not smallest or not smallest["n"] or unequal_plans(pair):
        return []
    n, alpha, differing = smallest["n"], 100 * smallest["alpha"], pair["only_a"] + pair["only_b"]
    if smallest["observed"] is None or smallest["at_best"] is None:
        korean = f"두 시스템의 정오가 갈린 문항이 {n}문항 가운데 {differing}문항뿐이라 어떤 차이도 "
        korean += f"유의수준 {alpha:.0f}%에서 드러날 수 없습니다."
        english = f"Only {differing} of {n} items have different outcomes, so no difference can be "
        english += f"significant at {alpha:.0f}%."
    else:
        observed, at_best = 100 * smallest["observed"], 100 * smallest["at_best"]
        korean = (
            f"이 {n}문항으로 우연이 아니라고 말할 수 있는 가장 작은 차이는 {observed:.1f}점입니다"
        )
        korean += f"(정오가 갈린 {differing}문항, 유의수준 {alpha:.0f}%; "
        korean += f"가장 유리할 때도 {at_best:.1f}점)."
        english = f"The smallest difference these {n} items can show is {observed:.1f} points "
        english += f"({differing} items with different outcomes, {alpha:.0f}% level; "
        english += f"{at_best:.1f} in the best case)."
    if smallest["powered"] is not None:
        found = 100 * smallest["powered"]
        korean += f" 실제 차이가 {found:.0f}점은 되어야 80% 확률로 찾아냅니다."
        english += f" A true difference must be about {found:.0f} points to be found with "
        english += "probability 80%."
    if n < ENOUGH_ITEMS:
        korean += f" 더 작은 차이를 보려면 {ENOUGH_ITEMS}문항 이상을 물으십시오({MORE_ITEMS})."
        english += f" For smaller ones ask at least {ENOUGH_ITEMS} items ({MORE_ITEMS})."
    return [(korean, english)]
