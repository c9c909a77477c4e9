"""Out-of-memory errors of every library are recognised."""

from __future__ import annotations

import pytest
import torch
from safetensors import SafetensorError

from kofinlaw.models.out_of_memory import is_out_of_memory


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        SafetensorError("Error while mapping the file: Cannot allocate memory (os error 12)"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried"),
        RuntimeError("failed to allocate buffer for the key-value cache"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_every_way_to_say_it_counts(error: Exception) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: device-side assert triggered"),
        ValueError("out of memory"),
        SafetensorError("Error while deserializing header: header too large"),
        OSError(2, "No such file or directory"),
    ],
)
def test_other_faults_do_not(error: Exception) -> None:
    assert not is_out_of_memory(error)
