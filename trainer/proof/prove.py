"""Proof that a merged checkpoint is the model that was trained.

The merged folder is reloaded from the disk and compared with base + adapter, first weight by
weight, then by what both say to the same held-out text.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.prompting.wording import free_messages
from kofinlaw.files import (
    read_jsonl,
    sha256_file,
    sha256_text,
    write_json,
    write_text,
)
from kofinlaw.models.loading import load_model
from kofinlaw.models.templates import ChatTemplate, template_for
from kofinlaw.models.tokenizer import Tokenizer, load_tokenizer
from kofinlaw.records import Key, Message, Question
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.merge.adapter_files import Adapter, read_adapter, read_object
from kofinlaw.trainer.proof.checks import Check, behaviour_checks, compare, weight_checks
from kofinlaw.trainer.proof.fixed_prompts import FIXED_DIALOGUES
from kofinlaw.trainer.proof.measure import KeptRows, Measured, Probe, measure
from kofinlaw.trainer.proof.page import verdict_page
from kofinlaw.trainer.proof.probe_tokens import build_probe, texts_only
from kofinlaw.trainer.proof.reference import as_float32, compute_dtype, load_reference
from kofinlaw.trainer.proof.settings import VerifySettings
from kofinlaw.trainer.proof.weights import check_weights

PROBE_MESSAGES: list[Message] = [
    {"role": "user", "content": "제1조의 목적을 쓰시오."},
    {"role": "assistant", "content": "이용자 보호이다."},
]


def verify_merge(
    merged: Path,
    adapter: Path,
    base: Path,
    *,
    prompts: Sequence[str | Sequence[Message]] = (),
    questions: Sequence[Question] = (),
    keys: Sequence[Key] = (),
    template: ChatTemplate | None = None,
    thresholds: VerifySettings | None = None,
    against: Literal["claimed", "trained"] = "claimed",
    out: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Compare a merged checkpoint with base + adapter; `verdict` is `pass` or `fail`.

    With `against` `claimed` the comparison is the base the merge says it was made on, which
    proves the arithmetic; `trained` is always the base training held, which shows what merging on
    the original changes.

    `prompts` (user turns, or whole dialogues) and `questions` are held out; a fixed set of Korean
    dialogues is always added. `template` is the one used in training (none: by the adapter's
    record). With `out`, writes verify.json and verify.md there. A merge that is damaged gives a
    failing verdict; UserError is raised where base or adapter cannot be read.
    """
    settings = thresholds or VerifySettings.model_validate({})
    trained = read_adapter(adapter)
    record = _merged_record(merged)
    claimed = record.get("merge", {}).get("base", "dequantized")
    kind = claimed if against == "claimed" else "dequantized"
    checks = [*_identity_checks(merged, trained, base, record, template)]
    report: dict[str, Any] = {
        "merged_base": claimed,
        "compared_with": kind,
        "fixed_dialogues": len(FIXED_DIALOGUES),
    }
    if all(check.ok for check in checks if check.name in ("tokenizer", "chat template")):
        used = template or template_for(merged)
        probe = build_probe(load_tokenizer(base), used, prompts, questions, settings)
        answers = {key.id: key.answer for key in keys}
        asked = [item for item in questions if item.options][: settings.questions]
        right = [answers[item.id] for item in asked if answers.get(item.id)]
        checks += _behaviour(merged, trained, base, kind, probe, settings, report, progress, right)
    else:
        report["not_measured"] = "tokenizer or template differ: the texts would not be the same"
    report["checks"] = [
        {"name": c.name, "value": c.value, "bound": c.bound, "ok": c.ok} for c in checks
    ]
    report["verdict"] = "pass" if all(check.ok for check in checks) else "fail"
    report["failed"] = [check.name for check in checks if not check.ok]
    result = {"verdict": report.pop("verdict"), "failed": report.pop("failed"), **report}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "verify.json", result)
        write_text(out / "verify.md", verdict_page(result))
    return result


def verify_stage(
    settings: VerifySettings,
    *,
    merged: Path,
    adapter: Path,
    base: Path,
    questions: Path | None,
    template: ChatTemplate | None,
    out: Path,
    progress: Progress = silent,
) -> dict[str, Any]:
    """`verify_merge` on the questions of a file (its free-text items serve as prompts), with
    verify.json and verify.md in `out`. Returns the verdict and the figures, flat."""
    items = list(read_jsonl(questions, Question)) if questions is not None else []
    result = verify_merge(
        merged,
        adapter,
        base,
        prompts=[free_messages(item.question) for item in items if not item.options],
        questions=[item for item in items if item.options],
        template=template,
        thresholds=settings,
        out=out,
        progress=progress,
    )
    figures = {k: v for k, v in result.get("figures", {}).items() if v is not None}
    return {"verdict": result["verdict"], "failed": ", ".join(result["failed"]), **figures}


