"""The benchmarks of kofinlaw.data when a measurement fails."""

import corpus_memory
import pytest


def test_a_build_that_dies_ends_the_memory_benchmark_with_a_message(capfd):
    with pytest.raises(SystemExit, match="no result: exit code 1"):
        corpus_memory.measure(0, 1)
    assert "no document could be read" in capfd.readouterr().err
