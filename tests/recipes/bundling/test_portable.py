"""Paths of this machine in texts: removed from settings, refused elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.recipes.bundling.portable import (
    machine_paths,
    require_no_machine_path,
    run_paths,
    without_paths,
)
from kofinlaw.recipes.pipeline.run import reopen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"path": "/srv/team/runs/a/model"}', '{"path": "model"}'),
        ("/srv/team", "team"),
        ("see /srv/team/a.txt, and more", "see a.txt, and more"),
        ("/srv/teamwork/x", "/srv/teamwork/x"),
        ("/srv/team-b/x", "/srv/team-b/x"),
        ("/srv/other", "/srv/other"),
        ("", ""),
    ],
)
def test_a_path_becomes_its_last_name(text, expected):
    assert without_paths(text, ["/srv/team"]) == expected


def test_the_longest_folder_counts():
    assert without_paths("/srv/team/내 모델/x", ["/srv/team/내 모델", "/srv/team"]) == "x"


@given(st.text(alphabet="/ab가 .\"'", max_size=40))
def test_no_text_keeps_a_folder(text):
    assert "/a/b/" not in without_paths(f"{text}/a/b/{text}", ["/a/b"])


def test_without_folders_nothing_changes():
    assert without_paths("/srv/team", []) == "/srv/team"


def test_a_file_with_a_folder_is_named(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"x" * ((1 << 20) - 4) + b"/srv/team/runs")
    (tmp_path / "b.bin").write_bytes(b"/srv/teamwork/")
    require_no_machine_path(tmp_path, ["b.bin"], ["/srv/team"])
    with pytest.raises(UserError, match="/srv/team/") as error:
        require_no_machine_path(tmp_path, ["b.bin", "a.bin"], ["/srv/team"])
    assert error.value.where == "a.bin"


def test_folders_of_the_run_and_of_this_machine_are_looked_for(asking_run, pico):
    run = reopen(asking_run)
    own = run_paths(run)
    assert str(asking_run) in own
    assert str(pico / "docs") in own
    assert "/" not in own
    assert "/tmp" not in own
    assert own == sorted(own, key=len, reverse=True) or len(own[0]) >= len(own[-1])
    assert set(own) <= set(machine_paths(run))
