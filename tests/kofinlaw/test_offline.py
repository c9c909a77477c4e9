"""The offline guard: which connections it refuses."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest

from kofinlaw import UserError
from kofinlaw.offline import ENVIRONMENT, guard, is_loopback, set_environment


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        yield listener.getsockname()
        thread.join(timeout=5)


@pytest.mark.parametrize(
    "host,local",
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("::ffff:8.8.8.8", False),
        ("example.org", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
    ],
)
def test_only_this_machine_is_loopback(host, local):
    assert is_loopback(host) is local


def test_a_connection_outward_names_its_caller(monkeypatch):
    with guard(), pytest.raises(UserError, match=r"example\.org.*offline") as error:
        urllib.request.urlopen("http://example.org", timeout=1)
    assert "test_offline.py" in error.value.where


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: socket.socket().connect(("192.0.2.1", 9)),
        lambda: socket.socket().connect_ex(("192.0.2.1", 9)),
        lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9)),
        lambda: socket.create_connection(("192.0.2.1", 9), timeout=1),
        lambda: socket.getaddrinfo("example.org", 80),
        lambda: socket.gethostbyname("example.org"),
    ],
)
def test_every_way_out_is_closed(attempt):
    with guard(), pytest.raises(UserError, match="offline"):
        attempt()


def test_loopback_stays_open(server):
    with guard():
        socket.create_connection(server, timeout=5).close()


def test_the_guard_covers_other_threads():
    found = []

    def reach():
        try:
            socket.create_connection(("192.0.2.1", 9), timeout=1)
        except UserError as error:
            found.append(error)

    with guard():
        thread = threading.Thread(target=reach)
        thread.start()
        thread.join()
    assert len(found) == 1


def test_everything_is_as_before_outside():
    before = (socket.socket.connect, socket.getaddrinfo)
    with pytest.raises(RuntimeError), guard():
        raise RuntimeError
    assert (socket.socket.connect, socket.getaddrinfo) == before
    with guard(offline=False):
        assert socket.getaddrinfo is before[1]


def test_the_environment_is_set_before_anything_loads(monkeypatch):
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "USE_HUB_KERNELS"):
        monkeypatch.delenv(name, raising=False)
    set_environment(offline=False)
    assert "HF_HUB_OFFLINE" not in os.environ
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
    set_environment()
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    assert os.environ["USE_HUB_KERNELS"] == "NO"


def test_libraries_print_nothing_when_they_are_imported():
    pytest.importorskip("bitsandbytes")
    code = (
        "from kofinlaw.offline import quiet_kernel_search, set_environment\n"
        "set_environment()\n"
        "quiet_kernel_search()\n"
        "import bitsandbytes, transformers.integrations.integration_utils"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_guards_that_overlap_on_two_threads_leave_nothing_behind():
    before = (socket.socket.connect, socket.getaddrinfo)
    first, second = guard(), guard()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    with pytest.raises(UserError, match="offline"):
        socket.getaddrinfo("example.org", 80)
    second.__exit__(None, None, None)
    assert (socket.socket.connect, socket.getaddrinfo) == before


def test_children_of_an_offline_run_have_no_git_transport(tmp_path, monkeypatch):
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "x"], check=True)
    address = f"file://{tmp_path / 'x'}"
    command = ["git", "-c", "protocol.allow=always", "ls-remote", address]
    assert subprocess.run(command, capture_output=True).returncode == 0
    set_environment()
    refused = subprocess.run(command, capture_output=True, text=True)
    assert "not allowed" in refused.stderr
