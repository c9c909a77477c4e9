"""The tools over standard input and over HTTP, called by the client of the `mcp` package."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import BaseModel

from kofinlaw.recipes.law_tools.arguments import GetArticle
from kofinlaw.recipes.law_tools.protocol import make_server
from kofinlaw.recipes.law_tools.results import ArticleText
from kofinlaw.recipes.law_tools.tools import Tool

UNIT = "전산점검 규정 제3조"
TOOLS = ["search_law", "get_article", "verify_citations", "compare_versions"]
TOKEN = "a-token-of-24-characters"


def started(*words: object) -> StdioServerParameters:
    paths = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    arguments = ["-m", "kofinlaw", "mcp", *map(str, words)]
    return StdioServerParameters(command=sys.executable, args=arguments, env=paths)


async def check_tools(client: Client) -> None:
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(tools) == TOOLS
    for tool in tools.values():
        assert tool.description
        assert tool.input_schema["type"] == tool.output_schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False
    assert tools["search_law"].input_schema["required"] == ["query"]
    article = await client.call_tool("get_article", {"unit": UNIT, "as_of": "2024-01-01"})
    assert "7일 이내" in article.structured_content["text"]
    assert json.loads(article.content[0].text) == article.structured_content
    verdicts = await client.call_tool("verify_citations", {"text": "전산점검 규정 제7조"})
    assert verdicts.structured_content["references"][0]["verdict"] == "absent"
    days = {"before": "2024-01-01", "after": "2025-06-01"}
    changes = await client.call_tool("compare_versions", {"act": "전산점검 규정", **days})
    assert changes.structured_content["counts"]["amended"] == 1
    wrong = await client.call_tool("search_law", {"query": " ", "limit": 99, "page": 2})
    assert wrong.is_error
    assert wrong.content[0].text.splitlines() == [
        "error: query: it is empty",
        "limit: input should be less than or equal to 20",
        "page: there is no such argument",
    ]
    unknown = await client.call_tool("get_article", {"unit": "은행법 제3조"})
    assert unknown.is_error
    assert "search_law finds the units" in unknown.content[0].text
    with pytest.raises(MCPError, match="the tools are search_law, get_article"):
        await client.call_tool("delete_law", {})


def test_the_client_of_the_package_calls_every_tool_over_standard_input(
    dated_run: Path, tmp_path: Path
) -> None:
    """Standard output is also written to a file: it carries the protocol and nothing else."""
    asked, output = started(dated_run), tmp_path / "output"
    words = shlex.join([asked.command, *asked.args])
    piped = ["-c", f"{words} | tee {shlex.quote(str(output))}"]
    asked = asked.model_copy(update={"command": "sh", "args": piped})

    async def called() -> None:
        async with Client(stdio_client(asked)) as client:
            assert client.server_info.title == "kofinlaw: dated"
            await check_tools(client)
            found = await client.call_tool("search_law", {"query": "이상이 있으면 보고"})
            assert found.structured_content["passages"][0]["unit"] == UNIT

    anyio.run(called)
    messages = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert len(messages) > 7
    assert all(one["jsonrpc"] == "2.0" for one in messages)


def test_a_broken_run_ends_with_one_error_and_an_empty_standard_output(
    tmp_path: Path, command
) -> None:
    code, out, err = command("mcp", tmp_path)
    assert (code, out) == (1, "")
    assert "this folder is not a run: it has no recipe.yaml" in err


@pytest.fixture
def served(dated_run: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    asked = started(dated_run, "--http", "--port", "0")
    process = subprocess.Popen(
        [asked.command, *asked.args],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "KOFINLAW_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    yield process, process.stdout.readline().split()[0]
    process.kill()
    process.wait()


def test_the_client_of_the_package_calls_every_tool_over_http(served) -> None:
    process, url = served

    async def called() -> None:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient(headers=bearer, timeout=60) as http:
            async with Client(streamable_http_client(url, http_client=http)) as client:
                await check_tools(client)
            port = url.split(":")[2].split("/")[0]
            for headers, status in (
                ({"Authorization": "Bearer another-token-of-24-letters"}, 401),
                ({"Host": f"law.example.kr:{port}"}, 403),
                ({"Origin": "https://law.example.kr"}, 403),
            ):
                assert (await http.post(url, json={}, headers=headers)).status_code == status
            large = await http.post(url, content=b"{" + b" " * 1_100_000)
            assert large.status_code == 413

    anyio.run(called)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert process.stdout.read().strip() == "server stopped"


def test_another_address_needs_a_token(dated_run: Path, command, monkeypatch) -> None:
    monkeypatch.delenv("KOFINLAW_TOKEN", raising=False)
    code, _, err = command("mcp", dated_run, "--http", "--host", "0.0.0.0", "--port", "0")
    assert code == 1
    assert "there is no token" in err


def test_the_configuration_of_a_desktop_client_starts_the_tools(dated_run: Path, command) -> None:
    code, out, _ = command("mcp", dated_run, "--config")
    assert code == 0
    server = json.loads(out)["mcpServers"]["kofinlaw"]
    assert Path(server["command"]).is_absolute()
    assert server["args"][-2:] == ["mcp", str(dated_run.resolve())]


def answers(call: Callable[..., BaseModel], **limits: float) -> str:
    """Return the text of one call of a tool, by a client in the same process."""
    tool = Tool("slow", "Slow", "A tool.", GetArticle, ArticleText, call)

    async def called() -> str:
        async with Client(make_server("test", [tool], **limits)) as client:
            result = await client.call_tool("slow", {"unit": UNIT})
            assert result.is_error
            return result.content[0].text

    return anyio.run(called)


def test_a_call_over_its_time_is_named() -> None:
    end = threading.Event()
    try:
        assert answers(lambda _: end.wait(), seconds=0.05) == (
            "error: slow took more than 0.05 seconds"
        )
    finally:
        end.set()


def test_a_call_beyond_the_queue_is_refused() -> None:
    assert "too many calls are waiting" in answers(lambda _: None, waiting=0)


def test_a_fault_is_an_error_of_the_call_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: object) -> BaseModel:
        raise RuntimeError("secret")

    assert answers(broken) == "error: a fault of kofinlaw (RuntimeError); see the server's log"
    assert "slow failed" in caplog.text


def test_without_the_package_the_command_says_how_to_install_it(
    dated_run: Path, command, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    monkeypatch.delitem(sys.modules, "kofinlaw.recipes.law_tools.protocol")
    code, out, err = command("mcp", dated_run)
    assert (code, out) == (1, "")
    assert "pip install 'kofinlaw[mcp]'" in err
