"""The short form of `benchmarks/attack.py`: bombs and changed files, with a fixed seed.

Its other parts have tests of their own: patterns in `tests/house/test_patterns.py`, kills in
`test_whole_path.py`, changed bytes in `pipeline/integrity`.
"""

import json
import random
import subprocess
import sys
import zipfile
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
from attacks.cases import Case, run_cases
from attacks.mutations import mutated

from kofinlaw import UserError

SEED = 17


def test_bombs_and_changed_files_are_read_rejected_or_refused(tmp_path):
    # In a process of its own: forked from one with threads, a child may wait for a lock forever.
    attack = Path(__file__).parents[2] / "benchmarks" / "attack.py"
    call = [sys.executable, str(attack), "--short", "--only", "bombs", "--only", "fuzz"]
    done = subprocess.run(
        [*call, "--seed", str(SEED), "--work", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["figures"]["bombs"]["cases"] >= 12
    assert sum(said["figures"]["changed_files"].values()) > 25


def test_an_attack_sees_a_fault_a_hang_and_a_lost_process():
    def fail() -> str:
        raise KeyError("a")

    def refuse() -> str:
        raise UserError("this is not a recipe", where="a.yaml:3")

    def wait() -> str:
        while True:
            pass

    def leave() -> str:
        import os

        os._exit(3)

    works = (("a", fail), ("b", refuse), ("c", wait), ("d", leave), ("e", lambda: "read"))
    endings = run_cases([Case(name, work) for name, work in works], seconds=0.5)
    assert [one.how for one in endings] == ["fault", "refused", "hang", "killed", "done"]
    assert Counter(one.bad for one in endings) == {True: 3, False: 2}
    assert endings[1].detail == "a.yaml:3: this is not a recipe"


@pytest.mark.parametrize("seed", range(3))
def test_changes_follow_from_the_seed_and_keep_archives_whole(seed):
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.xml", "<a>가</a>" * 30)
    some = [mutated(data.getvalue(), random.Random(seed * 100 + n)) for n in range(20)]
    again = [mutated(data.getvalue(), random.Random(seed * 100 + n)) for n in range(20)]
    assert some == again
    assert len(set(some)) > 15
    assert sum(zipfile.is_zipfile(BytesIO(one)) for one in some) > 8
