import os
import signal
import time
from contextlib import nullcontext
from functools import partial

import cluster_jobs
import psutil
import pytest

from kofinlaw import UserError
from kofinlaw.cluster.jobs import HERE, Job, in_order
from kofinlaw.cluster.process_pool import LocalProcesses
from kofinlaw.cluster.scheduling import ATTEMPTS
from kofinlaw.cluster.worker import is_of_a_worker

TWO = LocalProcesses(2, offline=True)


def job(work, state=3):
    return Job("test", partial(nullcontext, state), work, gib=0.0)


@pytest.mark.parametrize("workers", [HERE, TWO])
def test_results_come_in_the_order_of_the_items(workers):
    with workers.start(job(cluster_jobs.triple)) as pool:
        assert list(in_order(pool, range(40))) == [3 * n for n in range(40)]
        assert list(in_order(pool, [])) == []


def test_the_work_is_done_in_other_processes():
    with TWO.start(job(cluster_jobs.process)) as pool:
        found = set(in_order(pool, range(200)))
    assert os.getpid() not in found
    assert 1 <= len(found) <= 2


def test_the_item_of_a_killed_process_is_done_again_and_no_other(tmp_path):
    work = partial(cluster_jobs.die_at, str(tmp_path), 2)
    with TWO.start(job(work)) as pool:
        assert list(in_order(pool, range(12))) == list(range(12))
    assert sorted(p.name for p in tmp_path.glob("death-*")) == ["death-0", "death-1"]
    done = [p.name.split("-")[1] for p in tmp_path.glob("done-*")]
    assert sorted(done, key=int) == [str(n) for n in range(12)]


def test_an_item_that_kills_every_process_is_named(tmp_path):
    work = partial(cluster_jobs.die_at, str(tmp_path), 99)
    with (
        TWO.start(job(work)) as pool,
        pytest.raises(UserError, match=rf"item 4 died {ATTEMPTS} times \(SIGKILL\)"),
    ):
        list(in_order(pool, range(12)))
    assert len(list(tmp_path.glob("death-*"))) == ATTEMPTS


def test_processes_that_die_while_they_are_idle_cost_no_attempt_of_an_item():
    with LocalProcesses(ATTEMPTS + 1, offline=True).start(job(cluster_jobs.process)) as pool:
        found = set(in_order(pool, range(100)))
        assert len(found) == ATTEMPTS + 1
        for one in found:
            os.kill(one, signal.SIGKILL)
        while any(psutil.Process(one).status() != psutil.STATUS_ZOMBIE for one in found):
            time.sleep(0.01)
        (other,) = in_order(pool, [0])
    assert other not in found


def test_a_result_that_cannot_be_sent_is_an_error_of_the_work():
    with TWO.start(job(cluster_jobs.function)) as pool:
        with pytest.raises(Exception, match="pickle") as caught:
            list(in_order(pool, range(3)))
        assert "worker process" in caught.value.__notes__[0]


def test_a_lost_connection_of_the_work_is_not_that_of_the_cluster():
    with (
        TWO.start(job(cluster_jobs.lose_connection)) as pool,
        pytest.raises(ConnectionError, match="the server went away") as caught,
    ):
        list(in_order(pool, range(1)))
    assert is_of_a_worker(caught.value)
    assert not is_of_a_worker(ConnectionError("Ray went away"))


def test_an_error_of_the_user_arrives_whole():
    with TWO.start(job(cluster_jobs.refuse)) as pool, pytest.raises(UserError) as caught:
        list(in_order(pool, range(3)))
    shown = "file:3: this item is broken\n  → fix it"
    assert str(caught.value) == shown
    assert "cluster_jobs.py" in caught.value.__notes__[0]


def test_a_worker_of_an_offline_run_is_offline():
    with TWO.start(job(cluster_jobs.call_out)) as pool, pytest.raises(UserError, match="offline"):
        list(in_order(pool, range(1)))
