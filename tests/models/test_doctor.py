"""The checks of a machine, with simulated answers of the machine."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kofinlaw.models import doctor

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("found", "wanted", "ok"),
    [
        ("5.17.0", ">=5.16.1,<5.18", True),
        ("5.16.0", ">=5.16.1,<5.18", False),
        ("5.18.0", ">=5.16.1,<5.18", False),
        ("1.9", ">=1.13,<1.15", False),
        ("1.13", ">=1.13,<1.15", True),
        ("1.14.2", ">=1.13,<1.15", True),
        ("4.10.0", ">=4.8.4,<5", True),
        ("0.50.2", ">=0.50", True),
    ],
)
def test_versions_are_compared_as_numbers(found, wanted, ok):
    assert doctor.within(found, wanted) is ok


def test_the_window_is_that_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, wanted in doctor.SUPPORTED.items():
        assert f"{name}{wanted}" in project["dependencies"]
    assert set(doctor.EXTRAS) <= set(project["optional-dependencies"])


def by_name(findings):
    return {finding.name: finding for finding in findings}


@pytest.fixture
def versions(monkeypatch):
    installed = {
        "torch": "2.13.0+cpu",
        "transformers": "5.17.0",
        "trl": "1.14.0",
        "datasets": "4.8.5",
        "peft": "0.21.2",
        "accelerate": "1.15.0",
        "bitsandbytes": "0.50.2",
    }
    monkeypatch.setattr(doctor, "installed_version", installed.get)
    return installed


def test_versions_in_the_window_are_ok(versions):
    found = by_name(doctor.examine_machine())
    assert all(found[name].ok for name in doctor.SUPPORTED)


def test_a_version_outside_the_window_comes_with_the_pip_line(versions):
    versions["trl"] = "1.15.0"
    del versions["peft"]
    found = by_name(doctor.examine_machine())
    assert not found["trl"].ok
    assert found["trl"].remedy.startswith("pip install 'trl>=1.13,<1.15'")
    assert "Triton" in found["trl"].remedy
    assert (found["peft"].ok, found["peft"].found) == (False, "not installed")


def test_a_missing_extra_is_no_fault_and_names_its_pip_line(versions):
    extra = by_name(doctor.examine_machine())["extra dense"]
    assert extra.ok
    assert extra.found == "not installed (pip install 'kofinlaw[dense]')"


def test_weaviate_is_said_to_be_unverified(versions):
    assert "unverified" in by_name(doctor.examine_machine())["weaviate"].found


def test_a_card_is_read_from_nvidia_smi(monkeypatch, versions):
    answer = "NVIDIA GeForce RTX 4090, 24564, 560.35.03"
    monkeypatch.setattr(doctor, "_output", lambda command: answer)
    assert doctor.gpu_memory_gib() == pytest.approx(23.988, abs=0.001)
    found = by_name(doctor.examine_machine())
    card, _, note = found["GPU"].found.partition("; ")
    assert card == "NVIDIA GeForce RTX 4090, 24.0 GiB, driver 560.35.03"
    assert "engine vllm is the way for a card" in note
    assert not found["torch"].ok
    assert "CUDA build" in found["torch"].remedy


@pytest.mark.parametrize("answer", ["", "No devices were found", "card, [N/A], 1"])
def test_no_card_is_no_fault(monkeypatch, versions, answer):
    monkeypatch.setattr(doctor, "_output", lambda command: answer)
    assert doctor.gpu_memory_gib() is None
    assert by_name(doctor.examine_machine())["GPU"].ok


def test_a_program_that_is_absent_or_fails_prints_nothing():
    assert doctor._output(["no-such-program-here"]) == ""
    assert doctor._output([sys.executable, "-c", "raise SystemExit(1)"]) == ""


@pytest.mark.parametrize(
    ("limit", "used", "free"), [("max", 0, 10.0), (8 << 30, 3 << 30, 5.0), (64 << 30, 0, 10.0)]
)
def test_free_memory_is_the_less_of_machine_and_control_group(
    monkeypatch, tmp_path, limit, used, free
):
    most, current = tmp_path / "memory.max", tmp_path / "memory.current"
    most.write_text(f"{limit}\n")
    current.write_text(f"{used}\n")
    monkeypatch.setattr(doctor, "_CGROUPS", ((str(most), str(current)),))
    monkeypatch.setattr(doctor, "_meminfo", lambda key: 10.0)
    assert doctor.free_memory_gib() == free


@pytest.mark.parametrize(("card", "gib"), [(24.0, 24.0), (None, 8.0)])
def test_a_card_is_used_whole_and_host_memory_to_four_fifths(monkeypatch, card, gib):
    monkeypatch.setattr(doctor, "gpu_memory_gib", lambda: card)
    monkeypatch.setattr(doctor, "free_memory_gib", lambda: 10.0)
    assert doctor.usable_memory_gib()[0] == gib


def test_a_line_of_meminfo_is_kibibytes(tmp_path):
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n")
    assert doctor._meminfo("MemAvailable", path) == 8.0


def test_the_doctor_imports_no_torch():
    code = "import sys; from kofinlaw.models.doctor import examine_machine; examine_machine(); print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_an_extra_whose_requirements_are_not_met_is_a_problem(monkeypatch):
    monkeypatch.setattr(doctor, "_extra_packages", lambda name: ("vllm",))
    monkeypatch.setattr(doctor, "installed_version", {"vllm": "0.32.0"}.get)
    monkeypatch.setattr(doctor, "broken_requirements", lambda name: ["numba==0.65.0 (found 0.68)"])
    found = doctor._extra("vllm")
    assert not found.ok
    assert (found.found, found.wanted) == ("vllm 0.32.0", "numba==0.65.0 (found 0.68)")
    assert "new virtual environment" in found.remedy
    monkeypatch.setattr(doctor, "broken_requirements", lambda name: [])
    assert doctor._extra("vllm").ok


def test_an_extra_that_needs_its_own_environment_says_so(versions, monkeypatch):
    monkeypatch.setattr(doctor, "_extra_packages", lambda name: ("vllm",))
    assert "in an environment of its own: " in doctor._extra("vllm").found


@pytest.mark.parametrize(
    ("line", "found", "broken"),
    [
        ("numba==0.65.0", "0.68.1", ["numba==0.65.0 (found 0.68.1)"]),
        ("numba==0.65.0", "0.65.0", []),
        ("llguidance<1.8.0,>=1.7.0", "1.9.1", ["llguidance<1.8.0,>=1.7.0 (found 1.9.1)"]),
        ("numba", None, ["numba (found none)"]),
        ("numba>=1; sys_platform == 'plan9'", None, []),
        ("numba>=1; extra == 'fast'", None, []),
        ("torch>=2.9", "2.13.0+cpu", []),
        ("torch>=2.9", "2.14.0.dev1", []),
        ("not a requirement !!", None, []),
    ],
)
def test_a_requirement_is_compared_with_what_is_installed(line, found, broken, monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda package: [line])
    monkeypatch.setattr(doctor, "installed_version", lambda name: found)
    assert doctor.broken_requirements("vllm") == broken


def test_a_package_that_is_not_installed_has_no_requirements():
    assert doctor.broken_requirements("no-such-package-here") == []
    assert doctor.installed_version("no-such-package-here") is None


def test_the_packages_of_this_environment_are_not_broken():
    for name in ("transformers", "peft", "pydantic"):
        assert doctor.broken_requirements(name) == []
