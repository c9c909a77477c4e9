"""The queue: batches, the limit, jobs that were withdrawn, a worker that fails."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.recipes.serving.dispatch import BusyError, Dispatcher
from kofinlaw.recipes.serving.jobs import Embed, Refused
from kofinlaw.recipes.serving.worker import WorkerLostError


class Gate:
    """Answers a batch, once it is open, with the jobs themselves."""

    def __init__(self, fault=None):
        self.open, self.started = threading.Event(), threading.Event()
        self.batches, self.fault = [], fault
        self.lost, self.loading, self.revived = False, False, 0

    def revive(self):
        self.revived += 1
        self.lost = False
        if self.fault is not None:
            self.lost = True
            raise self.fault

    def run(self, jobs, *, text, wanted):
        self.started.set()
        self.open.wait(10)
        self.batches.append(list(jobs))
        if self.fault is not None:
            raise self.fault
        return list(jobs)

    def stop(self):
        self.open.set()


def with_dispatcher(gate, work, **settings):
    async def main():
        dispatcher = Dispatcher(gate, **settings)
        dispatcher.start()
        try:
            return await work(dispatcher)
        finally:
            await dispatcher.stop()

    return asyncio.run(main())


async def running(dispatcher, gate):
    """Submit a first job and wait until the worker has it."""
    first = dispatcher.submit("first")
    await asyncio.to_thread(gate.started.wait, 10)
    return first


def test_jobs_that_wait_share_batches_in_their_order():
    gate = Gate()

    async def work(dispatcher):
        futures = [await running(dispatcher, gate)]
        futures += [dispatcher.submit(number) for number in range(6)]
        gate.open.set()
        return await asyncio.gather(*futures)

    assert with_dispatcher(gate, work, batch=4) == ["first", *range(6)]
    assert gate.batches == [["first"], [0, 1, 2, 3], [4, 5]]


@given(st.lists(st.sampled_from([0, 1, 9_000, 20_000, 32_000]), max_size=8))
def test_large_requests_to_embed_do_not_add_up_in_a_batch(sizes):
    """Each batch stays below what one request may ask for, and nothing is lost or overtaken."""
    jobs = [Embed(("가" * size,)) if size else f"question {n}" for n, size in enumerate(sizes)]

    async def work(dispatcher):
        first = await running(dispatcher, gate)
        futures = [dispatcher.submit(job) for job in jobs]
        gate.open.set()
        return await asyncio.gather(first, *futures)

    gate = Gate()
    assert with_dispatcher(gate, work) == ["first", *jobs]
    assert [job for batch in gate.batches for job in batch] == ["first", *jobs]
    for batch in gate.batches:
        assert sum(len(job.texts[0]) for job in batch if isinstance(job, Embed)) <= 32_000


def test_a_full_queue_refuses_and_withdrawn_jobs_make_room():
    gate = Gate()

    async def work(dispatcher):
        first = await running(dispatcher, gate)
        waiting = [dispatcher.submit(number) for number in range(2)]
        with pytest.raises(BusyError):
            dispatcher.submit("too many")
        waiting[0].cancel()
        last = dispatcher.submit("last")
        gate.open.set()
        return await asyncio.gather(first, waiting[1], last)

    assert with_dispatcher(gate, work, most=2) == ["first", 1, "last"]
    assert gate.batches == [["first"], [1, "last"]]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (WorkerLostError("gone"), WorkerLostError),
        (UserError("cannot load"), WorkerLostError),
        (RuntimeError("odd"), Refused),
    ],
)
def test_a_fault_of_the_worker_is_the_result_of_its_batch_only(fault, kind):
    gate = Gate(fault)
    gate.open.set()

    async def work(dispatcher):
        lost = await dispatcher.submit(1)
        gate.fault = None
        return lost, await dispatcher.submit(2)

    lost, answered = with_dispatcher(gate, work)
    assert isinstance(lost, kind)
    assert answered == 2


def test_jobs_that_wait_are_cancelled_by_the_stop():
    gate = Gate()

    async def work(dispatcher):
        await running(dispatcher, gate)
        return dispatcher.submit("never")

    assert with_dispatcher(gate, work).cancelled()


async def revived(gate):
    while not gate.revived:
        await asyncio.sleep(0.01)


def test_a_worker_that_ended_is_started_again_while_no_request_waits():
    gate = Gate()
    gate.lost = True
    gate.open.set()

    async def work(dispatcher):
        assert dispatcher.loading
        await asyncio.wait_for(revived(gate), 20)
        assert not dispatcher.loading
        return await dispatcher.submit("after it")

    assert with_dispatcher(gate, work) == "after it"
    assert gate.revived == 1


def test_a_run_that_does_not_load_again_is_tried_once_for_each_request():
    gate = Gate(fault=UserError("the model is gone"))
    gate.lost = True
    gate.open.set()

    async def work(dispatcher):
        await asyncio.wait_for(revived(gate), 20)
        return [await dispatcher.submit(number) for number in range(2)]

    results = with_dispatcher(gate, work)
    assert all(isinstance(one, WorkerLostError) for one in results)
    assert 1 <= gate.revived <= 3
