"""The style of the pages: one set of variables for each colour scheme, and no other colours."""

import re

from kofinlaw.scoring.report.plot_canvas import VARIABLES
from kofinlaw.scoring.report.template import FOLDER, script_hashes

STYLE = (FOLDER / "report.css").read_text(encoding="utf-8")


def variables_of(start, end="}"):
    block = STYLE[STYLE.index(start) + len(start) :]
    return dict(re.findall(r"(--[\w-]+): ([^;]+);", block[: block.index(end)]))


def test_both_ways_to_the_dark_colours_give_the_same_and_cover_the_light_ones():
    light = variables_of(":root {")
    by_system = variables_of(':root:not([data-theme="light"]) {')
    by_button = variables_of(':root[data-theme="dark"] {')
    assert by_system == by_button
    colours = {name for name, value in light.items() if value.startswith("#")}
    assert set(by_button) == colours
    assert all(light[name] != by_button[name] for name in colours)
    printed = variables_of(':root, :root:not([data-theme="light"]) {')
    assert printed == {name: light[name] for name in colours}


def test_rules_use_variables_and_plots_use_variables_that_exist():
    rules = STYLE[STYLE.index("* { box-sizing") : STYLE.index("@media print")]
    assert re.findall(r"#[0-9a-fA-F]{3,6}\b(?! )[;,)]", rules) == []
    used = set(re.findall(r"var\((--[\w-]+)\)", rules))
    used |= set(re.findall(r"var\((--[\w-]+)\)", " ".join(VARIABLES.values())))
    assert used <= set(variables_of(":root {"))


def test_the_policy_names_both_scripts():
    hashes = script_hashes(("report.js", "page.js")).split()
    assert len(set(hashes)) == 2
    assert hashes[0] == script_hashes().split()[0]
    assert all(one.startswith("'sha256-") for one in hashes)
