"""Write a bundle: first everything into OUT.partial, then one rename."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from packaging.version import Version

from kofinlaw import Progress, UserError, __version__, silent
from kofinlaw.files import disk_error, sync, write_json, write_text
from kofinlaw.models.policy.rules import policy_named
from kofinlaw.recipes.bundling import installer
from kofinlaw.recipes.bundling.licences import (
    FOLDER,
    TABLE,
    LicenceRow,
    document_rows,
    model_row,
    package_rows,
    write_table,
)
from kofinlaw.recipes.bundling.own_wheel import build_own_wheel
from kofinlaw.recipes.bundling.place import partial_folder, require_place
from kofinlaw.recipes.bundling.plan import BundlePlan, Environment, Wanted, make_plan
from kofinlaw.recipes.bundling.portable import (
    LEFT_OUT,
    machine_paths,
    require_no_machine_path,
    run_paths,
)
from kofinlaw.recipes.bundling.run_copy import copy_run, read_compliance
from kofinlaw.recipes.bundling.run_parts import BundledModel
from kofinlaw.recipes.bundling.sbom import SbomModel, sbom
from kofinlaw.recipes.bundling.wheels import (
    REQUIREMENTS,
    Wheel,
    download_wheels,
    missing_requirements,
    write_requirements,
)
from kofinlaw.recipes.pipeline.lock import run_lock
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.recipes.starting.example_question import example_question

__all__ = ["BundleFigures", "write_bundle"]

FORMAT = 1
SBOM = "sbom.cdx.json"
_FILES = Path(__file__).parent / "files"
_PAGES = ("README.md", "README.ko.md")
_LOCK = ".lock"
_DOCUMENTS = ("run/data/", "run/index/")
_FOREIGN = ("wheels/", f"{FOLDER}/")
_TOKENS = "token"  # a vocabulary may hold any short path


@dataclass(frozen=True)
class BundleFigures:
    """What was written: files, bytes, wheels, and what a user should know.

    - `sums_sha256` is the SHA-256 of `SHA256SUMS`.
    - `left_out` are recipe keys whose files the bundle does not hold.
    - `without_text` are packages whose wheel has no licence text, `built` those built here.
    - `other_versions` are packages in another version than the one that is installed here.
    - `notes` are those of the plan.
    """

    files: int
    bytes: int
    wheels: int
    sums_sha256: str
    left_out: tuple[str, ...]
    without_text: tuple[str, ...]
    built: tuple[str, ...]
    other_versions: tuple[str, ...]
    notes: tuple[str, ...]

    def to_record(self) -> dict[str, object]:
        """Return the figures for JSON."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }


def write_bundle(
    run: Run,
    out: Path,
    wanted: Wanted,
    progress: Progress = silent,
    environment: Environment | None = None,
) -> BundleFigures:
    """Write the bundle of a run into the new folder `out`.

    Raises UserError if something is missing, if `out` exists, if pip cannot get a wheel, or if the
    disk is full. `out` then does not exist.
    """
    require_place(out, run)
    environment = environment or Environment()
    plan = make_plan(run, out, wanted, prepare=True, environment=environment, progress=progress)
    if plan.problems:
        raise UserError(
            "no bundle can be written: " + "; ".join(plan.problems),
            where=str(run.folder),
            remedy="`kofinlaw bundle RUN OUT --plan` lists what is missing",
        )
    with _partial(out) as bundle:
        figures = _fill(run, plan, environment.sources, bundle, progress)
    return figures


@contextmanager
def _partial(out: Path) -> Iterator[Path]:
    """Yield the folder OUT.partial; it becomes `out` if the block ends without an error.

    What a killed process left in it is deleted. Raises UserError if the folder was not left by
    this command, or if another process writes it.
    """
    folder = partial_folder(out)
    if folder.exists() and not (folder / _LOCK).is_file():
        raise UserError(
            "a folder lies where the bundle is written before it is complete",
            where=str(folder),
            remedy="rename it, or name another OUT",
        )
    try:
        with run_lock(folder, lambda line: None, option="OUT"):
            try:
                for leftover in folder.iterdir():
                    if leftover.name != _LOCK:
                        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
                yield folder
                for path in sorted(folder.rglob("*")):
                    sync(path)
                (folder / _LOCK).unlink()
                require_place(out)
                folder.rename(out)
                sync(out.absolute().parent)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
    except OSError as error:
        raise disk_error(error, folder) from error


