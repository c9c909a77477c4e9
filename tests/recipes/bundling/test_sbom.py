"""The bill of materials is valid CycloneDX 1.6, and names every wheel and weight."""

import hashlib
import json

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from kofinlaw.recipes.bundling.licences import LicenceRow
from kofinlaw.recipes.bundling.sbom import SbomModel, sbom
from kofinlaw.recipes.bundling.target import target_of
from kofinlaw.recipes.bundling.wheels import read_wheel

TARGET = target_of("3.11", "manylinux_2_28_x86_64")


def faults(document: dict) -> object:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))


def test_the_document_of_a_bundle_is_valid_and_complete(whole_bundle):
    document = json.loads((whole_bundle / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert faults(document) is None
    wheels = {path.name: path for path in (whole_bundle / "wheels").glob("*.whl")}
    named = {
        one["properties"][0]["value"]: one["hashes"][0]["content"]
        for one in document["components"]
        if one["type"] == "library"
    }
    assert named == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in wheels.items()
    }
    (model,) = [one for one in document["components"] if one["type"] == "machine-learning-model"]
    assert model["name"] == "pico/pico-llama"
    files = {one["name"]: one["hashes"][0]["content"] for one in model["components"]}
    weights = whole_bundle / "run" / "model" / "model.safetensors"
    expected = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert files["run/model/model.safetensors"] == expected


def test_the_validator_refuses_a_wrong_document(whole_bundle):
    """So that the test above can fail."""
    document = json.loads((whole_bundle / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert faults({**document, "bomFormat": "SPDX"}) is not None
    assert faults({**document, "unknown": 1}) is not None


def test_dependencies_are_those_of_the_wheels_on_the_target(shelf):
    wheels = [read_wheel(path) for path in sorted(shelf.glob("*.whl"))]
    document = sbom("x", wheels, [], [], TARGET)
    depends = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    assert depends["bundle:x"] == ["pkg:pypi/kofinlaw@0.1.0"]
    assert depends["pkg:pypi/kofinlaw@0.1.0"] == [
        "pkg:pypi/tiny-lexer@2.1",
        "pkg:pypi/torch@2.13.0",
    ]
    assert depends["pkg:pypi/tiny-lexer@2.1"] == ["pkg:pypi/tiny-tables@1.0"]


def test_a_local_version_is_escaped_in_its_package_url(tmp_path, write_wheel):
    wheel = read_wheel(write_wheel(tmp_path, "torch", "2.13.0+cpu"))
    (component,) = sbom("x", [wheel], [], [], TARGET)["components"]
    assert component["purl"] == "pkg:pypi/torch@2.13.0%2Bcpu"


def test_licences_are_expressions_or_names():
    rows = [LicenceRow("documents", "docs", "0" * 64, "KOGL-1", "", "", "")]
    model = SbomModel(
        LicenceRow("model", "m", "run/model", "Gemma", "", "", "https://example.com"), {}
    )
    document = sbom("x", [], [model], rows, TARGET)
    weights, data = document["components"]
    assert weights["licenses"] == [{"license": {"name": "Gemma"}}]
    assert data["licenses"] == [{"license": {"name": "KOGL-1"}}]
    assert data["hashes"] == [{"alg": "SHA-256", "content": "0" * 64}]
    assert faults(document) is None


def test_two_sources_of_one_name_stay_two_components():
    rows = [LicenceRow("documents", "docs", "", "", "", "", "")] * 2
    document = sbom("x", [], [], rows, TARGET)
    assert [one["bom-ref"] for one in document["components"]] == ["documents:1", "documents:2"]
