"""Tune an adapter on pairs of answers through TRL (DPO, Rafailov et al. 2023, arXiv 2305.18290)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.prompting.pair_forms import read_pair
from kofinlaw.files import read_json_lines, sha256_file
from kofinlaw.models.templates import ChatTemplate
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

    Losses, margin (of the rewards) and accuracy (share of pairs whose chosen answer has the higher
    reward) are TRL's, of the first or the last step.
    """

    examples: int
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
    path: Path, template: ChatTemplate, encode: Callable[[str], list[int]], *, max_length: int
) -> list[Pair]:
    """Read and encode pairs of answers: lines with `messages`, `chosen` and `rejected`, or another
    form that `read_pair` reads.

    `messages` end with the question, the answers are two texts. Each is rendered and tokenised as
    in supervised training, followed by the stop token. Raises UserError, with file and line, if a
    pair cannot be used or has more than `max_length` tokens.
    """
    pairs = []
    for line, value in read_json_lines(path):
        where = f"{path}:{line}"
        pair = read_pair(value, where)
        if pair.chosen == pair.rejected:
            raise UserError("`chosen` and `rejected` are the same text", where=where)
        try:
            first, second = (
                encode_example(
                    {
                        "id": str(line),
                        "messages": [*pair.messages, {"role": "assistant", "content": answer}],
                    },
                    template,
                    encode,
                    max_length,
                    template.stop,
                )
                for answer in (pair.chosen, pair.rejected)
            )
        except ExampleError as error:
            raise UserError(str(error), where=where) from error
        start = int(np.flatnonzero(~first.supervised)[-1]) + 1
        pairs.append(Pair(first, second, start))
    if not pairs:
        raise UserError("no pairs to train on", where=str(path))
    return pairs


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

    Raises UserError for unusable pairs, a pair longer than `max_length`, settings that DPO does not
    support, and more than one process.
    """
    reject_unsupported(settings, preference)
    settings = settings.starting_below(base)
    if settings.backend == "unsloth":
        from kofinlaw.trainer.unsloth_backend import require_unsloth

        require_unsloth()
    from kofinlaw.models.tokenizer import load_tokenizer
    from kofinlaw.trainer.preference_trainer import run_dpo

    ranks = open_ranks()
    if ranks.world_size > 1:
        raise UserError("preference tuning runs in one process", where="accelerate")
    encode = load_tokenizer(model_folder).encode
    rows = read_pairs(pairs, template, encode, max_length=settings.max_length)
    started_from = settings.start_from
    with exclusive_folder(out, holds=True):
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
        result = PreferenceResult(examples=len(rows), **figures, unmoved_tensors=len(unmoved))
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
