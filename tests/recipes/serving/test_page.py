"""The chat page in a real browser: keyboard, widths, languages, history, markup in a statute."""

import importlib.util
import json
import os
from pathlib import Path

import pytest
from devtools import CHROMIUM, Browser
from small_serving import INJECTED, OLD_DAY

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

QUESTION = "전산점검 규정에서 서류를 보관하는 기간은?"
READY = "!document.getElementById('send').disabled && document.getElementById('stop').hidden"
TURNS = "document.querySelectorAll('article').length"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def page(browser, address):
    browser.open(address)
    browser.run("localStorage.clear()")
    browser.open(address)
    browser.errors.clear()
    browser.requests.clear()
    yield browser
    assert browser.errors == []
    elsewhere = [one for one in browser.requests if not one.startswith((address, "data:"))]
    assert elsewhere == []


def focus(browser, name):
    """Press Tab until an element has the focus."""
    for _ in range(12):
        if browser.run("document.activeElement.id") == name:
            return
        browser.press("Tab")
    raise AssertionError(f"Tab does not reach {name}")


def ask(browser, question):
    before = browser.run(TURNS)
    focus(browser, "question")
    browser.type(question)
    browser.press("Enter")
    browser.until(f"{TURNS} === {before + 1} && {READY}")


def test_a_question_is_asked_and_read_with_the_keyboard(page, address):
    ask(page, QUESTION)
    assert page.run("document.querySelector('h2').textContent") == QUESTION
    assert page.run("document.querySelector('.answer').textContent")
    marked = page.run("[...document.querySelectorAll('mark')].map((one) => one.textContent)")
    assert "보관" in marked
    assert page.run("document.querySelector('.cited h4').textContent") == "전산점검 규정 제4조"
    answer, cited = (
        page.run(f"document.querySelector('{one}').getBoundingClientRect().toJSON()")
        for one in (".answer", ".cited")
    )
    assert answer["right"] < cited["left"]  # next to each other
    assert page.run("document.activeElement.id") == "question"
    page.run("document.querySelector('summary').focus()")
    page.press("Enter")
    page.until("document.querySelector('details').open")
    focus(page, "language")
    page.press("Enter")
    assert page.run("document.documentElement.lang") == "en"
    assert page.run("document.querySelector('h3').textContent") == "Evidence"
    assert page.run("document.getElementById('status').textContent") == "The answer is ready"
    page.open(address, width=400)
    assert page.run("document.querySelector('h2').textContent") == QUESTION  # the history
    assert page.run("document.documentElement.scrollWidth") <= 400
    answer, cited = (
        page.run(f"document.querySelector('{one}').getBoundingClientRect().toJSON()")
        for one in (".answer", ".cited")
    )
    assert answer["bottom"] < cited["top"]  # below each other
    focus(page, "clear")
    page.press(" ")
    assert page.run(TURNS) == 0
    assert page.run("localStorage.getItem('kofinlaw-chat')") == "[]"
    assert page.run("document.getElementById('token-label').getBoundingClientRect().width") == 0


def test_the_day_decides_which_law_is_searched(page):
    page.run(f"document.getElementById('day').value = '{OLD_DAY}'")
    ask(page, QUESTION)
    assert page.run("document.querySelector('h3').textContent") == "근거 없음"
    assert OLD_DAY in page.run("document.querySelector('article').textContent")


def test_markup_in_a_statute_and_in_a_question_stays_text(page):
    title = page.run("document.title")
    ask(page, f"{INJECTED} 조문은? <img src=x onerror=document.title=1>")
    page.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert INJECTED in page.run("document.getElementById('log').textContent")
    assert page.run("document.querySelectorAll('#log script, #log img').length") == 0
    assert page.run("document.title") == title


def test_a_damaged_history_is_no_obstacle(page, address):
    page.run("localStorage.setItem('kofinlaw-chat', '{broken')")
    page.open(address)
    assert page.run(TURNS) == 0
    ask(page, QUESTION)


def test_a_server_that_is_stopped_or_needs_a_token_says_so(browser, small_server):
    address = small_server(token="k" * 24)
    browser.open(address)
    ask(browser, QUESTION)
    assert browser.run("document.activeElement.id") == "token"
    assert browser.run("document.getElementById('question').value") == QUESTION
    browser.type("k" * 24)
    focus(browser, "send")
    browser.press("Enter")
    browser.until(f"document.querySelectorAll('.answer').length === 1 && {READY}")
    assert browser.run("JSON.stringify(localStorage).includes('kkkk')") is False
    browser.run("window.fetch = () => Promise.reject(new TypeError('gone'))")
    ask(browser, QUESTION)
    last = browser.run("document.querySelector('article:last-child .warn').textContent")
    assert last == "서버에 연결할 수 없습니다"


def axe_source():
    """axe.min.js from $AXE_JS (npm's axe-core), else from the package that carries it."""
    if os.environ.get("AXE_JS"):
        return Path(os.environ["AXE_JS"]).read_text()
    spec = importlib.util.find_spec("axe_core_python")
    if spec is None:
        pytest.skip("no axe-core: install the extra dev, or set AXE_JS to axe.min.js")
    return (Path(spec.origin).parent / "axe.min.js").read_text()


def test_axe_finds_no_fault_in_both_languages_widths_and_colours(page, address):
    source = axe_source()
    ask(page, QUESTION)
    for language, width, dark in (("ko", 1280, False), ("en", 400, True), ("ko", 400, True)):
        page.open(address, width=width, dark=dark)
        if page.run("document.documentElement.lang") != language:
            page.run("document.getElementById('language').click()")
        page.run("document.querySelector('details').open = true")
        page.run(f"{source}; null")
        found = page.run(
            """axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag22aa", "best-practice"] })
            .then((one) => JSON.stringify(
              [one.passes.length, one.violations.map((v) => [v.id, v.nodes[0].html])]))"""
        )
        passes, faults = json.loads(found)
        assert passes > 20
        assert faults == [], (language, width)
