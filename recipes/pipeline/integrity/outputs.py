"""Describe the files that a stage wrote, and find those that changed since."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kofinlaw.errors import raise_if_machine
from kofinlaw.files import SET_ASIDE, sha256_file
from kofinlaw.recipes.pipeline.integrity.stage_record import RECORD, OutputFile

__all__ = ["UNREAD", "Change", "Found", "compare", "describe", "extra_files", "find_outputs"]

# What lies in a stage's folder and no later stage reads, so that it may change or be deleted: logs,
# checkpoints (they have hashes of their own), the files of trackers, and the merged model's card,
# which the stage `report` completes.
UNREAD = frozenset(
    {
        RECORD,
        "log.txt",
        "progress.json",
        "checkpoints",
        "tensorboard",
        "wandb",
        "mlflow.db",
        "trl",
        "model/README.md",
    }
)
# A folder with one of these files is loaded as a whole: another file in it can change a result.
WHOLE = ("config.json", "adapter_config.json", "index.json")

Sha256 = Callable[[Path], str]


@dataclass(frozen=True)
class Found:
    """A file of a stage's folder; `link` says that it is reached through a link."""

    path: Path
    link: bool


@dataclass(frozen=True)
class Change:
    """A file that is not as the stage wrote it: its path in the folder, and what changed."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name} ({self.what})"


def find_outputs(folder: Path) -> dict[str, Found]:
    """Return the files of a stage's folder by their path in it, without `UNREAD` and hidden files.

    Links are followed, each folder once. Names that are not UTF-8 are written with escapes.
    """
    return dict(sorted(_walk(folder, "", False, set())))


def _walk(
    folder: Path, prefix: str, linked: bool, seen: set[tuple[int, int]]
) -> Iterator[tuple[str, Found]]:
    status = folder.stat()
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as entries:
        for entry in entries:
            shown = os.fsencode(entry.name).decode("utf-8", "backslashreplace")
            name = f"{prefix}{shown}"
            if entry.name.startswith(".") or name in UNREAD or SET_ASIDE in name:
                continue
            link = linked or entry.is_symlink()
            path = Path(entry.path)
            if entry.is_dir():
                yield from _walk(path, f"{name}/", link, seen)
            else:
                yield name, Found(path, link)


def describe(folder: Path, sha256: Sha256 = sha256_file) -> dict[str, OutputFile]:
    """Return size and SHA-256 of every file of a stage's folder. Raises OSError."""
    out: dict[str, OutputFile] = {}
    for name, found in find_outputs(folder).items():
        status = found.path.stat()
        if not stat.S_ISREG(status.st_mode):
            continue
        out[name] = {"bytes": status.st_size, "sha256": sha256(found.path)}
        if found.link:
            out[name]["link"] = True
    return out


def compare(
    folder: Path, outputs: Mapping[str, OutputFile], sha256: Sha256 = sha256_file
) -> list[Change]:
    """Return the files of a stage's folder that are not as recorded, in the order of their names.

    A file is reported that is missing, has another size or content, cannot be read, or became a
    link; also a file that the stage did not write in a folder that is loaded as a whole.
    """
    try:
        here = find_outputs(folder)
    except OSError as error:
        raise_if_machine(error, folder)
        return [Change(".", f"the folder cannot be read: {error.strerror}")]
    changes = []
    for name, recorded in outputs.items():
        what = _change(here.get(name), recorded, sha256)
        if what:
            changes.append(Change(name, what))
    whole = {name.rpartition("/")[0] for name in outputs if name.rpartition("/")[2] in WHOLE}
    for name in extra_files(here, outputs):
        if name.rpartition("/")[0] in whole:
            changes.append(Change(name, "new; all files of this folder are loaded"))
    return sorted(changes, key=lambda change: change.name)


def extra_files(here: Mapping[str, Found], outputs: Mapping[str, OutputFile]) -> list[str]:
    """Return the names of files that the stage did not write."""
    return [name for name in here if name not in outputs]


def _change(found: Found | None, recorded: OutputFile, sha256: Sha256) -> str:
    """Return what changed at one file; empty if nothing did."""
    if found is None:
        return "missing"
    if found.link and not recorded.get("link"):
        return f"now reached through a link to {os.path.realpath(found.path)}"
    try:
        status = found.path.stat()
        if not stat.S_ISREG(status.st_mode):
            return "no longer a file"
        wanted = recorded.get("bytes")
        if status.st_size != wanted:
            return f"{wanted:,} → {status.st_size:,} bytes" if wanted is not None else "no size"
        if sha256(found.path) != recorded.get("sha256"):
            return f"other content, {status.st_size:,} bytes as before"
    except OSError as error:
        raise_if_machine(error, found.path)
        return f"cannot be read: {error.strerror}"
    return ""
