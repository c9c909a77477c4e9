"""Memory limits of a process, and the errors that count as out of memory."""

import pytest


def test_processes_on_one_machine_s_processor_share_what_is_free(monkeypatch):
    import torch

    from kofinlaw.trainer import memory_use as out_of_memory

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(out_of_memory, "memory_in_use", lambda: 100)
    monkeypatch.setattr(out_of_memory, "free_memory", lambda: 1000)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert out_of_memory.memory_limit(None) == 900
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")  # as torch's and accelerate's launchers set it
    assert out_of_memory.memory_limit(None) == 500
    assert out_of_memory.memory_limit(3.0) == 3 * 2**30


@pytest.mark.parametrize(
    "text",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory",
    ],
)
def test_out_of_memory_is_told_in_every_form(text):
    import torch

    from kofinlaw.models.memory.out_of_memory import is_out_of_memory

    assert is_out_of_memory(RuntimeError(text))
    assert is_out_of_memory(torch.OutOfMemoryError(text))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("CUDA error: device-side assert triggered"))
    assert not is_out_of_memory(ValueError(text))
