"""The report server, tested by real requests: what it shows and what it refuses."""

import http.client
import json
import os
import shutil
import threading

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_json
from kofinlaw.offline import known_host
from kofinlaw.scoring.report.serve import open_server
from kofinlaw.scoring.report.write import write_report


@pytest.fixture(scope="module")
def served(run_folder, tmp_path_factory):
    """(port, folder of runs): a finished run twice, one at work, a link, and files to leave alone."""
    root = tmp_path_factory.mktemp("served") / "runs"
    for name in ("quickstart", "second run"):
        shutil.copytree(run_folder, root / name)
        write_report(root / name, root / name / "report", recipe={"name": name})
    write_json(root / "second run" / "train" / "stage.json", {"settings": {"train": {"rank": 8}}})
    busy = root / "busy"
    write_json(busy / "data" / "stage.json", {"status": "complete", "seconds": 2.0})
    write_json(busy / "data.set-aside-1" / "stage.json", {"status": "complete", "seconds": 9.0})
    write_json(busy / ".train.partial" / "stage.json", {"status": "running"})
    write_json(
        busy / ".train.partial" / "progress.json",
        {"phase": "train", "done": 12, "total": 48, "figures": "loss <2.1>"},
    )
    (busy / ".train.partial" / "log.txt").write_text("첫 줄\n<script>alert(1)</script>\n")
    (busy / ".lock").write_text(str(os.getpid()))
    (root.parent / "secret.txt").write_text("비밀")
    (root / "leak").symlink_to(root.parent)
    (root / "quickstart" / "report" / "traces.html").symlink_to(root.parent / "secret.txt")
    server = open_server(root, port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, root
    server.shutdown()
    server.server_close()


def ask(served, path, *, method="GET", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", served[0], timeout=30)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host if host is not None else f"127.0.0.1:{served[0]}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode("utf-8")
    connection.close()
    return answer.status, body, dict(answer.getheaders())


def test_the_list_has_every_run_and_no_link(served):
    status, body, headers = ask(served, "/")
    assert status == 200
    assert '<a href="/runs/quickstart">' in body
    assert '<a href="/runs/second%20run">' in body
    assert "leak" not in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_report_is_served_as_it_was_written(served):
    status, body, headers = ask(served, "/runs/second%20run/report.html")
    assert status == 200
    assert body == (served[1] / "second run/report/report.html").read_text()
    assert "Content-Security-Policy" not in headers  # it names its own script by hash
    assert ask(served, "/runs/quickstart/report.json")[2]["Content-Type"].startswith(
        "application/json"
    )


def test_a_running_stage_shows_how_far_it_is_and_its_log_cannot_run(served):
    status, body, _ = ask(served, "/runs/busy")
    assert "set-aside" not in body
    assert status == 200
    assert 'data-reload="5"' in body
    assert '<progress max="48" value="12"' in body
    assert "<dd>&lt;2.1&gt;</dd>" in body
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert(1)" in body
    progress = json.loads(ask(served, "/runs/busy/progress.json")[1])
    assert progress["running"] is True
    assert [(s["name"], s["status"]) for s in progress["stages"]] == [
        ("data", "complete"),
        ("train", "running"),
    ]
    assert 'data-reload="5"' not in ask(served, "/runs/quickstart")[1]


def test_runs_are_compared_with_their_tests_and_settings(served):
    status, body, _ = ask(served, "/compare?run=quickstart&run=second+run&run=busy2")
    assert status == 200
    assert "quickstart · 학습 모델 + 검색" in body
    assert "quickstart · trained + retrieval" in body
    assert "<td>train.rank</td><td>–</td><td>8</td>" in body
    assert "the same items correct as in quickstart" in body
    status, body, _ = ask(served, "/compare?run=quickstart")
    assert status == 400
    assert "Select two or more runs" in body
    assert ask(served, "/compare?run=quickstart&run=busy")[0] == 404  # busy has not been scored


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/runs/../secret.txt", "/runs/%2e%2e/secret.txt", "/runs/quickstart/../../secret.txt",
        "/runs/quickstart/%2e%2e%2f%2e%2e%2fsecret.txt", "/runs/leak/secret.txt", "/runs/leak", "//etc/passwd",
        "/runs/quickstart/answers.jsonl", "/runs/quickstart/report/report.html", "/runs/quickstart%00/report.html",
        "/runs/.lock", "/runs/busy/.lock", "/runs/quickstart/traces.html", "/runs/nobody", "/favicon.ico",
    ],
)  # fmt: skip
def test_nothing_outside_the_listed_files_is_found(served, path):
    status, body, _ = ask(served, path)
    assert status == 404
    assert "비밀" not in body


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "192.168.0.7",
        "",
        "localhost:1",
        "[::2]",
    ],
)
def test_another_hosts_name_is_refused(served, host):
    assert ask(served, "/", host=host)[0] == 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST:8765", "[::1]", "[::1]:8765", "127.0.0.2:8765"]
)
def test_loopback_names_are_known(host):
    assert known_host(host, 8765)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(served, method):
    assert ask(served, "/runs/quickstart/report.html", method=method)[0] == 501


def test_errors_are_pages_in_both_languages(served):
    for path, method, status in (("/nope", "GET", 404), ("/", "PUT", 501)):
        found, body, headers = ask(served, path, method=method)
        assert found == status
        assert headers["Content-Type"].startswith("text/html")
        assert f'오류</span><span class="en" lang="en">Error</span> {status}' in body
        assert "script-src 'sha256-" in headers["Content-Security-Policy"]


def test_the_list_has_model_date_and_score_of_each_run(served):
    body = ask(served, "/")[1]
    row = next(part for part in body.split("<tr>") if 'value="quickstart"' in part)
    scores = json.loads((served[1] / "quickstart/score/scores.json").read_text())
    figure = scores["systems"]["trained-rag"]["choice"]
    assert f'data-sort="{figure["value"]}">{100 * figure["value"]:.1f} <small>' in row
    assert "완료" in row
    assert 'class="day">20' in row
    busy = next(part for part in body.split("<tr>") if "/runs/busy" in part)
    assert "실행 중" in busy


def test_markdown_of_a_run_is_a_page_and_its_html_is_text(served):
    folder = served[1] / "quickstart" / "verify"
    folder.mkdir(exist_ok=True)
    (folder / "verify.md").write_text(
        "# Merge proof\n\n| check | found |\n| --- | --- |\n| base | ok |\n\n"
        "<img src=x onerror=alert(1)> [x](javascript:alert(1)) ![y](http://evil/z.png)\n"
    )
    status, body, _ = ask(served, "/runs/quickstart/verify.html")
    assert status == 200
    assert "<td>base</td>" in body
    assert "<img" not in body
    assert 'href="javascript' not in body
    assert "/runs/quickstart/verify.html" in ask(served, "/runs/quickstart")[1]
    assert ask(served, "/runs/busy/verify.html")[0] == 404


def test_a_head_has_no_body(served):
    status, body, headers = ask(served, "/", method="HEAD")
    assert (status, body) == (200, "")
    assert int(headers["Content-Length"]) > 1000


def test_other_addresses_missing_folders_and_busy_ports_are_refused(served, tmp_path):
    for host in ("0.0.0.0", "", "192.168.0.7", "::"):
        with pytest.raises(UserError, match="reached from other machines"):
            open_server(tmp_path, host=host)
    with pytest.raises(UserError, match="no such folder"):
        open_server(tmp_path / "none")
    with pytest.raises(UserError, match="cannot be opened"):
        open_server(tmp_path, port=served[0])
