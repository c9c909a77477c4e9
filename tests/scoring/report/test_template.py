"""The style of the pages: one set of variables for each colour scheme, and no other colours."""

import re

from kofinlaw.scoring.report.plot_canvas import VARIABLES
from kofinlaw.scoring.report.template import FOLDER, script_hashes

STYLE = (FOLDER / "report.css").read_text(encoding="utf-8")


def variables_of(start, end="}"):
    block = STYLE[STYLE.index(start) + len(start) :]
    return dict(re.findall(r"(--[\w-]+): ([^;]+);", block[: block.index(end)]))


def test_the_dark_colours_cover_the_light_ones_and_are_not_printed():
    light = variables_of(":root {")
    dark = variables_of(':root[data-theme="dark"] {')
    colours = {name for name, value in light.items() if value.startswith("#")}
    assert set(dark) == colours
    assert all(light[name] != dark[name] for name in colours)
    assert STYLE.count("--paper:") == 2
    assert '@media screen {\n  :root[data-theme="dark"] {' in STYLE


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
