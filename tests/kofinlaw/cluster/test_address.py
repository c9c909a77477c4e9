import sys

import pytest

from kofinlaw import UserError
from kofinlaw.cluster.address import Cluster, parse_cluster
from kofinlaw.cluster.jobs import Job
from kofinlaw.cluster.opening import open_workers


@pytest.mark.parametrize(
    ("text", "cluster"),
    [
        ("local", Cluster("local")),
        ("local:4", Cluster("local", processes=4)),
        ("auto", Cluster("auto")),
        ("ray://gpu-1.example:10001", Cluster("ray", host="gpu-1.example", port=10001)),
        ("ray://[::1]:10001", Cluster("ray", host="::1", port=10001)),
    ],
)
def test_the_forms_of_the_key(text, cluster):
    assert parse_cluster(text) == cluster


@pytest.mark.parametrize(
    "text", ["", "locl", "local:0", "local:-1", "ray://", "ray://host", "ray://host:70000", "Auto"]
)
def test_another_text_is_refused_with_the_forms(text):
    with pytest.raises(ValueError, match=r"names no cluster.*local:4.*ray://HOST:10001"):
        parse_cluster(text)


@pytest.mark.parametrize("address", ["auto", "local", "ray://", "host", "ray://host"])
def test_a_variable_that_names_no_cluster_is_one_error(monkeypatch, address):
    pytest.importorskip("ray", reason="Ray is not installed (extra ray)")
    monkeypatch.setenv("RAY_ADDRESS", address)
    with (
        open_workers("auto") as workers,
        workers.start(Job("test", open, print)) as pool,
        pytest.raises(UserError, match="RAY_ADDRESS names no cluster") as caught,
    ):
        list(pool.results([1]))
    assert caught.value.where == f"cluster: {address}"


def test_without_the_extra_the_first_item_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with open_workers("auto") as workers, workers.start(Job("test", open, print)) as pool:
        assert list(pool.results([])) == []  # nothing to do needs no Ray
        with pytest.raises(UserError, match=r"Ray is not installed") as caught:
            list(pool.results([1]))
    assert "pip install 'kofinlaw[ray]'" in caught.value.remedy
