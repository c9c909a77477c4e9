import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.cluster.jobs import in_order
from kofinlaw.cluster.scheduling import Died, schedule


class Drawn:
    """Processes whose order of results and deaths hypothesis draws."""

    def __init__(self, data, count):
        self.data, self.count = data, count
        self.given = {}
        self.times = {}
        self.most = 0

    def free(self):
        return self.count - len(self.given)

    def give(self, item):
        handle = object()
        self.given[handle] = item
        self.times[item] = self.times.get(item, 0) + 1
        self.most = max(self.most, len(self.given))
        return handle

    def wait(self):
        return [self.data.draw(st.sampled_from(list(self.given)))]

    def take(self, handle):
        item = self.given.pop(handle)
        if self.times[item] < 4 and self.data.draw(st.booleans()):
            raise Died("SIGKILL")
        return -item

    def results(self, items, *, ahead=None):
        return schedule(self, items, "test", ahead)


@given(st.data(), st.integers(1, 4), st.integers(0, 12), st.integers(1, 6))
def test_every_item_gives_one_result_whatever_dies_and_memory_is_bounded(data, count, items, ahead):
    processes = Drawn(data, count)
    taken = []

    def source():
        for number in range(items):
            taken.append(number)
            yield number

    found = []
    for result in in_order(processes, source(), ahead=ahead):
        found.append(result)
        assert len(taken) <= len(found) + ahead + count
    assert found == [-number for number in range(items)]
    assert processes.most <= count


def test_an_error_of_the_work_ends_the_results():
    class Failing(Drawn):
        def wait(self):
            return list(self.given)

        def take(self, handle):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(schedule(Failing(None, 2), range(5), "test", None))
