"""Write the merged checkpoint's companion files: tokenizer, template, config, licence, card."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from kofinlaw import UserError, __version__
from kofinlaw.files import sha256_file, sha256_text, write_json, write_text
from kofinlaw.models import catalogue, templates
from kofinlaw.models.licences.texts import NOTICE, licence_files
from kofinlaw.results import JsonValue
from kofinlaw.texts import json_in_markdown, markdown_text
from kofinlaw.trainer.merge.adapter_files import Adapter
from kofinlaw.trainer.merge.json_objects import (
    JsonObject,
    object_at,
    read_object,
    read_object_if_present,
)
from kofinlaw.trainer.merge.merged_config import readable_by_both
from kofinlaw.trainer.merge.merged_tokenizer import (
    TEMPLATE,
    TOKENIZER_FILES,
    chat_template,
    check_special_ids,
    own_special_ids,
    write_tokenizer,
)
from kofinlaw.trainer.merge.plan_records import MergePlan

__all__ = [
    "CONVERTED",
    "OTHER_COMPANIONS",
    "base_name",
    "copy_companions",
    "model_name",
    "write_card",
    "write_companions",
]

OTHER_COMPANIONS = (TEMPLATE, "generation_config.json", "README.md", "kofinlaw.json")
CONVERTED = "kofinlaw-convert.json"  # the original config of a Llama converted from EXAONE


def model_name(adapter: Adapter, plan: MergePlan, asked: str | None) -> str:
    """Return the merged model's name: `asked`, or the base's name and `-kofinlaw`.

    Raises UserError for a name that breaks the base's licence: EXAONE's (2.1c) requires the names
    of derivatives to begin with EXAONE.
    """
    base_id = base_name(adapter, plan)
    name = asked or f"{base_id.rsplit('/', 1)[-1]}-kofinlaw"
    card = catalogue.recognise_folder(plan.base_folder)
    prefix = "EXAONE" if "exaone" in f"{base_id} {card.id if card else ''}".lower() else ""
    if plan.base_config.get("model_type") == "exaone":
        prefix = "EXAONE"
    if prefix and not name.startswith(prefix):
        raise UserError(
            f"the name {name!r} must begin with {prefix}: the base's licence requires it (2.1c)",
            remedy=f"name it {prefix}-{name}",
        )
    return name


def base_name(adapter: Adapter, plan: MergePlan) -> str:
    """Return the base's public name: as recorded, else the catalogue's, else the folder's.

    A recorded name without an owner is a folder's name, so the catalogue's name replaces it.
    """
    recorded = str(adapter.record.get("base_id") or "")
    card = catalogue.recognise_folder(plan.base_folder)
    if "/" in recorded or card is None:
        return recorded or plan.base_folder.name
    return card.id


def write_companions(plan: MergePlan, folder: Path) -> dict[str, str]:
    """Write every companion file but card and record; returns SHA-256 by file name.

    Raises UserError where tokenizer or chat template are missing or not the adapter's.
    """
    adapter, base = plan.adapter, plan.base_folder
    template = chat_template(adapter, base)
    written = write_tokenizer(plan, folder)
    write_text(folder / TEMPLATE, template.source)
    written[TEMPLATE] = sha256_text(template.source)
    special = own_special_ids(plan, folder)
    config = readable_by_both(
        plan.base_config,
        dtype=plan.dtype,
        tied=_changed_tie(plan),
        vocab_size=plan.vocab_size,
        special=special,
    )
    check_special_ids(config, plan.vocab_size, folder / "config.json")
    write_json(folder / "config.json", config)
    generation = _generation_config(base, template, folder, special)
    if generation:
        check_special_ids(generation, plan.vocab_size, folder / "generation_config.json")
        write_json(folder / "generation_config.json", generation)
    for path in (*licence_files(base), base / CONVERTED):
        if path.is_file() and path.name not in written:
            shutil.copyfile(path, folder / path.name)
            written[path.name] = sha256_file(folder / path.name)
    card = catalogue.recognise_folder(base)
    notice = catalogue.licence_notice(card.license if card is not None else "")
    if notice and NOTICE not in written:
        write_text(folder / NOTICE, f"{notice}\n")
        written[NOTICE] = sha256_text(f"{notice}\n")
    return written


def _changed_tie(plan: MergePlan) -> bool | None:
    """Return whether embedding and head are one tensor, where the base's config says otherwise.

    A config without the key takes its class's default, which is true for Gemma.
    """
    said = plan.base_config.get("tie_word_embeddings")
    return None if said is plan.tied or (said is None and plan.tied) else plan.tied


def _generation_config(
    base: Path, template: templates.ChatTemplate, folder: Path, special: Mapping[str, int]
) -> JsonObject:
    """Return the base's generation config, with the template's stop token as an end token.

    A base model's own end token ends a document. The trained model ends its turn with the
    template's token, and without it here `generate` would not stop. `special` are the ids of the
    adapter's own tokenizer; its end token is added, the others replace the base's.
    """
    config = read_object_if_present(base / "generation_config.json")
    tokenizer_file = folder / "tokenizer.json"
    if not tokenizer_file.exists():
        return config
    from tokenizers import Tokenizer

    config |= {key: number for key, number in special.items() if key in config}
    stop = Tokenizer.from_file(str(tokenizer_file)).token_to_id(template.stop)
    ends = read_object_if_present(base / "generation_config.json").get("eos_token_id")
    if ends is None:
        ends = read_object(base / "config.json").get("eos_token_id", [])
    listed: list[JsonValue] = list(ends) if isinstance(ends, list) else [ends]
    added = [i for i in (stop, special.get("eos_token_id")) if i is not None and i not in listed]
    if added:
        config["eos_token_id"] = [*listed, *dict.fromkeys(added)]
    elif special and "eos_token_id" in config:
        config["eos_token_id"] = ends
    return config


def write_card(plan: MergePlan, folder: Path, name: str) -> None:
    """Write the README.md of the merged model: what it is made of, and its licence terms."""
    card = catalogue.recognise_folder(plan.base_folder)
    base_name_given = base_name(plan.adapter, plan)
    base_id = markdown_text(base_name_given)
    license_name = card.license if card else "see the base model"
    quantization = plan.adapter.quantization
    trained = "16-bit" if quantization is None else f"4-bit ({quantization['type']})"
    values = {
        "dequantized": "the 4-bit values that training used, stored in full",
        "original": "the base's own 16-bit weights",
    }[plan.base]
    counts = plan.counts()
    record = plan.adapter.record
    recipe = record.get("recipe") or record.get("fingerprints") or {}
    weights = object_at(record, "combined").get("weights")
    combined = f"\n| weights of the adapters | {weights} |" if weights else ""
    notices = [path.name for path in licence_files(folder)]
    files = "Files: " + ", ".join(map(markdown_text, notices))
    clauses = "".join(f"\n- {key}: {text}" for key, text in _clauses(card).items())
    text = f"""---
