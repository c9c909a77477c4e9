"""Headers of safetensors files, read without the library."""

from __future__ import annotations

import contextlib

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

from kofinlaw import UserError
from kofinlaw.models.weight_headers import tensor_shapes, weight_files


def test_shapes_are_those_of_the_library(llama):
    (path,) = weight_files(llama)
    with safe_open(path, framework="numpy") as handle:
        wanted = {name: tuple(handle.get_slice(name).get_shape()) for name in handle.keys()}  # noqa: SIM118
    assert tensor_shapes([path]) == wanted


def test_a_file_without_tensors_and_one_with_metadata_are_read(tmp_path):
    save_file({}, tmp_path / "a", metadata={"format": "pt"})
    assert tensor_shapes([tmp_path / "a"]) == {}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 300))
def test_a_changed_byte_or_a_cut_is_read_or_one_error(tmp_path, place, byte, lost):
    path = tmp_path / "a.safetensors"
    save_file({"가": np.zeros((3, 2), np.float32), "b": np.zeros(5)}, path)
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(bytes(data[: max(0, len(data) - lost)]))
    with contextlib.suppress(UserError):
        tensor_shapes([path])
