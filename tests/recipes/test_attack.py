"""The short form of `benchmarks/attack.py`: bombs and changed files, with a fixed seed.

Its other parts have tests of their own: patterns in `tests/house/test_patterns.py`, kills in
`test_whole_path.py`, changed bytes in `pipeline/integrity`.
"""

import random
import zipfile
from collections import Counter
from io import BytesIO

import pytest
from attacks.bombs import bombs
from attacks.cases import Case, run_cases
from attacks.fuzz import fuzz
from attacks.mutations import mutated

from kofinlaw import UserError

SEED = 17


def test_bombs_are_read_or_refused(tmp_path):
    endings = bombs(tmp_path, scale=0.02, sample=12, seed=SEED)
    assert [one for one in endings if one.bad] == []


def test_changed_files_of_every_form_are_read_rejected_or_refused(tmp_path):
    tried, endings, lost = fuzz(tmp_path, SEED, 1)
    assert sum(tried.values()) > 25
    assert [one for one in endings if one.bad] == []
    assert lost == []


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
