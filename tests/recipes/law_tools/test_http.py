"""The server over HTTP ends although a call hangs."""

import concurrent.futures
import os
import signal
import subprocess
import sys

import httpx
import pytest

PROGRAM = """
import os, threading
from kofinlaw.recipes.law_tools.arguments import GetArticle
from kofinlaw.recipes.law_tools.http import HttpSettings, serve_http
from kofinlaw.recipes.law_tools.protocol import Tool, make_server
from kofinlaw.recipes.law_tools.results import ArticleText

def say(line):
    print(line, flush=True)

def hang(_):
    say("called")
    threading.Event().wait()

tool = Tool("slow", "Slow", "A tool.", GetArticle, ArticleText, hang)
ended = serve_http(make_server("test", [tool], seconds=600), HttpSettings(port=0), say)
say(f"all calls ended: {ended}")
os._exit(0)
"""
CALL = {
    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
    "params": {"name": "slow", "arguments": {"unit": "가나법 제1조"}},
}  # fmt: skip
HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_server_although_a_call_hangs(number):
    server = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ),
    )  # fmt: skip
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        address = server.stdout.readline().split("   ")[0]
        call = pool.submit(httpx.post, address, json=CALL, headers=HEADERS, timeout=120)
        assert server.stdout.readline() == "called\n"
        server.send_signal(number)
        server.send_signal(number)
        said, _ = server.communicate(timeout=60)
        assert said == "server stopped\nall calls ended: False\n"
        assert call.exception() is not None or call.result().status_code == 500
    assert server.returncode == 0
