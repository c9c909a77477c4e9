"""Check that an adapter holds the tensors that its config selects in this base, and no others.

Which modules a config selects is decided by peft's own matching of names
(`check_target_module_exists`), on the names of the base's tensors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kofinlaw import UserError
from kofinlaw.trainer.merge.adapter_files import CONFIG, WEIGHTS, Adapter
from kofinlaw.trainer.merge.merge_base import linear_weights
from kofinlaw.trainer.merge.tensor_files import FLOATS, TensorInfo, read_tensor

__all__ = [
    "BaseNames",
    "check_coverage",
    "not_finite",
    "refuse_unmatched",
    "selected_modules",
]

SHOWN = 5  # names in a message
# The keys of adapter_config.json that decide which modules get LoRA factors.
_MATCHED = {"target_modules", "exclude_modules", "modules_to_save"}
_MATCHED |= {"layers_to_transform", "layers_pattern"}
_LAYER = re.compile(r"\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class BaseNames:
    """The base's tensors by name, and what ties embedding and head.

    Attributes:
        weights: by name, including a head that is not stored because it is tied.
        model_type: as in config.json.
        embedding: the name of the embedding's weight; None where it is not known.
        head: the name of the head's weight.
        tied: whether both are one tensor.
    """

    weights: Mapping[str, TensorInfo]
    model_type: str
    embedding: str | None
    head: str
    tied: bool


def selected_modules(adapter: Adapter, base: BaseNames) -> frozenset[str]:
    """Return the modules of the base that get LoRA factors by the adapter's config.

    Raises UserError for a config that peft refuses.
    """
    from peft import LoraConfig
    from peft.tuners.tuners_utils import check_target_module_exists
    from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as DEFAULTS

    known = {key: adapter.config.get(key) for key in _MATCHED}
    if known["target_modules"] is None:
        known["target_modules"] = sorted(DEFAULTS.get(base.model_type, ()))
    try:
        config = LoraConfig(**known)
        if str(config.target_modules).lower() == "all-linear":
            linear = linear_weights(base.weights.values())
            config.target_modules = {name.removesuffix(".weight") for name in linear}
        modules = [
            name.removesuffix(".weight")
            for name, info in base.weights.items()
            if name.endswith(".weight") and len(info.shape) > 1
        ]
        return frozenset(m for m in modules if check_target_module_exists(config, m))
    except (ValueError, TypeError, re.error) as error:
        raise UserError(
            f"peft refuses this config: {error}", where=str(adapter.folder / CONFIG)
        ) from error


def check_coverage(adapter: Adapter, base: BaseNames) -> int:
    """Compare the tensors of an adapter, which all match a weight, with what its config selects.

    Returns the number of modules with LoRA factors.

    Raises UserError that names the modules without tensors, and the tensors that no target
    selects (peft would leave them out).
    """
    selected = selected_modules(adapter, base)
    missing = [
        f"{module} ({', '.join(lacking)})"
        for module in sorted(selected)
        if (lacking := _lacking_parts(adapter, module))
    ]
    missing += sorted(_whole_weights(adapter, base, selected) - set(adapter.replacements))
    missing += sorted(_modules_of_tokens(adapter, base) - set(adapter.token_rows))
    if missing:
        raise UserError(
            f"the adapter lacks the tensors of {len(missing)} modules that its config selects "
            f"({len(selected)} with LoRA): {_listed(missing)}",
            where=str(adapter.folder / WEIGHTS),
            remedy="an incomplete adapter is not the model that was trained: copy or save it "
            "again, or train again",
        )
    follow: set[str | None] = set()
    if adapter.config.get("ensure_weight_tying"):  # peft adapts the head with the embedding
        follow = {base.embedding, base.head}
    listed = adapter.config.get("trainable_token_indices") is not None
    extra = [module for module in adapter.parts if f"{module}.weight" not in follow]
    extra = sorted({*extra, *(() if listed else adapter.token_rows)} - selected)
    if extra:
        raise UserError(
            f"the adapter holds tensors of {len(extra)} modules that its config does not select: "
            f"{_listed(extra)}",
            where=str(adapter.folder / WEIGHTS),
            remedy=f"{CONFIG} and {WEIGHTS} are not of the same training: copy both again",
        )
    return len(adapter.parts)


def _lacking_parts(adapter: Adapter, module: str) -> list[str]:
    """Return the names of the tensors that this module's LoRA lacks."""
    found = adapter.parts.get(module, {})
    kind = "lora_embedding_{}" if any("embedding" in part for part in found) else "lora_{}.weight"
    wanted = [kind.format("A"), kind.format("B")]
    if adapter.config.get("use_dora"):
        wanted.append("lora_magnitude_vector")
    if adapter.config.get("lora_bias"):
        wanted.append("lora_B.bias")
    return [part.removesuffix(".weight") for part in wanted if part not in found]