def _fill(
    run: Run, plan: BundlePlan, sources: Path | None, bundle: Path, progress: Progress
) -> BundleFigures:
    target = plan.target
    wheels = [build_own_wheel(bundle / "wheels", sources)]
    progress("wheels", 0, len(plan.packages.packages))
    wheels += download_wheels(plan.packages.packages, target, bundle / "wheels", progress)
    missing = missing_requirements(wheels, target)
    if missing:
        raise UserError(
            "the wheels do not fit together on the target: " + "; ".join(missing),
            remedy="install what is missing here, so that its version is known, or name another "
            "version: --use NAME==VERSION",
        )
    left_out = copy_run(run, plan.parts, bundle, progress)
    write_requirements(wheels, bundle / "wheels" / REQUIREMENTS)
    rows = _write_licences(run, plan, wheels, sources, bundle)
    _write_texts(run, plan, wheels, left_out, bundle)
    hashes = _hashes(bundle, progress)
    _write_sbom(run, plan, wheels, rows, hashes, bundle)
    hashes[SBOM] = installer.sha256(bundle / SBOM)
    _check_paths(run, hashes, bundle)
    sums = _write_sums(hashes, bundle)
    return BundleFigures(
        files=len(hashes) + 2,
        bytes=sum((bundle / name).stat().st_size for name in hashes),
        wheels=len(wheels),
        sums_sha256=sums,
        left_out=tuple(left_out),
        without_text=tuple(r.name for r in rows if r.kind == "package" and not r.texts),
        built=tuple(wheel.name for wheel in wheels[1:] if wheel.built_here),
        other_versions=tuple(
            f"{name} {version} ({tested} is installed here)"
            for name, version, tested in _other_versions(plan, wheels)
        ),
        notes=tuple(plan.parts.notes),
    )


def _check_paths(run: Run, names: Iterable[str], bundle: Path) -> None:
    """Raise UserError if a file names a folder of this machine; not in wheels and tokenizers."""
    documents, others = [], []
    for name in names:
        if name.startswith(_DOCUMENTS):
            documents.append(name)
        elif not name.startswith(_FOREIGN) and _TOKENS not in Path(name).name:
            others.append(name)
    require_no_machine_path(bundle, documents, run_paths(run))
    require_no_machine_path(bundle, others, machine_paths(run))


def _write_licences(
    run: Run, plan: BundlePlan, wheels: Sequence[Wheel], sources: Path | None, bundle: Path
) -> list[LicenceRow]:
    compliance = read_compliance(run)
    write_text(bundle / "compliance.json", compliance)
    own = sources / "LICENSE" if sources is not None else None
    rows = package_rows(wheels, bundle, own)
    rows += [model_row(m.name, m.folder, _place(m, wheels), bundle, own) for m in plan.parts.models]
    rows += document_rows(json.loads(compliance))
    write_table(rows, bundle / TABLE)
    return rows


def _place(model: BundledModel, wheels: Iterable[Wheel]) -> str:
    """Return the folder of a model in the bundle, or the wheel that holds its weights."""
    names = [one.path.name for one in wheels if one.name == model.package]
    return f"wheels/{names[0]}" if names else model.place


