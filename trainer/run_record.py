"""Write the adapter folder of a finished run, with its `kofinlaw.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor
from torch.nn import Module

from kofinlaw import __version__
from kofinlaw.files import atomic_folder
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.trainer import adapter as adapters
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.trainer.trainee import Trainee

__all__ = ["COUNTS", "quantization_record", "save_adapter"]

COUNTS = (
    "examples",
    "choices",
    "steps",
    "tokens",
    "supervised_tokens",
    "loss_first",
    "loss_last",
    "choice_accuracy_last",
)


def save_adapter(
    folder: Path,
    settings: TrainSettings,
    trainee: Trainee,
    tensors: Mapping[str, Tensor],
    figures: Mapping[str, object],
    *,
    base_id: str,
    template: ChatTemplate,
    fingerprints: Mapping[str, str],
    **more: object,
) -> None:
    """Write `folder` completely or not at all: peft's files, the chat template, `kofinlaw.json`.

    Args:
        folder: the folder of the adapter.
        settings: the settings of the run.
        trainee: the trained model.
        tensors: the trained tensors (`adapter.gathered_tensors`).
        figures: the figures of the run; those in `COUNTS` enter the record.
        base_id: the name of the base in the record.
        template: the chat template of the examples.
        fingerprints: what the checkpoints of the run agree with.
        more: further keys at the end of `kofinlaw.json`.
    """
    record = _record(settings, trainee, figures, base_id, template, fingerprints)
    with atomic_folder(folder) as temporary:
        adapters.write_adapter(
            trainee.model,
            tensors,
            temporary,
            base_name=base_id,
            record={**record, **more},
            minus=trainee.start if settings.lora.initialization == "pissa" else None,
        )
        (temporary / "chat_template.jinja").write_text(template.source, "utf-8")


def _record(
    settings: TrainSettings,
    trainee: Trainee,
    figures: Mapping[str, object],
    base_id: str,
    template: ChatTemplate,
    fingerprints: Mapping[str, str],
) -> dict[str, object]:
    """Return what merging, answering and a reader need; it has no times and no paths."""
    dump = settings.model_dump(mode="json", exclude={"start_from", "mixture"})
    return {
        "format": 1,
        "version": __version__,
        "base_id": base_id,
        "base_sha256": trainee.base_sha256,
        "template_sha256": template.sha256,
        "quantization": quantization_record(settings, trainee),
        "fingerprints": dict(fingerprints),
        "settings": dump,
        "training": {key: figures[key] for key in COUNTS if key in figures},
    }


def quantization_record(settings: TrainSettings, trainee: Trainee) -> dict[str, object] | None:
    """Return the format of the base, exact enough to form the same weights again; None: 16-bit."""
    if settings.quantization == "nf4":
        return {
            "type": "nf4",
            "block_size": _block_size(trainee.model),
            "double_quant": True,
            "compute_dtype": settings.dtype,
            "storage_dtype": trainee.storage_dtype,
        }
    if settings.quantization == "int8":
        return {"type": "int8", "compute_dtype": settings.dtype}
    return None


def _block_size(model: Module) -> int:
    for module in model.modules():
        state = getattr(module, "quant_state", None)  # of the layer: a sharded weight has none
        if state is not None:
            return int(state.blocksize)
    raise RuntimeError("no 4-bit layer in a model that was loaded in 4-bit")
