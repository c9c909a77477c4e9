"""YAML front matter, broken or with aliases."""

from __future__ import annotations

from kofinlaw.data.frontmatter import split_front_matter


def test_front_matter_with_aliases_or_broken_yaml_is_left_out_with_a_warning():
    bomb = "---\na: &a [x, x]\nb: [*a, *a]\n---\n본문\n"
    meta, rest, warning = split_front_matter(bomb)
    assert (meta, rest) == ({}, "본문\n")
    assert "aliases" in warning
    assert split_front_matter("---\n[1\n---\n본문")[2].startswith("front matter is not YAML")
    assert split_front_matter("--- 본문") == ({}, "--- 본문", "")
