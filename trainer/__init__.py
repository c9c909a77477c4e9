"""Train an adapter by QLoRA, merge it, prove the merge, and export the merged model.

In: examples (JSON Lines) and a base model (a local safetensors folder). Out:

- `train`, `train_preferences`: an adapter with its record and metrics;
- `merge_adapter`, `combine_adapters`: a merged checkpoint with its model card;
- `prove_merge`: a proof that the merged model behaves like base and adapter;
- `export_model`: the merged model in other formats.

Every function returns a frozen dataclass with `to_record()`. A mistake of the user raises
`kofinlaw.UserError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw.lazy import lazy_exports

if TYPE_CHECKING:
    from kofinlaw.trainer.export.export_formats import export_model
    from kofinlaw.trainer.export.export_result import ExportResult
    from kofinlaw.trainer.export.settings import ExportSettings
    from kofinlaw.trainer.merge.combine import combine_adapters
    from kofinlaw.trainer.merge.merge_model import merge_adapter
    from kofinlaw.trainer.merge.merge_result import MergeResult
    from kofinlaw.trainer.merge.settings import MergeSettings
    from kofinlaw.trainer.preference import PreferenceResult, train_preferences
    from kofinlaw.trainer.preference_settings import PreferenceSettings
    from kofinlaw.trainer.proof.proof_result import ProofResult
    from kofinlaw.trainer.proof.prove import prove_merge
    from kofinlaw.trainer.proof.settings import VerifySettings
    from kofinlaw.trainer.settings import LoraSettings, TrainSettings
    from kofinlaw.trainer.sft import train
    from kofinlaw.trainer.training_result import TrainingResult

__all__ = [
    "ExportResult",
    "ExportSettings",
    "LoraSettings",
    "MergeResult",
    "MergeSettings",
    "PreferenceResult",
    "PreferenceSettings",
    "ProofResult",
    "TrainSettings",
    "TrainingResult",
    "VerifySettings",
    "combine_adapters",
    "export_model",
    "merge_adapter",
    "prove_merge",
    "train",
    "train_preferences",
]

_EXPORTS = {
    "ExportResult": "kofinlaw.trainer.export.export_result",
    "ExportSettings": "kofinlaw.trainer.export.settings",
    "LoraSettings": "kofinlaw.trainer.settings",
    "MergeResult": "kofinlaw.trainer.merge.merge_result",
    "MergeSettings": "kofinlaw.trainer.merge.settings",
    "PreferenceResult": "kofinlaw.trainer.preference",
    "PreferenceSettings": "kofinlaw.trainer.preference_settings",
    "ProofResult": "kofinlaw.trainer.proof.proof_result",
    "TrainSettings": "kofinlaw.trainer.settings",
    "TrainingResult": "kofinlaw.trainer.training_result",
    "VerifySettings": "kofinlaw.trainer.proof.settings",
    "combine_adapters": "kofinlaw.trainer.merge.combine",
    "export_model": "kofinlaw.trainer.export.export_formats",
    "merge_adapter": "kofinlaw.trainer.merge.merge_model",
    "prove_merge": "kofinlaw.trainer.proof.prove",
    "train": "kofinlaw.trainer.sft",
    "train_preferences": "kofinlaw.trainer.preference",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
