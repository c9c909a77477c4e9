"""Collect the licences of a bundle: texts in LICENSES/, and a table with one row for each part."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path, PurePosixPath

from kofinlaw.files import atomic_write
from kofinlaw.models.catalogue import licence_notice, lookup_model, recognise_folder
from kofinlaw.models.licences.texts import (
    MOST_TEXT,
    NOTICE,
    is_licence_text,
    licence_files,
    packaged_licences,
)
from kofinlaw.recipes.bundling.wheels import Wheel

__all__ = [
    "FOLDER",
    "NO_TEXT",
    "TABLE",
    "LicenceRow",
    "declared_licence",
    "document_rows",
    "model_row",
    "package_rows",
    "write_table",
]

FOLDER = "LICENSES"
APACHE = "Apache-2.0.txt"
TABLE = "licences.csv"
NO_TEXT = "no licence text in the wheel"
_APACHE = re.compile(
    r"Apache[ -]?(?:Software )?(?:License)?,? ?(?:Version )?(?:2(?:\.0)?)?(?: License)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class LicenceRow:
    """One part of a bundle: its licence, the texts in LICENSES/, and what is missing.

    `kind` is package, model or documents. `texts` are paths below the bundle, with `; ` between.
    """

    kind: str
    name: str
    version: str
    licence: str
    texts: str
    note: str
    url: str


def declared_licence(wheel: Wheel) -> str:
    """Return what a package's metadata says about its licence, on one line; empty if nothing."""
    metadata = wheel.metadata
    expression = str(metadata.get("License-Expression") or "").strip()
    if expression:
        return expression
    classifiers = [str(one) for one in metadata.get_all("Classifier") or ()]
    named = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: ")]
    named = [one for one in named if one != "OSI Approved"]
    stated = str(metadata.get("License") or "").strip()
    if stated and "\n" not in stated and len(stated) <= 100:
        return stated
    return " / ".join(named) or stated.partition("\n")[0].strip()[:100]


def package_rows(
    wheels: Iterable[Wheel], bundle: Path, own_licence: Path | None
) -> list[LicenceRow]:
    """Write the licence texts of the wheels below `bundle`; return a row for each wheel.

    `own_licence` is the text of Apache-2.0, for wheels of that licence without a text.
    """
    rows = []
    for wheel in wheels:
        texts = _write_texts(wheel, bundle)
        notes = [] if texts else [NO_TEXT]
        if not texts and own_licence is not None and _APACHE.fullmatch(declared_licence(wheel)):
            place = _place(f"{wheel.name}-{wheel.version}", APACHE)
            _write(bundle / place, own_licence.read_bytes())
            texts, notes = [place], [f"{NO_TEXT}: the text of Apache-2.0 was added"]
        if wheel.built_here:
            notes.append("built here from its source")
        rows.append(
            LicenceRow(
                "package",
                wheel.name,
                wheel.version,
                declared_licence(wheel),
                "; ".join(texts),
                "; ".join(notes),
                _home_page(wheel),
            )
        )
    return rows


def _write_texts(wheel: Wheel, bundle: Path) -> list[str]:
    """Copy the licence files of a wheel; those of its metadata, else those at its top."""
    out: list[str] = []
    with zipfile.ZipFile(wheel.path) as archive:
        entries = [e for e in archive.infolist() if not e.is_dir() and e.file_size <= MOST_TEXT]
        own = [e for e in entries if _in_metadata(e.filename)]
        if not own:
            own = [e for e in entries if _at_top(e.filename)]
        for entry in own:
            place = _place(f"{wheel.name}-{wheel.version}", entry.filename)
            _write(bundle / place, archive.read(entry))
            out.append(place)
    return sorted(out)


def _write(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)


def _place(owner: str, inside: str) -> str:
    """Return the path of a licence text in the bundle; the path in the wheel becomes a name."""
    parts = [part for part in PurePosixPath(inside).parts if part not in ("..", "/", "licenses")]
    kept = [part for part in parts if not part.endswith(".dist-info")]
    return f"{FOLDER}/{owner}/{'_'.join(kept)}"


def _in_metadata(name: str) -> bool:
    folder, _, rest = name.partition(".dist-info/")
    if not rest or "/" in folder:
        return False
    return rest.startswith("licenses/") or is_licence_text(rest)


def _at_top(name: str) -> bool:
    path = PurePosixPath(name)
    return is_licence_text(path.name) and len(path.parts) <= 3 and ".dist-info" not in name


def _home_page(wheel: Wheel) -> str:
    links = [str(one).partition(", ") for one in wheel.metadata.get_all("Project-URL") or ()]
    named = {label.strip().lower(): url.strip() for label, _, url in links}
    listed = [named[key] for key in ("homepage", "source", "repository") if key in named]
    return str(wheel.metadata.get("Home-page") or next(iter([*listed, *named.values()]), ""))


def model_row(
    name: str, folder: Path, place: str, bundle: Path, own_licence: Path | None
) -> LicenceRow:
    """Return the row of a model, whose weights the bundle holds at `place`.

    Its licence texts are the files of its folder, those of the package that it comes in, or, for
    Apache-2.0, `own_licence`, which is the text of that licence. A notice that the licence requires
    is added. They are written below `bundle`.
    """
    known = lookup_model(name)
    card = known or recognise_folder(folder)
    licence = card.license if card is not None else ""
    files = licence_files(folder)
    if card is not None and card.ships_as:
        files = [*packaged_licences(card.ships_as), *files]
    texts = {path.name: path.read_bytes() for path in files}
    if not texts and licence == "Apache-2.0" and own_licence is not None:
        texts = {APACHE: own_licence.read_bytes()}
    notice = licence_notice(licence)
    if notice:
        texts.setdefault(NOTICE, f"{notice}\n".encode())
    shown = known.id if known is not None else name
    owner = re.sub(r"[^A-Za-z0-9._-]+", "-", shown).strip("-") or "model"
    places = [f"{FOLDER}/models/{owner}/{one}" for one in texts]
    for where, text in zip(places, texts.values(), strict=True):
        _write(bundle / where, text)
    notes = [] if set(texts) - {NOTICE} else ["no licence text on the building machine"]
    if card is None or not licence:
        notes.append("licence not known: read it where the model comes from")
    elif card.license_clauses:
        notes += [f"{key}: {clause}" for key, clause in card.license_clauses.items()]
    url = card.url if card is not None else ""
    return LicenceRow("model", shown, place, licence, "; ".join(places), "; ".join(notes), url)


def document_rows(compliance: Mapping[str, object]) -> list[LicenceRow]:
    """Return a row for each source of documents of a compliance record; the index holds them."""
    sources = compliance.get("sources")
    return [
        LicenceRow(
            "documents",
            str(source.get("path", "")),
            str(source.get("sha256", "")),
            str(source.get("license", "")),
            "",
            "" if source.get("license") else "licence as the texts state it",
            "",
        )
        for source in (sources if isinstance(sources, list) else ())
    ]


def write_table(rows: Sequence[LicenceRow], path: Path) -> None:
    """Write the table (CSV, UTF-8)."""
    with atomic_write(path) as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow([field.name for field in fields(LicenceRow)])
        writer.writerows(astuple(row) for row in rows)
