"""Install a bundle without a network and let it answer: the whole path on this machine.

    python benchmarks/bundle.py --work DIR
    python benchmarks/bundle.py --work DIR --run RUN --keep

Without `--run` it builds a run of the sample documents with the quickstart model (ask only). The
bundle is written through pip as configured here and moved to a path with a blank and Hangul. Then,
in a namespace without network interfaces, with an empty environment and the bundle mounted
read-only:

1. one bit of each kind of file is flipped: `install.sh` must name the file and install nothing;
2. `install.sh` installs into another folder;
3. `ask` and `answer` of the installed kofinlaw answer from the bundle.

It needs Linux with `unshare`, 8 GB of disk, and a Python of the target with pip (`--python-path`,
else what `install.sh` finds by itself). The bundle is deleted at the end, unless `--keep`. The last
line is JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from outcome import outcome

from kofinlaw.recipes.bundling.installer import check_files, read_sums

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "거래기록은 몇 년 동안 보존하여야 하나요?"
# One file of each kind: the installer's own, records, licences, index, weights, wheels.
KINDS = (
    "install.sh",
    "install.py",
    "SHA256SUMS",
    "SHA256SUMS.sha256",
    "bundle.json",
    "sbom.cdx.json",
    "licences.csv",
    "README.ko.md",
    "run/recipe.yaml",
    "run/index/",
    "run/data/",
    "run/m",
    "wheels/torch-",
    "wheels/kofinlaw-",
    "wheels/requirements.txt",
    "LICENSES/",
)


def alone(*words: object, read_only: Path, python: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program without network interfaces, with an empty environment and a read-only folder.

    The folder is mounted read-only for this program alone: root may write whatever its mode says.
    """
    mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec env -i "$@"'
    named = [f"PYTHON={python}"] if python else []
    command = ["unshare", "-rnm", "sh", "-c", mount, "sh", read_only, *named, *words]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd="/")


def kofinlaw(*words: object, cwd: Path) -> None:
    """Run the command line of this tree."""
    code = "from kofinlaw.recipes.cli.entry import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], cwd=cwd, env=environment, check=True
    )


def target_version(python: str) -> str:
    """Return the version (`3.11.2`) of a Python, by default of the one that `install.sh` finds."""
    look = 'exec "${PYTHON:-$(command -v python3.11 || command -v python3)}" -c "$1"'
    named = [f"PYTHON={python}"] if python else []
    code = "import platform; print(platform.python_version())"
    command = ["env", "-i", *named, "sh", "-c", look, "sh", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def sample_run(work: Path) -> Path:
    """Build an index of the sample documents; the quickstart model answers."""
    values = ["--set", "name=bundled", "--set", f"data.sources={ROOT / 'data/sample/corpus'}"]
    kofinlaw("run", "ask-documents", *values, "--runs", work / "runs", cwd=work)
    return work / "runs" / "bundled"


def flipped(bundle: Path, kind: str, python: str) -> tuple[str, bool]:
    """Flip a bit in the middle of a file; return its name, and whether it alone was named.

    A kind that ends in no file name is the largest file that begins so.
    """
    names = [name for name in (*read_sums(bundle), "SHA256SUMS", "SHA256SUMS.sha256")
             if name.startswith(kind)]  # fmt: skip
    name = max(names, key=lambda one: (bundle / one).stat().st_size)
    path = bundle / name
    middle = path.stat().st_size // 2

    def flip() -> None:
        with open(path, "r+b") as handle:
            handle.seek(middle)
            byte = handle.read(1)[0] ^ 1
            handle.seek(middle)
            handle.write(bytes([byte]))

    flip()
    never = bundle.parent / "never"
    done = alone("sh", bundle / "install.sh", never, read_only=bundle, python=python)
    flip()
    named = name in done.stdout + done.stderr
    return name, named and done.returncode != 0 and not never.exists()


def main() -> None:
    """Write, move, damage, install, ask; print a table and one line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for run and bundle")
    parser.add_argument("--run", type=Path, help="a finished run; default: the sample documents")
    parser.add_argument("--platform", default="", help="as of `kofinlaw bundle`")
    parser.add_argument("--use", action="append", default=[], help="as of `kofinlaw bundle`")
    parser.add_argument("--python-path", default="", help="the target's Python")
    parser.add_argument("--keep", action="store_true", help="keep bundle and installation")
    given = parser.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    run = given.run.resolve() if given.run else sample_run(work)
    moved = work / "옮긴 곳" / "번들 1"
    installed = work / "설치 폴더"
    for folder in (work / "out", moved.parent, installed):
        if folder.exists():
            sys.exit(f"{folder} exists: name another --work, or delete it")

    options = [word for value in given.use for word in ("--use", value)]
    options += ["--platform", given.platform] if given.platform else []
    options += ["--python", target_version(given.python_path)]
    started = time.monotonic()
    kofinlaw("bundle", run, work / "out", *options, cwd=work)
    seconds = {"bundle": time.monotonic() - started}
    moved.parent.mkdir()
    (work / "out").rename(moved)
    record = json.loads((moved / "bundle.json").read_text(encoding="utf-8"))
    size = sum(path.stat().st_size for path in moved.rglob("*") if path.is_file())

    flips = [flipped(moved, kind, given.python_path) for kind in KINDS]
    for name, held in flips:
        print(f"| one bit of {name} | {'named, nothing installed' if held else 'NOT NAMED'} |")

    started = time.monotonic()
    done = alone("sh", moved / "install.sh", installed, read_only=moved, python=given.python_path)
    seconds["install"] = time.monotonic() - started
    print(done.stdout + done.stderr)
    program = installed / "bin" / "kofinlaw"
    asking = [program, "ask", QUESTION, "--run", moved / "run", "--json"]
    asked = alone(*asking, read_only=moved)
    print(asked.stdout + asked.stderr[-2000:])
    evidence = json.loads(asked.stdout)["evidence"] if asked.returncode == 0 else []
    questions = work / "test.csv"
    rows = [
        ["ID", "Question"],
        ["T0", f"{QUESTION}\n1 1년\n2 3년\n3 5년\n4 10년"],
        ["T1", QUESTION],
    ]
    with open(questions, "w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)
    answers = work / "answers"
    answering = [program, "answer", questions, "--run", moved / "run", "--out", answers]
    answered = alone(*answering, read_only=moved)
    print(answered.stdout + answered.stderr[-2000:])
    filled = 0
    if (answers / "submission.csv").is_file():
        with open(answers / "submission.csv", encoding="utf-8-sig", newline="") as handle:
            filled = sum(bool(row["Answer"].strip()) for row in csv.DictReader(handle))
    faults = check_files(moved)
    if not given.keep:
        shutil.rmtree(moved.parent)
        shutil.rmtree(installed, ignore_errors=True)

    targets = {
        "flips_named": (sum(held for _, held in flips), ("==", len(KINDS))),
        "installed": (int(done.returncode == 0), ("==", 1)),
        "ask_evidence": (len(evidence), (">=", 1)),
        "answers": (filled, ("==", len(rows) - 1)),
        "faults_after_use": (len(faults), ("==", 0)),
    }
    figures = {
        "platform": record["platform"],
        "oldest_python": record["target"]["oldest_python"],
        "other_versions": record["other_versions"],
        "torch": record["torch"],
        "wheels": record["wheels"],
        "gib": round(size / 2**30, 2),
        "seconds": {name: round(value) for name, value in seconds.items()},
    }
    print(outcome(figures, targets))


if __name__ == "__main__":
    main()
