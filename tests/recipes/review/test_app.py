"""The requests of the page: guarded, checked, and answered from the file of verdicts."""

import httpx
import pytest


def get(address, path, **headers):
    return httpx.get(address + path, headers=headers, timeout=30)


def post(address, path, body, **headers):
    return httpx.post(address + path, json=body, headers=headers, timeout=30)


def following(address, kind=""):
    return get(address, f"/api/next?kind={kind}").json()["example"]


def said(example, verdict="right", **more):
    return {"id": example["id"], "sha256": example["sha256"], "verdict": verdict, **more}


def test_examples_are_read_one_by_one_until_none_is_left(serve, lines):
    address, read = serve(), []
    while (example := following(address)) is not None:
        got = post(address, "/api/verdict", said(example))
        assert got.status_code == 200
        read.append(example["id"])
    state = get(address, "/api/state").json()
    assert [line["id"] for line in lines()] == read
    assert state["kinds"]["choice_quantity"]["verdict"] == "shown"
    assert state["own"]["choice_quantity"] == state["kinds"]["choice_quantity"]["read"]
    assert (state["reader"], state["changes"], state["to_settle"]) == ("kim", {}, [])


def test_two_servers_on_one_run_settle_a_difference(serve, lines):
    kim, lee = serve("kim"), serve("lee")
    example = following(kim, "choice_quantity")
    post(kim, "/api/verdict", said(example, "wrong", reason="둘이 맞다"))
    assert "둘이 맞다" not in get(lee, f"/api/example/{example['id']}").text
    state = post(lee, "/api/verdict", said(example)).json()
    assert state["to_settle"] == [example["id"]]
    both = get(lee, f"/api/example/{example['id']}").json()["differ"]
    assert [one["verdict"] for one in both] == ["wrong", "right"]
    state = post(lee, "/api/verdict", said(example, "wrong", settles=True)).json()
    assert (state["to_settle"], state["changes"]["left_out"]) == ([], 1)
    back = post(kim, "/api/undo", {}).json()
    assert back["example"]["id"] == example["id"]
    assert [line["verdict"] for line in lines()] == ["wrong", "right", "wrong", "withdrawn"]


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)
def test_other_hosts_and_pages_are_refused(serve, lines, headers):
    address = serve()
    example = following(address)
    for path in ("/", "/api/state"):
        assert get(address, path, **headers).status_code == 403
    assert post(address, "/api/verdict", said(example), **headers).status_code == 403
    assert lines() == []


def test_a_token_guards_everything_but_the_page(serve, lines):
    address = serve(token="t" * 24)
    assert get(address, "/").status_code == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert get(address, "/api/next", **headers).status_code == 401
        assert post(address, "/api/verdict", {}, **headers).status_code == 401
    assert get(address, "/api/state", Authorization=f"Bearer {'t' * 24}").status_code == 200


def test_the_page_may_load_nothing_from_elsewhere(serve):
    got = get(serve(), "/")
    policy = got.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["cache-control"] == "no-store"


def test_bad_requests_say_what_is_wrong_and_write_nothing(serve, lines):
    address = serve()
    example = following(address)
    url = f"{address}/api/verdict"
    for content, kind, status in (
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 5000, "application/json", 400),
        (b"id=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b" " * 300_000, "application/json", 413),
    ):
        got = httpx.post(url, content=content, headers={"Content-Type": kind}, timeout=30)
        assert got.status_code == status
        assert got.json()["error"]["message"]
    got = post(address, "/api/verdict", said(example, "perhaps"))
    assert got.json() == {
        "error": {"message": "the verdict is one of right, wrong, unclear", "where": "verdict"}
    }
    assert got.status_code == 400
    assert get(address, "/api/example/none").status_code == 404
    assert get(address, "/none").status_code == 404
    assert get(address, "/api/verdict").status_code == 405
    assert lines() == []


def test_a_file_that_breaks_while_the_page_is_open_is_one_error(serve, run):
    address = serve()
    (run / "review.jsonl").write_text("{}\n")
    got = get(address, "/api/state")
    assert got.status_code == 400
    assert got.json()["error"]["where"] == f"{run / 'review.jsonl'}:1"


def test_a_full_disk_says_so_and_the_verdict_is_not_counted(serve, small_files, lines):
    address = serve()
    example = following(address)
    with small_files(100):
        got = post(address, "/api/verdict", said(example))
    assert got.status_code == 507
    assert "no space left" in got.json()["error"]["message"]
    assert following(address) == example
    assert post(address, "/api/verdict", said(example)).status_code == 200
    assert len(lines()) == 1
