"""The queue: batches, the limit, jobs that were withdrawn, a worker that fails."""

import asyncio
import threading

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.serving.dispatch import BusyError, Dispatcher
from kofinlaw.recipes.serving.jobs import Refused
from kofinlaw.recipes.serving.worker import WorkerLostError


class Gate:
    """Answers a batch, once it is open, with the jobs themselves."""

    def __init__(self, fault=None):
        self.open, self.started = threading.Event(), threading.Event()
        self.batches, self.fault = [], fault

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
