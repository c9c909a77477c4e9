"""The command `review`: the table, the files of other tools, the page, and wrong options."""

import importlib.util
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

STALLED = (
    "POST /api/verdict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
)
_path = Path(__file__).parents[1] / "review" / "conftest.py"
_spec = importlib.util.spec_from_file_location("review_conftest", _path)
review_conftest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(review_conftest)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return review_conftest.write_run(tmp_path / "runs" / "small")


def test_the_summary_prints_the_table_and_writes_the_card(run, command):
    code, out, err = command("review", run, "--summary")
    assert code == 0, err
    assert re.search(r"^choice_quantity +24 +0 .*not reviewed$", out, re.M)
    assert "readers: none, not reviewed" in out
    assert "runs/small/augment/card.md has these figures" in out
    assert "kofinlaw review runs/small" in out.split("Next:")[1]


def test_the_json_is_one_object(run, command):
    code, out, _ = command("review", run, "--json")
    assert code == 0
    assert json.loads(out)["kinds"]["free"]["verdict"] == "open"


def test_files_of_other_tools_are_written_and_read(run, command):
    code, out, err = command(
        "review", run, "--export", "argilla", "--out", "records.json", "--most", "2"
    )
    assert code == 0, err
    assert "4 examples" in out
    path = Path("records.json")
    records = json.loads(path.read_text())
    for record in records:
        record["responses"] = {"verdict": [{"value": "right", "user_id": "u1"}]}
    path.write_text(json.dumps(records))
    code, out, err = command("review", run, "--import", "records.json", "--reader", "kim")
    assert code == 0, err
    assert "4 verdicts taken over (kim 4)" in out
    assert "readers: kim 4" in out


@pytest.mark.parametrize(
    "words,why",
    [
        (["--summary", "--export", "argilla", "--out", "x"], "different things"),
        (["--export", "prodigy", "--out", "x"], "use argilla or label-studio"),
        (["--export", "argilla"], "--export and --out belong together"),
        (["--out", "x"], "--export and --out belong together"),
        (["--import", "none.json"], "no such file"),
        (["--reader", " "], "a reader's name"),
        (["--port", "99999"], "99999 is not a port"),
    ],
)
def test_wrong_options_say_what_to_do(run, command, words, why):
    code, _, err = command("review", run, *words)
    assert code == 1
    assert why in err


def test_a_folder_that_is_no_run_is_refused(tmp_path, command):
    code, _, err = command("review", tmp_path)
    assert code == 1
    assert "this folder is not a run" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_is_served_until_a_signal_and_the_table_follows(run, number):
    """Also while a request that never ends is open."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kofinlaw", "review", str(run), "--reader", "kim", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        first = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", first)[0]
        example = httpx.get(f"{address}/api/next", timeout=30).json()["example"]
        body = {"id": example["id"], "sha256": example["sha256"], "verdict": "wrong"}
        assert httpx.post(f"{address}/api/verdict", json=body, timeout=30).status_code == 200
        port = int(address.rpartition(":")[2])
        stalled = socket.create_connection(("127.0.0.1", port))
        stalled.sendall(STALLED.format(port=port).encode())
        assert httpx.get(f"{address}/api/state", timeout=30).status_code == 200
    finally:
        process.send_signal(number)
        out = process.communicate(timeout=60)[0]
    stalled.close()
    assert process.returncode == 0, out
    assert "readers: kim 1" in out
    assert "Traceback" not in out
    assert "kofinlaw run runs/small/recipe.yaml --folder runs/small --until augment" in out
    assert "| choice_quantity | 24 | 1 | 1 |" in (run / "augment" / "card.md").read_text()
