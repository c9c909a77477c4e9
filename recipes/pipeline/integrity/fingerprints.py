"""Compute the fingerprint of a stage from its settings, inputs, code and earlier stages."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kofinlaw import Progress, __version__
from kofinlaw.files import leads_outside, sha256_file
from kofinlaw.recipes.pipeline.code_hash import ROOT_PACKAGE, code_sha256
from kofinlaw.recipes.pipeline.integrity.stage_record import (
    MadeFrom,
    StageRecord,
    passed_on,
    read_record,
)
from kofinlaw.results import StageResult

__all__ = [
    "Stage",
    "code_of",
    "differences",
    "fingerprint",
    "inputs_sha256",
    "is_complete",
    "made_from",
    "marks",
    "plain_settings",
]

MOST_NAMED = 6  # differences that one message lists


@dataclass(frozen=True)
class Stage:
    """One step of a run.

    Args:
        name: Names the stage's folder.
        work: `work(out, progress)` writes into the folder `out` and returns the stage's figures.
        settings: The part of the recipe that the result depends on, as JSON values.
        inputs: Files and folders outside the run that it reads.
        packages: Every package whose code it can reach.
        modules: Full names of the modules of `recipes` whose code it can reach.
        after: Names of the earlier stages whose folders it reads.
    """

    name: str
    work: Callable[[Path, Progress], StageResult]
    settings: Mapping[str, object] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    packages: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def inputs_sha256(paths: Iterable[Path]) -> str:
    """Return the SHA-256 (hexadecimal) of the names and contents of files and folders,
    in sorted order.

    A file of a folder counts with its path in that folder. Hidden files do not count. A link that
    leads outside of the folder is not read: it counts with its target.
    """
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for item in files:
            parts = item.relative_to(path).parts or (item.name,)
            if path.is_dir() and any(part.startswith(".") for part in parts):
                continue
            digest.update("/".join(parts).encode("utf-8", "surrogateescape"))
            if path.is_dir() and leads_outside(item, path):
                digest.update(b"\0link " + os.fsencode(item.readlink()))
                continue
            with contextlib.suppress(OSError):
                digest.update(sha256_file(item).encode())
    return digest.hexdigest()


def made_from(stage: Stage, before: Mapping[str, str]) -> MadeFrom:
    """Return what a stage is made from, given what the earlier stages pass on, by name.

    Inputs have their number before their name, since two of them may have the same name.
    """
    return {
        "version": __version__,
        "inputs": {
            f"{number} {_printable(path.name)}": inputs_sha256([path])
            for number, path in enumerate(stage.inputs, 1)
        },
        "code": {name: code_sha256(name) for name in code_of(stage)},
        "before": {name: before[name] for name in stage.after},
    }


def plain_settings(stage: Stage) -> dict[str, object]:
    """Return the settings of a stage as JSON gives them back."""
    plain = json.loads(json.dumps(stage.settings, ensure_ascii=False, default=str))
    return dict(plain)


def fingerprint(stage: Stage, before: Mapping[str, str], parts: MadeFrom | None = None) -> str:
    """Return the stage's fingerprint (SHA-256), given what the earlier stages pass on, by name.

    `parts` are those of `made_from`, if the caller has them.
    """
    content = {
        "stage": stage.name,
        "settings": plain_settings(stage),
        **(parts or made_from(stage, before)),
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def marks(stages: Sequence[Stage], folder: Path) -> Iterator[tuple[Stage, str]]:
    """Yield each stage with its fingerprint, given what lies in the run's folder.

    A stage whose files the user changed and accepted passes that on to the stages that read it.
    """
    before: dict[str, str] = {}
    for stage in stages:
        mark = fingerprint(stage, before)
        before[stage.name] = passed_on(read_record(folder / stage.name), mark)
        yield stage, mark


def is_complete(stages: Sequence[Stage], name: str, folder: Path) -> bool:
    """Return whether a run of these stages skips the stage `name`: it is complete and unchanged.

    Inputs are read only if the stage is complete. `resume="never"` runs it again in any case.
    """
    record = read_record(folder / name)
    if record.get("status") != "complete":
        return False
    for stage, mark in marks(stages, folder):
        if stage.name == name:
            return record.get("fingerprint") == mark
    return False


def code_of(stage: Stage) -> tuple[str, ...]:
    """Return the packages and modules whose code the stage uses.

    Every stage uses the root package.
    """
    return (
        ROOT_PACKAGE,
        *(f"{ROOT_PACKAGE}.{package}" for package in stage.packages),
        *stage.modules,
    )


def differences(stage: Stage, record: StageRecord, parts: MadeFrom) -> str:
    """Return what differs between a recorded stage and this one, for a message.

    Settings are named with both values; inputs, code and earlier stages by name. Empty if the
    record is that of an earlier version, which recorded no parts.
    """
    if "made_from" not in record:
        return ""
    older = record["made_from"]
    found = []
    was, now = _leaves(record.get("settings", {})), _leaves(plain_settings(stage))
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            found.append(f"setting {key} ({_short(was, key)} → {_short(now, key)})")
    found += [f"input {name.partition(' ')[2]}" for name in _changed(older, parts, "inputs")]
    found += [f"stage {name} before it" for name in _changed(older, parts, "before")]
    found += [f"code of {name}" for name in _changed(older, parts, "code")]
    if older.get("version") != parts["version"]:
        found.append(f"version of kofinlaw ({older.get('version')} → {parts['version']})")
    rest = len(found) - MOST_NAMED
    return ", ".join(found[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _changed(older: MadeFrom, newer: MadeFrom, key: str) -> list[str]:
    was = older.get(key) or {}
    now = newer.get(key) or {}
    if not isinstance(was, dict) or not isinstance(now, dict):
        return []
    return sorted(name for name in {*was, *now} if was.get(name) != now.get(name))


def _leaves(value: object, name: str = "") -> dict[str, object]:
    """Return the values of nested mappings by their dotted names."""
    if not isinstance(value, Mapping) or not value:
        return {name: value}
    out: dict[str, object] = {}
    for key, inner in value.items():
        out |= _leaves(inner, f"{name}.{key}" if name else str(key))
    return out


def _short(values: Mapping[str, object], key: str) -> str:
    if key not in values:
        return "none"
    text = json.dumps(values[key], ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _printable(name: str) -> str:
    """Return a file's name with bytes that are not UTF-8 written as escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
