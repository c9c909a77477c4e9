"""The command that writes examples in other forms; test_prefer_command runs it on a real set."""

import pytest


@pytest.mark.parametrize("form", ["alpacca", ""])
def test_an_unknown_form_is_one_error(command, tmp_path, form):
    code, _, err = command("convert", "examples", "no.jsonl", tmp_path, "--to", form)
    assert code == 1
    assert "use messages, alpaca, sharegpt" in err


def test_a_missing_file_is_one_error(command, tmp_path):
    code, _, err = command("convert", "examples", tmp_path / "no.jsonl", tmp_path / "out")
    assert code == 1
    assert "no such file" in err