def _merged_record(merged: Path) -> dict[str, Any]:
    path = merged / "kofinlaw.json"
    return read_object(path) if path.exists() else {}


def _identity_checks(
    merged: Path,
    adapter: Adapter,
    base: Path,
    record: dict[str, Any],
    template: ChatTemplate | None,
) -> list[Check]:
    """Files that must be the same bytes: base, tokenizer, chat template and its rendering."""
    digest = base_sha256(base)
    claimed = {adapter.record.get("base_sha256", digest), record.get("base_sha256", digest)}
    checks = [Check("base", digest[:16], "the adapter's and the merge's", claimed == {digest})]
    source = adapter.folder / "tokenizer.json"
    sources = [p for p in (base / "tokenizer.json", source) if p.exists()]
    theirs = merged / "tokenizer.json"
    found = sha256_file(theirs) if theirs.exists() else "absent"
    same = found in [sha256_file(path) for path in sources]
    checks.append(Check("tokenizer", found[:16], "the base's or the adapter's bytes", same))
    wanted = template.sha256 if template else adapter.record.get("template_sha256")
    wanted = wanted or template_for(base).sha256
    own = _own_template(merged)
    digest = sha256_text(own) if own is not None else "absent"
    checks.append(Check("chat template", digest[:16], f"{wanted[:16]}", digest == wanted))
    if digest == wanted:
        rendered = sha256_text(template_for(merged).render(PROBE_MESSAGES))
        trained = template or ChatTemplate(
            own or "", template_for(base).bos, template_for(base).eos
        )
        expected = sha256_text(trained.render(PROBE_MESSAGES))
        checks.append(Check("rendered turns", rendered[:16], expected[:16], rendered == expected))
    return checks


def _own_template(merged: Path) -> str | None:
    """The template a reader of the folder finds, without any catalogue's help."""
    file = merged / "chat_template.jinja"
    if file.exists():
        return file.read_text(encoding="utf-8")
    config = merged / "tokenizer_config.json"
    value = read_object(config).get("chat_template") if config.exists() else None
    return value if isinstance(value, str) else None


def _behaviour(
    merged: Path,
    adapter: Adapter,
    base: Path,
    kind: str,
    probe: Probe,
    settings: VerifySettings,
    report: dict[str, Any],
    progress: Progress,
    right: Sequence[str],
) -> list[Check]:
    dtype = compute_dtype(settings.dtype)
    steps = 3 * (len(probe.texts) + len(probe.choices) + len(probe.openings))
    done = [0]

    def tick() -> None:
        done[0] += 1
        progress("verify", done[0], steps)

    reference = load_reference(base, adapter, kind)
    try:
        weights = check_weights(merged, reference)
    except UserError as error:
        return [Check("weights", str(error), "readable", False)]
    if dtype == "float32":
        as_float32(reference)
    rows = KeptRows()
    trained = measure(reference, probe, rows.keep, tick=tick)
    with reference.disable_adapter():
        untrained = measure(reference, texts_only(probe), rows.compare, tick=tick)
    effect = rows.take()
    del reference
    gc.collect()
    try:
        model = load_model(merged, dtype=dtype)
    except UserError as error:
        return [
            *weight_checks(weights, settings),
            Check("loads", error.message, "transformers loads the merged folder", False),
        ]
    reloaded = measure(model, probe, rows.compare, tick=tick)
    divergence = rows.take()
    del model
    gc.collect()
    figures = compare(trained, untrained, reloaded, effect, divergence, probe, right)
    figures["compute_dtype"] = dtype
    figures["tokens_compared"] = sum(len(losses) for losses in trained.losses)
    report["figures"] = figures
    report["weights"] = weights.as_json()
    report["greedy"] = _greedy(load_tokenizer(base), trained, reloaded)
    return [
        *weight_checks(weights, settings),
        *behaviour_checks(figures, settings),
    ]


def _greedy(tokenizer: Tokenizer, trained: Measured, merged: Measured) -> list[dict[str, Any]]:
    return [
        {"trained": tokenizer.decode(a), "merged": tokenizer.decode(b), "same": a == b}
        for a, b in zip(trained.greedy, merged.greedy, strict=True)
    ]
