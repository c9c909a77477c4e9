"""Machines to plan for: cards of any size, the processor, and options that name neither."""

import pytest

from kofinlaw import UserError
from kofinlaw.models import machines
from kofinlaw.models.machines import machine_for, planned_card, this_machine


@pytest.mark.parametrize("option", ["24", "24.0", "24GB", " 24 gib ", "24g"])
def test_a_card_is_named_by_its_gib(option):
    machine = machine_for(option)
    assert (machine.gib, machine.gpu, machine.here) == (24.0, True, False)
    assert "RTX 4090" in machine.rates


@pytest.mark.parametrize("option", ["none", "CPU"])
def test_the_processor_is_named_too(option):
    machine = machine_for(option)
    assert (machine.gpu, machine.here) == (False, True)
    assert "free memory" in machine.origin


@pytest.mark.parametrize("option", ["-24", "0", "", "big", "nan", "inf", "24576", "24,5"])
def test_what_names_no_card_is_one_error(option):
    with pytest.raises(UserError, match="1 to 1024 GiB") as error:
        machine_for(option)
    assert error.value.where == "--card"
    assert "--card 24" in error.value.remedy


def test_a_card_in_this_machine_is_known_by_its_name(monkeypatch):
    monkeypatch.setattr(machines, "first_card", lambda: ("NVIDIA L40S", 44.5, "580.1"))
    machine = this_machine()
    assert (machine.gib, machine.gpu, machine.here) == (44.5, True, True)
    assert "L40S" in machine.rates
    l4 = machines._published("NVIDIA L4", 22.0)
    assert l4[0] == "L4"


def test_an_unknown_card_has_the_rates_of_its_size(monkeypatch):
    monkeypatch.setattr(machines, "first_card", lambda: ("NVIDIA Future", 79.0, "1"))
    assert "A100" in this_machine().rates


def test_a_larger_card_is_no_slower():
    rates = [planned_card(gib, "test").training_flops for gib in (8, 12, 16, 24, 48, 141)]
    assert rates == sorted(rates)


@pytest.mark.parametrize(
    ("flags", "share"),
    [
        ("flags\t: fpu avx2 avx512_bf16 ht", 1.0),
        ("Features\t: fp asimd bf16 sve", 1.0),
        ("flags\t: fpu avx2 avx512f bf16_not", machines.FLOAT32_SHARE),
        ("", machines.FLOAT32_SHARE),
    ],
)
def test_a_processor_without_bf16_is_slower(monkeypatch, tmp_path, flags, share):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\n{flags}\n", encoding="utf-8")
    monkeypatch.setattr(machines, "Path", lambda _: tmp_path / "cpuinfo")
    monkeypatch.setattr(machines, "_cores", lambda: 4)
    machine = machines.processor()
    assert machine.training_flops == pytest.approx(2 * machines.CORES_TRAINING * share)
    assert machine.answering_flops == pytest.approx(2 * machines.CORES_ANSWERING * share)
    assert ("lack instructions" in machine.rates) is (share < 1)
