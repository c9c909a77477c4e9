"""Tune an adapter on pairs of answers through TRL (DPO, Rafailov et al. 2023, arXiv 2305.18290)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.prompting.bad_examples import malformed
from kofinlaw.data.prompting.pair_forms import PAIR_REMEDY, ReadPair, read_pair
from kofinlaw.files import dumps, read_json_records, sha256_file, write_jsonl
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.records import Rejected, record_fault
from kofinlaw.trainer import adapter as adapters
from kofinlaw.trainer.batching import plan_steps
from kofinlaw.trainer.encoding import Encoded, ExampleError, encode_example
from kofinlaw.trainer.guards import exclusive_folder
from kofinlaw.trainer.preference_settings import PreferenceSettings, reject_unsupported
from kofinlaw.trainer.ranks import open_ranks
from kofinlaw.trainer.resume import run_fingerprints
from kofinlaw.trainer.run_record import save_adapter
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.trainee import load_trainee

__all__ = ["Pair", "PreferenceResult", "read_pairs", "train_preferences"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one prompt; both encoded texts share the tokens before position `start`."""

    chosen: Encoded
    rejected: Encoded
    start: int

    def row(self) -> dict[str, list[int]]:
        """Return the pair in the form that TRL's collator reads."""
        return {
            "prompt_ids": self.chosen.tokens[: self.start].tolist(),
            "chosen_ids": self.chosen.tokens[self.start :].tolist(),
            "rejected_ids": self.rejected.tokens[self.start :].tolist(),
        }


@dataclass(frozen=True, slots=True)
class PreferenceResult:
    """The figures of preference tuning.

    `rejected` counts the pairs that cannot be trained on (`rejected.jsonl`).
    Losses, margin (of the rewards) and accuracy (share of pairs whose chosen answer has the higher
    reward) are TRL's, of the first or the last step.
    """

    examples: int
    rejected: int
    steps: int
    loss_first: float
    loss_last: float
    margin_last: float
    accuracy_last: float
    unmoved_tensors: int

    def to_record(self) -> dict[str, object]:
        """Return the figures by name, as `preference.json` keeps them."""
        return asdict(self)


def read_pairs(
    path: Path,
    template: ChatTemplate,
    encode: Callable[[str], list[int]],
    *,
    max_length: int,
    rejected: list[Rejected],
) -> list[Pair]:
    """Read and encode pairs of answers: lines with `messages`, `chosen` and `rejected`, or another
    form that `read_pair` reads.

    `messages` end with the question, the answers are two texts. Each is rendered and tokenised as
    in supervised training, followed by the stop token.

    Pairs that cannot be trained on are added to `rejected`, with line and reason: broken JSON, a
    missing or empty answer, equal answers, turns that the template refuses, more than `max_length`
    tokens.

    Raises UserError for a field that would be ignored, a template without a stop token, and a file
    without a pair to train on.
    """
    stop = template.stop
    pairs: list[Pair] = []
    for line, value, fault in read_json_records(path):
        name = str(value.get("id", f"line-{line}"))
        broken = fault or malformed(value, pair=True)
        read = None if broken else read_pair(value, f"{path}:{line}")
        try:
            if read is None:
                raise ExampleError("unusable", broken)
            pairs.append(_encoded_pair(name, read, template, encode, max_length, stop))
        except Exception as error:
            reason = error.reason if isinstance(error, ExampleError) else "unusable"
            why = str(error) if isinstance(error, ExampleError) else record_fault(error)
            detail = f"{path.name}:{line}: {why}"
            rejected.append(Rejected(name, "prefer", reason, detail, dumps(value)))
    if not pairs:
        raise UserError(_no_pairs(rejected), where=str(path), remedy=PAIR_REMEDY)
    return pairs


def _encoded_pair(
    name: str,
    pair: ReadPair,
    template: ChatTemplate,
    encode: Callable[[str], list[int]],
    max_length: int,
    stop: str,
) -> Pair:
    first, second = (
        encode_example(
            {"id": name, "messages": [*pair.messages, {"role": "assistant", "content": answer}]},
            template,
            encode,
            max_length,
            stop,
        )
        for answer in (pair.chosen, pair.rejected)
    )
    start = int(np.flatnonzero(~first.supervised)[-1]) + 1
    return Pair(first, second, start)


