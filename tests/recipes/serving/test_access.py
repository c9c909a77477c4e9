"""Who may ask: Host, Origin, token."""

import pytest

from kofinlaw import UserError
from kofinlaw.recipes.serving.access import open_access

TOKEN = "k" * 24


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8000", True),
        ("localhost:8000", True),
        ("[::1]:8000", True),
        ("law.example.kr", True),
        ("LAW.example.kr:443", True),
        ("evil.example", False),
        ("evil.example:8000", False),
        ("127.0.0.1.evil.example:8000", False),
        ("192.168.0.7:8000", False),
        ("", False),
    ],
)
def test_a_host_is_this_machine_or_a_name_that_was_allowed(host, known):
    access = open_access("127.0.0.1", 8000, "", ("Law.example.kr",))
    assert access.knows(host, "") is known


def test_an_open_address_knows_every_number_and_no_name():
    access = open_access("0.0.0.0", 8000, TOKEN, ())
    assert access.knows("192.168.0.7:8000", "")
    assert not access.knows("rebound.example:8000", "")


@pytest.mark.parametrize(
    ("origin", "known"),
    [
        ("", True),
        ("http://127.0.0.1:8000", True),
        ("http://127.0.0.1:9000", False),
        ("http://evil.example", False),
        ("null", False),
        ("http://[::1", False),
    ],
)
def test_a_page_of_another_origin_is_unknown(origin, known):
    access = open_access("127.0.0.1", 8000, "", ())
    assert access.knows("127.0.0.1:8000", origin) is known


@pytest.mark.parametrize(
    ("header", "admitted"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (TOKEN, False),
        (f"Basic {TOKEN}", False),
        ("Bearer", False),
        ("Bearer 토큰", False),
        ("", False),
    ],
)
def test_only_the_bearer_of_the_token_is_admitted(header, admitted):
    assert open_access("127.0.0.1", 8000, TOKEN, ()).admits(header) is admitted


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.0.7", "law.example.kr"])
def test_an_address_of_the_network_needs_a_token(host):
    with pytest.raises(UserError, match="no token"):
        open_access(host, 8000, "", ())
    assert open_access(host, 8000, TOKEN, ()).token == TOKEN


@pytest.mark.parametrize("token", ["short", "k" * 15, "토큰" * 10, "two words " * 3])
def test_a_weak_token_is_refused(token):
    with pytest.raises(UserError, match="16 or more ASCII"):
        open_access("127.0.0.1", 8000, token, ())
