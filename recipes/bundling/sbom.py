"""Write the software bill of materials of a bundle as CycloneDX 1.6 JSON.

Source: CycloneDX 1.6, ECMA-424. The document has no time and a serial number that follows from its
content, so that the same bundle has the same document.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from packaging.utils import canonicalize_name

from kofinlaw import __version__
from kofinlaw.files import sha256_text
from kofinlaw.recipes.bundling.licences import LicenceRow
from kofinlaw.recipes.bundling.packages import OWN, required_by
from kofinlaw.recipes.bundling.target import Target
from kofinlaw.recipes.bundling.wheels import Wheel

__all__ = ["SbomModel", "sbom"]

FORMAT = "CycloneDX"
SPECIFICATION = "1.6"
_NAMESPACE = uuid.UUID("5cf5ad7b-8df0-4f0e-9c35-3f2c36f4a1f5")


@dataclass(frozen=True)
class SbomModel:
    """A model of the bundle: its licence row and the SHA-256 of each file by its path."""

    row: LicenceRow
    files: Mapping[str, str]


def sbom(
    name: str,
    wheels: Sequence[Wheel],
    models: Sequence[SbomModel],
    rows: Iterable[LicenceRow],
    target: Target,
) -> dict[str, object]:
    """Return the document: packages, models and documents of the bundle of the run `name`.

    `rows` are the licence rows of packages and documents.
    """
    listed = list(rows)
    licences = {row.name: row for row in listed if row.kind == "package"}
    packages = [_package(wheel, licences.get(wheel.name)) for wheel in wheels]
    weights = [_model(one) for one in models]
    sources = [row for row in listed if row.kind == "documents"]
    documents = [_documents(row, number) for number, row in enumerate(sources, 1)]
    root = f"bundle:{name}"
    components = [*packages, *weights, *documents]
    depends = [
        {
            "ref": root,
            "dependsOn": [_ref(wheel) for wheel in wheels if wheel.name == OWN]
            + [str(one["bom-ref"]) for one in (*weights, *documents)],
        },
        *_dependencies(wheels, target),
    ]
    document: dict[str, object] = {
        "bomFormat": FORMAT,
        "specVersion": SPECIFICATION,
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": f"kofinlaw bundle of {name}",
                "version": __version__,
                "properties": [
                    {"name": "kofinlaw:python", "value": target.python},
                    {"name": "kofinlaw:platform", "value": target.platform},
                ],
            },
        },
        "components": components,
        "dependencies": depends,
    }
    content = sha256_text(json.dumps(document, sort_keys=True, ensure_ascii=False))
    return {**document, "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, content)}"}


def _package(wheel: Wheel, row: LicenceRow | None) -> dict[str, object]:
    found: dict[str, object] = {
        "type": "library",
        "bom-ref": _ref(wheel),
        "name": wheel.name,
        "version": wheel.version,
        "purl": _ref(wheel),
        "hashes": [{"alg": "SHA-256", "content": wheel.sha256}],
        "properties": [{"name": "kofinlaw:wheel", "value": wheel.path.name}],
    }
    summary = str(wheel.metadata.get("Summary") or "").strip()
    if summary:
        found["description"] = summary
    return {**found, **_licences(row, str(wheel.metadata.get("License-Expression") or ""))}


def _ref(wheel: Wheel) -> str:
    """Return the package URL (purl-spec, type pypi)."""
    return f"pkg:pypi/{quote(canonicalize_name(wheel.name))}@{quote(wheel.version, safe='')}"


def _licences(row: LicenceRow | None, expression: str = "") -> dict[str, object]:
    if expression:
        return {"licenses": [{"expression": expression}]}
    if row is None or not row.licence:
        return {}
    return {"licenses": [{"license": {"name": row.licence}}]}


def _model(model: SbomModel) -> dict[str, object]:
    ref = f"model:{model.row.version}"
    found: dict[str, object] = {
        "type": "machine-learning-model",
        "bom-ref": ref,
        "name": model.row.name,
        "components": [
            {
                "type": "file",
                "bom-ref": f"file:{place}",
                "name": place,
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
            for place, digest in model.files.items()
        ],
    }
    if model.row.url:
        found["externalReferences"] = [{"type": "distribution", "url": model.row.url}]
    return {**found, **_licences(model.row)}


def _documents(row: LicenceRow, number: int) -> dict[str, object]:
    found: dict[str, object] = {
        "type": "data",
        "bom-ref": f"documents:{number}",
        "name": row.name,
    }
    if len(row.version) == 64:
        found["hashes"] = [{"alg": "SHA-256", "content": row.version}]
    return {**found, **_licences(row)}


def _dependencies(wheels: Sequence[Wheel], target: Target) -> list[dict[str, object]]:
    refs = {canonicalize_name(wheel.name): _ref(wheel) for wheel in wheels}
    found: list[dict[str, object]] = []
    for wheel in wheels:
        names = {canonicalize_name(one.name) for one in required_by(wheel.requires, target)}
        needed = sorted(refs[name] for name in names if name in refs)
        found.append({"ref": _ref(wheel), "dependsOn": needed})
    return found