def _no_pairs(rejected: Sequence[Rejected]) -> str:
    if not rejected:
        return "no pairs to train on"
    counts = Counter(record.reason for record in rejected)
    listed = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    return f"none of {len(rejected)} pairs can be trained on ({listed}): {rejected[0].detail}"


def train_preferences(
    settings: TrainSettings,
    preference: PreferenceSettings,
    model_folder: Path,
    pairs: Path,
    out: Path,
    *,
    template: ChatTemplate,
    seed: int,
    model_id: str = "",
    base: Path | None = None,
    progress: Progress = silent,
) -> PreferenceResult:
    """Tune an adapter on `pairs` (JSON Lines) and write `out/adapter`, as `sft.train` does.

    Adapter, optimizer, effective batch (in pairs), steps and their order, schedule and limits are
    those of supervised training; the tokens of a pair are those of both texts. The reference model
    is the model at its start, usually `settings.start_from`. TRL splits the batch evenly by
    `pairs_per_pass`. There are no checkpoints: an interrupted run starts from step 0.

    Args:
        settings: the `train:` section; lengths are in tokens.
        preference: the settings of DPO.
        model_folder: the base model: safetensors, config and tokenizer.
        pairs: JSON Lines with `messages`, `chosen` and `rejected`.
        out: the folder of the run.
        template: the chat template of `messages`.
        seed: seed of the order of pairs and of the adapter's start.
        model_id: the name of the base in the adapter's record; empty: the name of its folder.
        base: the folder of a relative `settings.start_from`.
        progress: reports the phase `preference`.

    Raises UserError if no pair can be trained on, for settings that DPO does not support, and for
    more than one process.
    """
    reject_unsupported(settings, preference)
    settings = settings.starting_below(base)
    if settings.backend == "liger":
        from kofinlaw.trainer.liger_backend import require_liger

        require_liger()
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.preference_trainer import run_dpo

    ranks = open_ranks()
    if ranks.world_size > 1:
        raise UserError("preference tuning runs in one process", where="accelerate")
    encode = load_tokenizer(model_folder).encode
    rejected: list[Rejected] = []
    rows = read_pairs(pairs, template, encode, max_length=settings.max_length, rejected=rejected)
    progress("preference: pairs", len(rows), len(rows), rejected=len(rejected))
    started_from = settings.start_from
    with exclusive_folder(out, holds=True):
        write_jsonl(out / "rejected.jsonl", rejected)
        answers = [answer for pair in rows for answer in (pair.chosen, pair.rejected)]
        trainee = load_trainee(settings, model_folder, answers, ranks, seed=seed)
        plan = plan_steps(
            [len(pair.chosen) + len(pair.rejected) for pair in rows],
            seed=seed,
            batch=settings.effective_batch,
            epochs=settings.epochs,
            max_steps=settings.max_steps,
            max_tokens=settings.max_tokens,
        )
        figures = run_dpo(
            settings,
            preference,
            model_folder,
            [pair.row() for pair in rows],
            plan,
            trainee,
            out,
            progress,
        )
        adapters.check_frozen(trainee.model, trainee.frozen)
        unmoved = adapters.unchanged_parameters(trainee.model, trainee.start)
        result = PreferenceResult(
            examples=len(rows), rejected=len(rejected), **figures, unmoved_tensors=len(unmoved)
        )
        save_adapter(
            out / "adapter",
            settings,
            trainee,
            adapters.gathered_tensors(trainee.model),
            result.to_record(),
            base_id=model_id or model_folder.name,
            template=template,
            fingerprints=run_fingerprints(
                settings,
                ranks,
                seed=seed,
                data=sha256_file(pairs),
                base=trainee.base_sha256,
                template=template.sha256,
                start="" if started_from is None else adapters.adapter_sha256(started_from),
            ),
            preference=preference.model_dump(),
        )
    return result
