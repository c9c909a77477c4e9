"""Write the scores as a short Markdown page of tables."""

from __future__ import annotations

from kofinlaw.scoring.abstention.abstention_table import abstention_lines
from kofinlaw.scoring.claims import (
    pairs_with_other_plans,
    reduced_plans,
    unequal_plans,
    without_shown_text,
)
from kofinlaw.scoring.scores_record import AgainstRecord, FigureRecord, ScoresRecord
from kofinlaw.scoring.stats.free_baselines import is_free_baseline
from kofinlaw.scoring.twins.twin_table import twin_lines
from kofinlaw.scoring.value_text import p_text
from kofinlaw.texts import markdown_text

__all__ = ["percent", "scores_markdown"]

SHOWN_IDS = 10  # ids of one kind of fault that are named


def percent(figure: FigureRecord | None) -> str:
    """Return a figure as `51.7 [38.3, 65.0]`; a dash for None."""
    if not figure:
        return "–"
    return f"{100 * figure['value']:.1f} [{100 * figure['low']:.1f}, {100 * figure['high']:.1f}]"


def scores_markdown(result: ScoresRecord) -> str:
    """Return the scores as tables, in percent with intervals in brackets."""
    lines = ["# Scores", ""]
    embedder = result["embedder"]
    cosine = markdown_text(embedder["name"]) if embedder else "no embedder"
    lines.append(
        f"{result['counts']['choice']} multiple choice, {result['counts']['free']} free text; "
        f"cosine by {cosine}; seed {result['seed']}."
    )
    lines += ["", "| system | choice % | free % | facts % | blend % | hit@1/3/5 | p50/p95 s |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    for name, one in result["systems"].items():
        found = one["retrieval"]
        hits = "–"
        if found:
            hits = "/".join(
                f"{100 * hit:.1f}" for hit in (found["hit_1"], found["hit_3"], found["hit_5"])
            )
        time = one["seconds"]
        pace = f"{time['p50']:.2f}/{time['p95']:.2f}" if time else "–"
        row = [
            markdown_text(name),
            percent(one["choice"]),
            percent(one["free"]),
            percent(one.get("facts")),
        ]
        row.append(percent(one["blend"]))
        lines.append("| " + " | ".join([*row, hits, pace]) + " |")
    for name, figure in result["baselines"].items():
        facts = percent(result.get("fact_baselines", {}).get(name))
        free = is_free_baseline(name)
        cells = ["–", percent(figure), facts] if free else [percent(figure), "–", "–"]
        lines.append("| " + " | ".join([f"*{name}*", *cells, "–", "–", "–"]) + " |")
    lines += _fault_lines(result)
    lines += _pair_lines(result)
    lines += [*_against_lines(result), *_plan_lines(result)]
    lines += [*_order_lines(result), *_calibration_lines(result)]
    lines += [*_grounding_lines(result), *_citation_lines(result), *_law_citation_lines(result)]
    lines += _judge_lines(result)
    abstention = result.get("abstention")
    lines += abstention_lines(abstention) if abstention else []
    lines += [*_sort_lines(result), *twin_lines(result.get("twins"))]
    return "\n".join(lines) + "\n"


def _pair_lines(result: ScoresRecord) -> list[str]:
    """Return the paired tests of multiple choice; empty without multiple choice."""
    if not result["counts"]["choice"]:
        return []
    lines = ["", "| pair | only first | only second | difference, points | p | p (Holm) |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for pair in result["pairs"]:
        cells = [
            markdown_text(f"{pair['a']} → {pair['b']}"),
            str(pair["only_a"]),
            str(pair["only_b"]),
        ]
        low, high = 100 * pair["low"], 100 * pair["high"]
        if unequal_plans(pair):
            cells += [f"{100 * pair['difference']:+.1f}", "not tested", "not tested"]
        else:
            cells.append(f"{100 * pair['difference']:+.1f} [{low:+.1f}, {high:+.1f}]")
            cells += [p_text(pair["p_value"]), p_text(pair["p_holm"])]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _fault_lines(result: ScoresRecord) -> list[str]:
    """Return how many answers could not be scored as they are, with the first ids."""
    lines: list[str] = []
    for name, one in result["systems"].items():
        for ids, said in (
            (one["missing"], "questions without an answer, counted as wrong"),
            (one["unreadable"], "answers that name no option, counted as wrong"),
            (one["duplicates"], "questions answered twice, the first answer counts"),
            (one["foreign"], "answers to other questions, ignored"),
        ):
            if ids:
                shown = ", ".join(map(markdown_text, ids[:SHOWN_IDS]))
                more = ", …" if len(ids) > SHOWN_IDS else ""
                lines.append(f"- {markdown_text(name)}: {len(ids)} {said}: {shown}{more}")
    return ["", *lines] if lines else []


def _against_lines(result: ScoresRecord) -> list[str]:
    """Return the tests of the systems against the trivial baselines; empty without any."""
    if not result["against"]:
        return []
    lines = ["", "| system | baseline | difference, points | only system | only baseline | p |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for one in result["against"]:
        cells = [markdown_text(one["system"]), _solver(result, one), _points(one)]
        cells += [str(one["only_system"]), str(one["only_baseline"]), p_text(one["p_value"])]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _solver(result: ScoresRecord, one: AgainstRecord) -> str:
    """Return the name of the baseline, with its kind of tokens if it has one."""
    method = result["solvers"][one["baseline"]]["method"]
    return f"{one['baseline']} ({method})" if method else one["baseline"]


def _points(one: AgainstRecord) -> str:
    """Return the difference of system and baseline with its interval, in points."""
    low, high = 100 * one["low"], 100 * one["high"]
    return f"{100 * one['difference']:+.1f} [{low:+.1f}, {high:+.1f}]"


def _sort_lines(result: ScoresRecord) -> list[str]:
    """Return hard and look-up questions apart, with the best solver; empty without such ones."""
    records = result.get("sorts")
    if not records:
        return []
    lines = ["", "Hard and look-up questions, with the best solver of each", ""]
    lines.append("| sort | system | n | right % | best solver | difference, points | p |")
    lines.append("| --- | --- | ---: | ---: | --- | ---: | ---: |")
    for sort, record in records.items():
        for system, figure in record["systems"].items():
            best = record["best"].get(system)
            cells = [sort, markdown_text(system), str(figure["n"]), percent(figure)]
            cells += (
                [_solver(result, best), _points(best), p_text(best["p_value"])]
                if best
                else ["–", "–", "–"]
            )
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def _plan_lines(result: ScoresRecord) -> list[str]:
    """Return warnings about the plans of the answers and about texts that are not recorded."""
    lines = []
    for name, system in result["systems"].items():
        reduced = reduced_plans(system)
        if reduced:
            count, total = sum(reduced.values()), sum(system["plans"].values())
            plans = ", ".join(f"{plan} {n}" for plan, n in reduced.items())
            said = f"{count} of {total} answers not under the full plan ({plans})"
            lines.append(f"- {markdown_text(name)}: {said}.")
    for pair in pairs_with_other_plans(result):
        count = pair["other_plans"]
        held = "; the paired test is not shown" if unequal_plans(pair) else ""
        names = markdown_text(f"{pair['a']} → {pair['b']}")
        line = f"- {names}: {count} items asked under different plans{held}."
        lines.append(line)
    for name in without_shown_text(result):
        lines.append(
            f"- {markdown_text(name)}: prompts not recorded; its baselines read whole passages."
        )
    return ["", "Warnings:", "", *lines] if lines else []


def _order_lines(result: ScoresRecord) -> list[str]:
    """Return the table of permuted options; empty if every question had one order."""
    found = {n: orders for n, one in result["systems"].items() if (orders := one.get("orders"))}
    if not found:
        return []
    lines = ["", "| permuted options | n | orders | plain % | others % | averaged % | same % |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    for name, one in found.items():
        figures = (one["plain"], one["permuted"], one["averaged"], one["consistent"])
        cells = [markdown_text(name), str(one["n"]), str(one["orders"]), *map(percent, figures)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _calibration_lines(result: ScoresRecord) -> list[str]:
    """Return the table of confidence against accuracy; empty without multiple choice."""
    found = {n: one for n, s in result["systems"].items() if (one := s.get("calibration"))}
    if not found:
        return []
    lines = ["", "| calibration | n | error (ECE) % | confidence % | right % |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name, one in found.items():
        figures = (one["error"], one["confidence"], one["right"])
        cells = [markdown_text(name), str(one["n"]), *(f"{100 * value:.1f}" for value in figures)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _grounding_lines(result: ScoresRecord) -> list[str]:
    """Return the table of claims that the evidence supports; empty without claims."""
    found = {n: claims for n, one in result["systems"].items() if (claims := one.get("grounding"))}
    if not found:
        return []
    lines = ["", "| grounding | answers | claims | grounded % |", "| --- | --- | --- | --- |"]
    for name, one in found.items():
        cells = [markdown_text(name), str(one["answers"]), str(one["claims"])]
        lines.append("| " + " | ".join([*cells, f"{100 * one['share']:.1f}"]) + " |")
    return lines


def _citation_lines(result: ScoresRecord) -> list[str]:
    """Return the table of cited passage numbers; empty if no answer cites one."""
    found = {n: one for n, s in result["systems"].items() if (one := s.get("citations"))}
    if not found:
        return []
    lines = ["", "| citations [n] | answers | cite | of a gold article % | of no passage |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name, one in found.items():
        lines.append(
            f"| {markdown_text(name)} | {one['answers']} | {one['citing']} "
            f"| {100 * one['precision']:.1f} | {one['unknown']} |"
        )
    return lines


def _law_citation_lines(result: ScoresRecord) -> list[str]:
    """Return the table of verified references to law; empty if no answer cites any."""
    found = {n: one for n, s in result["systems"].items() if (one := s.get("law_citations"))}
    if not found:
        return []
    lines = ["", "| references to law | answers | references | hold % | refuted | cannot know |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, one in found.items():
        lines.append(
            f"| {markdown_text(name)} | {one['answers']} | {one['citations']} "
            f"| {100 * one['share']:.1f} | {one['refuted']} | {one['unknown']} |"
        )
    return lines


def _judge_lines(result: ScoresRecord) -> list[str]:
    """Return the judge's figures, its unreadable verdicts and how it rates its controls."""
    judge = result.get("judge")
    if not judge:
        return []
    lines = [
        "",
        f"Judge: {markdown_text(judge['judge'])}, {judge['items']} items, "
        f"{judge['repeats']} verdicts.",
    ]
    for name, control in judge["controls"].items():
        auc = "–" if control["auc"] is None else f"{control['auc']:.2f}"
        lines.append(
            f"{markdown_text(name)}: references distinguished from other questions' references "
            f"with AUC {auc} (0.5 is chance)."
        )
    lines += ["", "| judged | system | score | items | unreadable % | repeats agree % (chance) |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for criterion, by_system in judge["criteria"].items():
        for name, one in by_system.items():
            agree = "–"
            if one["agreement"] is not None and one["by_chance"] is not None:
                agree = f"{100 * one['agreement']:.0f} ({100 * one['by_chance']:.0f})"
            cells = [
                markdown_text(criterion),
                markdown_text(name),
                percent(one["figure"]),
                f"{one['judged']}/{one['items']}",
            ]
            cells += [f"{100 * one['unreadable_share']:.0f}", agree]
            lines.append("| " + " | ".join(cells) + " |")
    return lines