def _whole_weights(adapter: Adapter, base: BaseNames, selected: Iterable[str]) -> set[str]:
    """Return the weights that the config trains as a whole: modules_to_save and biases."""
    listed = adapter.config.get("modules_to_save")
    saved = tuple(str(name) for name in listed) if isinstance(listed, list) else ()
    found = {n for n in base.weights if saved and any(p.endswith(saved) for p in _paths(n))}
    if adapter.config.get("ensure_weight_tying") and base.tied:
        found.discard(base.head)  # it follows the embedding
    bias = adapter.config.get("bias")
    if bias == "all":
        found |= {name for name in base.weights if name.endswith(".bias")}
    if bias == "lora_only":
        found |= {f"{module}.bias" for module in selected} & set(base.weights)
    return found


def _paths(name: str) -> list[str]:
    """Return the paths of the modules that a tensor lies in."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _modules_of_tokens(adapter: Adapter, base: BaseNames) -> set[str]:
    """Return the modules that must hold rows of `trainable_token_indices`."""
    listed = adapter.config.get("trainable_token_indices")
    if listed is None:
        return set()
    names = [*listed] if isinstance(listed, dict) else ["embed_tokens"]
    modules = {name.removesuffix(".weight") for name in base.weights}
    found = {m for m in modules if any(m == n or m.endswith(f".{n}") for n in names)}
    if not isinstance(listed, dict) and base.embedding is not None:
        found = {base.embedding.removesuffix(".weight")}
    if base.tied and len(found) > 1:
        found.discard(base.head.removesuffix(".weight"))  # it follows the embedding
    return found


def refuse_unmatched(
    adapter: Adapter, unmatched: Iterable[str], weights: Iterable[str], nearest: str
) -> None:
    """Raise UserError, with the cause, for tensors of the adapter that match no weight.

    Args:
        adapter: the adapter.
        unmatched: names of weights that the adapter changes and the base does not have.
        weights: names of the base's tensors.
        nearest: text about a similar name, or empty.
    """
    names = sorted(unmatched)
    if not names:
        return
    changed = {f"{m}.weight" for m in (*adapter.parts, *adapter.token_rows)}
    modules = {name.rpartition(".")[0] for name in weights}
    used = {name.rpartition(".")[0] for name in {*changed, *adapter.replacements}}
    deepest, layers = _deepest(names), _deepest(weights)
    remedy = "merge it with the base that it was trained on"
    if adapter.config.get("lora_bias") and all(name.endswith(".bias") for name in names):
        why = "lora_bias trained biases for layers that have none in this architecture"
        remedy = "use base and adapter unmerged, or train without lora_bias"
    elif not used & modules:
        why = "no module of the adapter exists in this base, it belongs to another architecture"
    elif deepest > layers >= 0:
        why = f"the adapter was trained on {deepest + 1} layers or more, this base has {layers + 1}"
    else:
        why = "this base lacks modules that the adapter was trained with"
    raise UserError(
        f"{len(names)} tensors of the adapter match no weight of this base, first {names[0]}"
        f"{nearest}: {why}",
        where=str(adapter.folder / WEIGHTS),
        remedy=remedy,
    )


def _deepest(names: Iterable[str]) -> int:
    """Return the largest number in the names; -1 where there is none."""
    return max((int(number) for name in names for number in _LAYER.findall(name)), default=-1)


def not_finite(adapter: Adapter) -> str | None:
    """Return the name of a tensor of the adapter that holds NaN or infinity, if there is one."""
    floats = (name for name, info in adapter.tensors.items() if info.dtype in FLOATS)
    for name in floats:
        if not bool(read_tensor(adapter.tensors[name]).isfinite().all()):
            return name
    return None


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
