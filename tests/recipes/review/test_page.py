"""The review page in a real browser: keys, corrections, widths, languages, markup in examples."""

import importlib.util
import json
import os
from pathlib import Path

import pytest
from devtools import CHROMIUM, KEYS, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

READY = "!busy && state !== null"
MARKUP = "<script>document.title='x'</script>"
LETTERS = {"1": 49, "2": 50, "3": 51, "u": 85, "r": 82, "c": 67, "Backspace": 8, "Escape": 27}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    KEYS.update(LETTERS)
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def page(browser, serve):
    address = serve()
    browser.open(address)
    browser.run("localStorage.clear()")
    browser.open(address)
    browser.until(READY)
    browser.errors.clear()
    browser.requests.clear()
    browser.address = address
    yield browser
    assert browser.errors == []
    elsewhere = [one for one in browser.requests if not one.startswith((address, "data:"))]
    assert elsewhere == []


def shown(page):
    return page.run("example && example.id")


def press(page, key):
    page.press(key)
    page.until(READY)


def text(page, name):
    return page.run(f"document.getElementById('{name}').textContent")


def press_button(page, name):
    page.run(f"document.getElementById('{name}').click()")


def judge(page, key):
    before = shown(page)
    page.press(key)
    page.until(f"{READY} && (example && example.id) !== '{before}'")
    return before


def test_one_key_judges_and_shows_the_next_example(page, lines):
    first = judge(page, "1")
    second = judge(page, "3")
    assert [(one["id"], one["verdict"]) for one in lines()] == [
        (first, "right"),
        (second, "unclear"),
    ]
    assert second in text(page, "status")
    assert page.run("document.activeElement.id") == "title"
    assert "맞음" not in text(page, "readers")


def test_evidence_article_and_right_option_are_shown_with_the_deciding_words(page):
    assert text(page, "question") == "지급업자가 거래기록을 보존하여야 하는 기간은?"
    assert "5년" in page.run("document.querySelector('li.answer').textContent")
    marks = page.run("[...document.querySelectorAll('mark')].map((one) => one.textContent)")
    assert marks == ["거래기록을 5년간 보존하여야"] * 2
    assert page.run("document.querySelector('h4').textContent") == "전자지급 안전법 제4조"


def test_a_wrong_example_gets_a_reason_and_is_taken_back(page, lines):
    first = shown(page)
    press(page, "2")
    assert page.run("document.activeElement.id") == "reason"
    page.type("12가 맞다")  # keys in a field are text
    page.press("Enter")
    page.until(f"{READY} && example.id !== '{first}'")
    assert [(one["verdict"], one["reason"]) for one in lines()] == [("wrong", "12가 맞다")]
    press(page, "Backspace")
    page.until(f"example.id === '{first}'")
    assert lines()[-1]["verdict"] == "withdrawn"
    press(page, "u")
    assert text(page, "status") == "되돌릴 판정이 없습니다"


def test_a_correction_is_checked_and_saved(page, lines):
    first = shown(page)
    press(page, "c")
    assert page.run("document.activeElement.id") == "field-question"
    page.run("document.getElementById('field-option2').value = '1 년'")
    page.run("document.getElementById('save').click()")
    page.until("document.getElementById('fault').textContent")
    assert text(page, "fault") == "글자와 숫자가 같은 보기가 둘 있습니다"
    press_button(page, "language")
    assert text(page, "fault") == "Two options have the same letters and digits"
    assert lines() == []
    assert all("400" in one for one in page.errors)  # the browser notes the refused request
    page.errors.clear()
    page.run("document.getElementById('field-option2').value = '7년'")
    page.run("document.getElementById('field-answer').value = '2'")
    page.run("document.getElementById('save').click()")
    page.until(f"{READY} && example.id !== '{first}'")
    (one,) = lines()
    assert one["correction"]["options"] == ["1년", "7년", "5년", "10년"]
    assert one["correction"]["answer"] == "2"
    assert text(page, "fault") == ""
    assert "corrects 1" in text(page, "readers")
    press_button(page, "language")
    assert "수정 1개" in text(page, "readers")
    assert text(page, "status") == f"저장했습니다: {first}, 틀림"


def test_an_open_correction_without_a_change_leaves_the_example_out(page, lines):
    first = shown(page)
    press(page, "c")
    page.run("document.getElementById('save').click()")
    page.until(f"{READY} && example.id !== '{first}'")
    assert lines()[0]["correction"] is None


def test_the_end_is_said_and_the_table_shows_what_is_decided(page, lines):
    while shown(page):
        judge(page, "1")
    assert page.run("document.getElementById('reading').hidden")
    assert "읽을 예제가 남지 않았습니다" in text(page, "status")
    row = page.run("document.querySelector('#kinds tr').textContent")
    assert row.startswith("choice_quantity2423")
    assert "확인 23개 만에" in row
    press(page, "1")  # nothing to judge
    assert len(lines()) == 25


