"""Every example runs as its page says, on the bundled sample or a pico model."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
_spec = importlib.util.spec_from_file_location("pico_run", ROOT / "tests/recipes/conftest.py")
pico_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pico_run)
pico = pico_run.pico  # the fixture: a recipe with its documents, questions and model


def run(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "KOFINLAW_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return done.stdout


def example(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(EXAMPLES / name), *arguments]


def test_each_example_is_listed_and_tested():
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")
    names = [path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")]
    assert len(names) >= 4
    for name in names:
        assert f"`{name}`" in listed
        assert f'"{name}"' in here


@pytest.mark.slow
def test_the_notebook_asks_a_run(pico, tmp_path):
    """Its code cells run in order in a folder that holds `runs/quickstart`, here a pico run.

    The pico run has other documents, so its own question takes the place of the first one.
    """
    notebook = json.loads((EXAMPLES / "ask.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    make = (
        "import kofinlaw\n"
        f"kofinlaw.run({str(pico / 'recipe.yaml')!r}, folder='runs/quickstart', until='index')\n"
    )
    made = run([sys.executable, "-c", make], tmp_path)
    assert "index: working" in made
    code = "\n".join(cells)
    asked = "전자금융사고가 나면 언제까지 보고하나요?"
    assert asked in code
    code = code.replace(asked, "외부반출 관리 규정에서 서류를 보관하는 기간은?")
    said = run([sys.executable, "-c", code], tmp_path)
    assert "shown=True" in said
    assert all(not c.get("outputs") for c in notebook["cells"])


@pytest.mark.slow
def test_training_on_your_own_json_lines_ends_with_a_proof(pico, tmp_path):
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"{act['term']}의 보고 기한은?"},
                {"role": "assistant", "content": f"{act['days']}일 이내입니다."},
            ]
        }
        for act in pico_run.ACTS
    ]
    mine = tmp_path / "mine.jsonl"
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows * 4)
    mine.write_text(text, encoding="utf-8")
    said = run(
        example(
            "train_on_your_jsonl.py",
            *("--model", str(pico / "model"), "--examples", str(mine), "--steps", "2"),
        ),
        tmp_path,
    )
    assert "merge proof: pass" in said
    assert list((tmp_path / "trained" / "model").glob("*.safetensors"))


def test_a_wrong_line_in_your_json_lines_is_one_clear_error(pico, tmp_path):
    mine = tmp_path / "mine.jsonl"
    mine.write_text('{"messages": []}\nnot json\n', encoding="utf-8")
    command = example(
        "train_on_your_jsonl.py", "--model", str(pico / "model"), "--examples", str(mine)
    )
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "mine.jsonl" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_new_reader_reads_mail(tmp_path):
    said = run(example("add_a_reader.py"), tmp_path)
    assert "이체 한도는" in said
    assert "2025-01-06" in said


def test_a_new_generator_makes_examples(tmp_path):
    run(example("add_a_generator.py"), tmp_path)
    lines = (tmp_path / "my-examples/examples/examples.jsonl").read_text(encoding="utf-8")
    tasks = [json.loads(line)["task"] for line in lines.splitlines()]
    assert tasks.count("choice_heading") >= 3


@pytest.mark.parametrize("name", ["add_a_reader.py", "add_a_generator.py"])
def test_a_missing_folder_is_one_clear_error(name, tmp_path):
    command = example(name, "--documents", "nowhere")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "nowhere: no such file or folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mail_without_a_real_date_is_read(tmp_path):
    (tmp_path / "mails").mkdir()
    head = "Subject: Limit\nDate: soon\nContent-Type: text/plain; charset=utf-8\n\n"
    mail = head + "이체 한도는 영업점에서 본인 확인을 마치면 오릅니다.\n"
    (tmp_path / "mails" / "a.eml").write_text(mail, encoding="utf-8")
    assert "이체 한도는" in run(example("add_a_reader.py", "--documents", "mails"), tmp_path)
