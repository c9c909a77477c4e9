"""SIGTERM and Ctrl+C: while the server loads, is idle, is busy, and twice."""

import concurrent.futures
import os
import signal
import socket

import pytest
from small_serving import until, wait_for_address

SIGNALS = [signal.SIGINT, signal.SIGTERM]


def ended(program):
    """Wait for the end, and return the last line; there is no traceback and no error."""
    said, _ = program.communicate(timeout=60)
    assert program.returncode == 0, said
    assert "Traceback" not in said
    assert "ERROR" not in said
    return said.strip().split("\n")[-1]


def in_engine(program, word):
    """Wait until the engine has a question."""
    until(lambda: program.log.exists() and word in program.log.read_text())


@pytest.mark.parametrize("group", [False, True], ids=["process", "group"])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_server_that_loads_stops(program, number, group):
    server = program(ready=False)
    in_engine(server, "loading")
    (os.killpg if group else os.kill)(server.pid, number)
    assert ended(server) == "server stopped"


@pytest.mark.parametrize("number", SIGNALS)
def test_an_idle_server_stops(program, number):
    server = program()
    wait_for_address(server)
    os.killpg(server.pid, number)
    assert ended(server) == "server stopped"


@pytest.mark.parametrize("group", [False, True], ids=["process", "group"])
def test_a_stopped_server_answers_the_request_under_way(program, ask, tmp_path, group):
    server = program()
    address = wait_for_address(server)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, address, f"hold {tmp_path / 'free'}")
        in_engine(server, "hold")
        (os.killpg if group else os.kill)(server.pid, signal.SIGTERM)
        until(lambda: refuses(address))
        (tmp_path / "free").touch()
        assert waiting.result().status_code == 200
    assert ended(server) == "server stopped"


def refuses(address):
    """Return whether nothing listens at an address any more."""
    host, port = address.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port))).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_request_that_takes_longer_than_the_grace_gets_an_error(program, ask):
    server = program(grace=0.5)
    address = wait_for_address(server)
    with concurrent.futures.ThreadPoolExecutor(1) as pool, hanging_connection(address):
        waiting = pool.submit(ask, address, "hang")
        in_engine(server, "hang")
        server.terminate()
        got = waiting.result()
        assert (got.status_code, got.json()["error"]["code"]) == (503, "server_stopping")
        assert ended(server) == "server stopped"


def hanging_connection(address):
    """A client whose body never arrives."""
    host, port = address.removeprefix("http://").split(":")
    slow = socket.create_connection((host, int(port)))
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    slow.sendall(head.encode())
    return slow


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_ends_the_grace(program, ask, number):
    server = program(grace=600)
    address = wait_for_address(server)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, address, "hang")
        in_engine(server, "hang")
        server.send_signal(number)
        until(lambda: refuses(address))
        server.send_signal(number)
        assert waiting.result().status_code == 503
    assert ended(server) == "server stopped"