def test_markup_in_an_example_stays_text(page):
    page.run("document.getElementById('kind').value = 'choice_quantity'")
    page.until("true")
    seen = False
    while shown(page):
        if page.run("example.options[0].includes('script')"):
            seen = True
            assert MARKUP in text(page, "options")
            page.run("document.getElementById('correction').open = true")
            assert page.run("document.getElementById('field-option1').value").startswith(MARKUP)
        judge(page, "1")
    assert seen
    assert page.run("document.querySelectorAll('main script, main img').length") == 0
    assert page.run("document.title") == "kofinlaw review"


def test_readers_who_differ_settle_on_the_page(page, serve, browser, lines):
    first = judge(page, "1")
    browser.open(serve("lee"))
    browser.until(READY)
    assert shown(browser) == first
    browser.press("2")
    browser.press("Enter")
    browser.until(f"{READY} && state.to_settle.length === 1")
    browser.run("document.querySelector('#readers button').click()")
    browser.until(f"{READY} && differ.length === 2")
    assert "kim: 맞음" in text(browser, "differ")
    browser.press("1")
    browser.until(f"{READY} && state.to_settle.length === 0")
    assert (lines()[-1]["settles"], lines()[-1]["verdict"]) == (True, "right")
    assert "2개 중" not in text(browser, "readers")
    browser.requests.clear()


def test_a_settlement_that_is_taken_back_is_settled_again(page, serve, browser, lines):
    first = shown(page)
    press(page, "c")
    page.run("document.getElementById('field-answer').value = '1'")
    press_button(page, "save")
    page.until(f"{READY} && example.id !== '{first}'")
    browser.open(serve("lee"))
    browser.until(READY)
    browser.press("1")
    browser.until(f"{READY} && state.to_settle.length === 1")
    browser.run("document.querySelector('#readers button').click()")
    browser.until(f"{READY} && differ.length === 2")
    assert "정답: 1" in text(browser, "differ")  # what the correction changes, not its JSON
    assert "{" not in text(browser, "differ")
    browser.press("1")
    browser.until(f"{READY} && state.to_settle.length === 0")
    browser.press("u")
    browser.until(f"{READY} && example.id === '{first}' && differ.length === 2")
    browser.press("3")
    browser.until(f"{READY} && state.to_settle.length === 0")
    assert [(one["reader"], one["verdict"], one["settles"]) for one in lines()] == [
        ("kim", "wrong", False),
        ("lee", "right", False),
        ("lee", "right", True),
        ("lee", "withdrawn", True),
        ("lee", "unclear", True),
    ]
    browser.requests.clear()


def test_every_word_is_there_in_both_languages(page):
    shape = """(function shape(value) {
        return typeof value === "object" ? Object.entries(value).map(([k, v]) => [k, shape(v)])
            : [...value.matchAll(/\\{\\w+\\}/g)].map(String).sort();
    })"""
    assert page.run(f"JSON.stringify({shape}(WORDS.ko))") == page.run(
        f"JSON.stringify({shape}(WORDS.en))"
    )
    assert (
        page.run("/[가-힣]/.test(JSON.stringify({...WORDS.en, other: ''}).replace('[문제]', ''))")
        is False
    )


def test_a_token_is_asked_for(browser, serve):
    browser.open(serve(token="t" * 24))
    browser.until("!document.getElementById('token-label').hidden")
    browser.type("t" * 24)
    browser.press("Tab")
    browser.until("state !== null && example !== null")
    assert browser.run("JSON.stringify(localStorage).includes('tttt')") is False


def test_a_server_that_is_gone_is_said_and_the_example_stays(page, lines):
    first = shown(page)
    page.run("window.fetch = () => Promise.reject(new TypeError('gone'))")
    press(page, "1")
    page.until("document.getElementById('fault').textContent")
    assert text(page, "fault") == "서버에 연결할 수 없습니다"
    assert shown(page) == first
    assert lines() == []


def axe_source():
    """axe.min.js from $AXE_JS (npm's axe-core), else from the package that carries it."""
    if os.environ.get("AXE_JS"):
        return Path(os.environ["AXE_JS"]).read_text()
    spec = importlib.util.find_spec("axe_core_python")
    if spec is None:
        pytest.skip("no axe-core: set AXE_JS to axe.min.js, or install axe-core-python")
    return (Path(spec.origin).parent / "axe.min.js").read_text()


def test_axe_finds_no_fault_in_both_languages_widths_and_colours(page):
    source = axe_source()
    for language, width, dark in (("ko", 1280, False), ("en", 400, True), ("ko", 400, False)):
        page.open(page.address, width=width, dark=dark)
        page.until(READY)
        if page.run("document.documentElement.lang") != language:
            page.run("document.getElementById('language').click()")
        page.press("c")
        assert page.run("document.documentElement.scrollWidth") <= width
        page.run(f"{source}; null")
        found = page.run(
            """axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag22aa", "best-practice"] })
            .then((one) => JSON.stringify(
              [one.passes.length, one.violations.map((v) => [v.id, v.nodes[0].html])]))"""
        )
        passes, faults = json.loads(found)
        assert passes > 20
        assert faults == [], (language, width)