base_model: {_yaml_text(base_name_given)}
language: [ko]
library_name: transformers
tags: [kofinlaw, finance, law]
---

# {markdown_text(name)}

{base_id} with a LoRA adapter merged by kofinlaw {__version__}.

| | |
| --- | --- |
| base | {base_id}, SHA-256 `{plan.base_sha256[:16]}` |
| trained on | the {trained} base |
| added to | {values} |{combined}
| stored as | {plan.dtype}, {counts.parameters:,} parameters in {counts.shards} file(s) |
| weights the adapter changed | {counts.tensors_with_adapter} of {counts.tensors} |
| recipe | `{json_in_markdown(recipe)}` |

`kofinlaw verify` proves the merge. A finished run adds its data, proof and scores to this page;
its report holds everything else.

## Licence

{license_name}{clauses}
{files if notices else "The base has no licence file."}

## Limits

This model was trained on the documents that its recipe names, as of their dates. It can be wrong,
its knowledge of the law is not kept up to date, and nothing it writes is legal or financial advice.
"""
    write_text(folder / "README.md", text)


def _yaml_text(text: str) -> str:
    """Return a text as a YAML value: unchanged if it is a plain name, else in quotes."""
    return text if re.fullmatch(r"[A-Za-z][\w./-]*", text, re.ASCII) else json_in_markdown(text)


def _clauses(card: catalogue.ModelCard | None) -> dict[str, str]:
    return dict(card.license_clauses) if card else {}


def copy_companions(merged: Path, out: Path) -> None:
    """Copy tokenizer, template, notices, card and record of a merge byte for byte into `out`."""
    names = [path.name for path in licence_files(merged)]
    for name in (*TOKENIZER_FILES, *OTHER_COMPANIONS, *names):
        if (merged / name).exists():
            shutil.copyfile(merged / name, out / name)