def _write_texts(
    run: Run, plan: BundlePlan, wheels: Sequence[Wheel], left_out: Sequence[str], bundle: Path
) -> None:
    """Write the policy, the record of the bundle, the installer and the pages."""
    target = plan.target
    patch = target.oldest_patch(str(one.metadata.get("Requires-Python") or "") for one in wheels)
    if patch is None:
        raise UserError(f"no Python {target.python} can install all of the wheels")
    policy = policy_named(run.recipe.policy).to_record()
    text = yaml.safe_dump(policy, allow_unicode=True, sort_keys=False)
    write_text(bundle / "policy.yaml", text)
    question = example_question(run.folder / "data") or "무엇을 정한 규정인가요?"
    record = {
        "format": FORMAT,
        "run": run.recipe.name,
        "kofinlaw": __version__,
        "target": {
            "python": target.python,
            "oldest_python": f"{target.python}.{patch}",
            "machine": target.machine,
            "glibc": f"2.{target.glibc}",
        },
        "platform": target.platform,
        "wheels": len(wheels),
        "torch": plan.packages.version_of("torch"),
        "other_versions": {
            name: {"bundle": version, "tested": tested}
            for name, version, tested in _other_versions(plan, wheels)
        },
        "engine": run.recipe.answer.engine.engine,
        "models": [
            {"name": one.name, "role": one.role, "place": _place(one, wheels)}
            for one in plan.parts.models
        ],
        "left_out": list(left_out),
        "question": question,
    }
    write_json(bundle / installer.RECORD, record)
    shutil.copyfile(installer.__file__, bundle / "install.py")
    values = {
        "@PYTHON@": target.python,
        "@OLDEST@": f"{target.python}.{patch}",
        "@PLATFORM@": target.platform,
        "@GLIBC@": f"2.{target.glibc}",
        "@MACHINE@": target.machine,
        "@RUN@": run.recipe.name,
        "@TORCH@": str(record["torch"]),
        "@QUESTION@": question,
        "@LEFT_OUT@": ", ".join(f"`{one}`" for one in left_out) or "-",
        "@NOT_IN_BUNDLE@": LEFT_OUT,
    }
    for name in ("install.sh", *_PAGES):
        filled = (_FILES / name).read_text(encoding="utf-8")
        for mark, value in values.items():
            filled = filled.replace(mark, value)
        write_text(bundle / name, filled)
    (bundle / "install.sh").chmod(0o755)


def _other_versions(plan: BundlePlan, wheels: Iterable[Wheel]) -> list[tuple[str, str, str]]:
    """Return name, version and installed version of the wheels that are not installed here."""
    installed = {one.name: one.installed for one in plan.packages.packages}
    return [
        (one.name, one.version, installed[one.name])
        for one in wheels
        if one.name in installed and Version(installed[one.name]) != Version(one.version)
    ]


def _hashes(bundle: Path, progress: Progress) -> dict[str, str]:
    """Return the SHA-256 of each file of the bundle by its path in it, in the order of paths."""
    paths = [path for path in bundle.rglob("*") if path.is_file() and path.name != _LOCK]
    names = sorted(path.relative_to(bundle).as_posix() for path in paths)
    out = {}
    for number, name in enumerate(names, 1):
        if "\n" in name or "\\" in name or "\r" in name:
            raise UserError(
                "a file name with a line break, a backslash or bytes that are not UTF-8 cannot be "
                "listed in SHA256SUMS",
                where=name,
                remedy="rename the file in the run or in the model's folder",
            )
        out[name] = installer.sha256(bundle / name)
        progress("SHA-256", number, len(names))
    return out


def _write_sbom(
    run: Run,
    plan: BundlePlan,
    wheels: Sequence[Wheel],
    rows: Sequence[LicenceRow],
    hashes: dict[str, str],
    bundle: Path,
) -> None:
    """Write the bill of materials; each model has the hashes of its files."""
    models = []
    for row in rows:
        if row.kind == "model":
            place = row.version
            inside = {n: h for n, h in hashes.items() if n == place or n.startswith(f"{place}/")}
            models.append(SbomModel(row, inside))
    write_json(bundle / SBOM, sbom(run.recipe.name, wheels, models, rows, plan.target))


def _write_sums(hashes: dict[str, str], bundle: Path) -> str:
    """Write the list of hashes and its own hash; return the latter."""
    lines = [f"{digest}  {name}\n" for name, digest in sorted(hashes.items())]
    write_text(bundle / installer.SUMS, "".join(lines))
    digest = installer.sha256(bundle / installer.SUMS)
    write_text(bundle / installer.SEAL, f"{digest}  {installer.SUMS}\n")
    return digest
