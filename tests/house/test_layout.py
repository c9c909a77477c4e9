"""The layout of the repository: imports, the wheel, forbidden text, and what `--help` loads."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BINARY = {".png", ".pdf", ".hwp", ".hwpx", ".docx", ".parquet"}
HEAVY = ("torch", "transformers", "peft", "trl", "datasets", "bitsandbytes", "lancedb", "kiwipiepy")


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout


def test_help_and_plan_never_import_a_heavy_library(tmp_path):
    code = f"""
import sys
sys.argv = ["kofinlaw", "plan", "quickstart", "--runs", {str(tmp_path)!r}, "--json"]
from kofinlaw.recipes.cli.entry import main
try:
    main()
except SystemExit:
    pass
print([name for name in {HEAVY[:-1]!r} if name in sys.modules])
"""
    lines = python(code).strip().splitlines()
    assert lines[-1] == "[]"
    assert json.loads(lines[0])["recipe"] == "quickstart"


def test_help_waits_for_no_settings():
    """pydantic alone takes a third of the time that --help may take."""
    code = """
import sys
sys.argv = ["kofinlaw", "--help"]
from kofinlaw.recipes.cli.entry import main
try:
    main()
except SystemExit:
    pass
print("pydantic" in sys.modules)
"""
    assert python(code).strip().splitlines()[-1] == "False"


def test_help_lists_every_command_of_the_architecture():
    done = subprocess.run(
        [sys.executable, "-c", "from kofinlaw.recipes.cli.entry import main; main()", "--help"],
        check=True,
        capture_output=True,
        text=True,
    )
    for command in [
        "run",
        "plan",
        "recipe",
        "policy",
        "data",
        "augment",
        "train",
        "sweep",
        "merge",
        "verify",
        "convert",
        "export",
        "index",
        "ask",
        "answer",
        "score",
        "compare",
        "report",
        "models",
        "doctor",
    ]:
        assert re.search(rf"^│? *{command}\b", done.stdout, re.MULTILINE), command


def test_importing_a_room_imports_nothing_heavy():
    rooms = ["data", "models", "augment", "trainer", "rag", "scoring", "recipes"]
    code = "import sys\n" + "\n".join(f"import kofinlaw.{room}" for room in rooms)
    code += f"\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    assert python(code).strip() == "[]"


def test_no_file_bears_a_name_that_could_shadow_a_library_at_launch():
    stems = {path.stem for path in (ROOT / "recipes").glob("*.py")}
    assert not stems & {"torch", "transformers", "trl", "peft", "yaml", "typer", "rich", "types"}


def test_the_import_contract_holds():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_wheel_has_kofinlaw_alone_at_its_top(tmp_path):
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(tmp_path),
            ".",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"kofinlaw"}
    for needed in (
        "kofinlaw/py.typed",
        "kofinlaw/recipes/quickstart.yaml",
        "kofinlaw/models/catalogue.yaml",
        "kofinlaw/data/sample/questions.jsonl",
        "kofinlaw/rag/answer/answer_file.py",
        "kofinlaw/models/policy/policies.yaml",
        "kofinlaw/scoring/report/templates/report.html",
        "kofinlaw/scoring/report/templates/report/scores.html",
        "kofinlaw/recipes/studies/sweep.html",
        "kofinlaw/recipes/bundling/files/install.sh",
        "kofinlaw/augment/teacher/prompts/judge.md",
    ):
        assert needed in names


def forbidden() -> re.Pattern[str]:
    """Paths of a machine and hosts of package registries, spelled in parts.

    In parts, so that this file does not hold what it forbids and needs no exception.
    """
    folders = [f"/{name}/" for name in ("work", "root", "farm")] + [
        "/home/[a-z]+/",
        "/opt/" + "pypi",
    ]
    hosts = [
        r"\.".join(parts)
        for parts in (
            ("pypi", "org"),
            ("registry", "npmjs"),
            ("deb", "debian"),
            ("cr", "weaviate"),
            ("docker", "io"),
        )
    ]
    return re.compile("|".join([*folders, *hosts]))


def test_no_machine_path_or_registry_host_is_committed():
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    bad = forbidden()
    for name in filter(None, tracked):
        path = ROOT / name
        if path.is_symlink() or not path.is_file() or path.suffix in BINARY:
            continue
        found = bad.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{name}: {found and found.group()}"


def test_the_forbidden_patterns_match_what_they_forbid():
    for text in ("/" + "work/x", "/" + "root/x", "/home/" + "someone/x", "pypi" + ".org"):
        assert forbidden().search(text), text
    assert not forbidden().search("trainer/work.py, the root package, home page")
