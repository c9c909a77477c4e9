"""Check that the extras of kofinlaw can be installed, alone and together, without installing them.

    python -m checks.resolve [--pip] [--only NAME ...] [--write]

Each case is a set of requirements for Linux on x86-64. The resolver is uv's; `--pip` uses
`pip install --dry-run` instead, which is several times slower and downloads wheels whose index has
no separate metadata. Cases of `CONFLICTS` must fail: if one resolves, its place in the guides is
out of date. `--write` puts the result into docs/studies/extras.md. Exits with 1 if a case differs
from what is expected.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.page import PAGE, ROOT, replace_section, stamp, table

__all__ = ["CONFLICTS", "Case", "Outcome", "cases_of", "reason", "resolve"]

CONSTRAINTS = "constraints.txt"
# The Python versions of the core; extras are resolved for the oldest one that is supported.
PYTHONS = ("3.11", "3.12", "3.13")
OLDEST = "3.11.5"  # the tested versions in constraints.txt need this patch release
# Sets of extras that the guides use together.
TOGETHER: Mapping[str, tuple[str, ...]] = {
    "quickstart and tests (`make install`)": ("quickstart", "dev"),
    "one card: vLLM and dense retrieval": ("vllm", "dense"),
    "one card: vLLM, dense retrieval, GGUF, Weaviate": ("vllm", "dense", "gguf", "weaviate"),
    "training with Liger next to vLLM": ("vllm", "liger"),
    "several cards": ("deepspeed", "vllm"),
    "tracking, tracing and other scorers": ("track", "langsmith", "otel", "openevals", "lm-eval"),
}


@dataclass(frozen=True)
class Case:
    """One set of requirements.

    - `extras` of kofinlaw, and `others`: requirements next to them.
    - `python` is the version that is resolved for, `constrained` applies constraints.txt.
    - `conflict` says why the set must not resolve; empty if it must.
    """

    name: str
    extras: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    python: str = OLDEST
    constrained: bool = False
    conflict: str = ""


@dataclass(frozen=True)
class Outcome:
    """The result of a case: how many packages it installs, or why it cannot be installed."""

    case: Case
    packages: int
    why_not: str
    seconds: float

    @property
    def expected(self) -> bool:
        """Whether the case resolves, or fails where it must."""
        return bool(self.why_not) == bool(self.case.conflict)


# What cannot be in one environment. `kofinlaw doctor` and docs/guides/gpu.md say the same.
CONFLICTS = (
    Case(
        "vLLM with the tested versions",
        ("vllm",),
        constrained=True,
        conflict="vLLM pins older numba, llguidance and numpy: an environment of its own",
    ),
    Case(
        "vLLM and llm-compressor",
        ("vllm",),
        ("llmcompressor==0.14.0.1",),
        conflict="both pin compressed-tensors: `export` makes an environment for llm-compressor",
    ),
)


def cases_of(project: Mapping[str, Any]) -> list[Case]:
    """Return every case: the core, each extra of pyproject.toml, `TOGETHER` and `CONFLICTS`."""
    extras = project["project"]["optional-dependencies"]
    cases = [Case(f"core, Python {python}", python=python) for python in PYTHONS[1:]]
    cases.insert(0, Case(f"core, Python {OLDEST}"))
    cases.append(Case("core, tested versions", constrained=True))
    cases += [Case(f"`{name}`", (name,)) for name in extras]
    cases += [Case(name, together) for name, together in TOGETHER.items()]
    cases.append(Case("every extra", tuple(extras)))
    cases.append(Case("`make install`, tested versions", ("quickstart", "dev"), constrained=True))
    return [*cases, *CONFLICTS]


def resolve(case: Case, *, pip: bool = False) -> Outcome:
    """Resolve one case; nothing is installed."""
    started = time.monotonic()
    command, given = (_pip if pip else _uv)(case)
    done = subprocess.run(
        command, cwd=ROOT, input=given, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    if done.returncode:
        return Outcome(case, 0, reason(done.stderr) or f"exit code {done.returncode}", seconds)
    if pip:
        return Outcome(case, len(json.loads(done.stdout)["install"]), "", seconds)
    return Outcome(case, done.stdout.count("=="), "", seconds)


def _uv(case: Case) -> tuple[list[str], str]:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise SystemExit("uv is not installed: pip install uv, or use --pip")
    command = [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    command += ["--python-version", case.python, "--python-platform", "x86_64-manylinux_2_34"]
    command += ["pyproject.toml", *(f"--extra={extra}" for extra in case.extras)]
    command += ["--constraint", CONSTRAINTS] if case.constrained else []
    command += ["-"] if case.others else []
    return command, "\n".join(case.others)


def _pip(case: Case) -> tuple[list[str], str]:
    what = f".[{','.join(case.extras)}]" if case.extras else "."
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    command += ["--quiet", "--report", "-", what, *case.others]
    command += ["--constraint", CONSTRAINTS] if case.constrained else []
    return command, ""


def reason(stderr: str) -> str:
    """Return the first sentence of a resolver's error that names the packages."""
    for line in stderr.splitlines():
        found = re.search(r"(Because .*?)(?:, we can conclude|$)|(The conflict is caused.*)", line)
        if found:
            return re.sub(r"\{[^}]*\}", "", found.group(1) or found.group(2)).strip()
    lines = [line.strip() for line in stderr.splitlines() if "error" in line.lower()]
    return lines[-1] if lines else ""


def report(outcomes: Sequence[Outcome]) -> str:
    """Return the table of a run as Markdown."""
    rows = []
    for one in outcomes:
        found = (
            f"{one.packages} packages"
            if not one.why_not
            else f"no, {one.why_not[:1].lower()}{one.why_not[1:]}"
        )
        if one.case.conflict:
            found = f"{found} (expected: {one.case.conflict})"
        rows.append([one.case.name, "ok" if one.expected else "**differs**", found])
    return table(["set", "as expected", "resolves"], rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Resolve every case and print the table; the last line is JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pip", action="store_true", help="pip's resolver instead of uv's")
    parser.add_argument("--only", nargs="*", help="parts of the names of the cases")
    parser.add_argument("--write", action="store_true", help="write docs/studies/extras.md")
    args = parser.parse_args(argv)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    cases = [
        case
        for case in cases_of(project)
        if not args.only or any(part in case.name for part in args.only)
    ]
    with (
        tempfile.TemporaryDirectory(prefix="check-extras-") as cache,
        ThreadPoolExecutor(1 if args.pip else 2) as pool,
    ):
        # uv keeps whole wheels where the index has no separate metadata: 14 GB, deleted at the end.
        os.environ["UV_CACHE_DIR"] = cache
        outcomes = []
        for one in pool.map(lambda case: resolve(case, pip=args.pip), cases):
            outcomes.append(one)
            mark = "ok " if one.expected else "BAD"
            print(f"{mark} {one.seconds:5.1f} s  {one.case.name}  {one.why_not}", flush=True)
    body = report(outcomes)
    if args.write and not args.only:
        text = PAGE.read_text(encoding="utf-8")
        tool = "pip" if args.pip else "uv's resolver"
        text = replace_section(text, "resolve", f"{stamp(tool)}\n\n{body}")
        PAGE.write_text(text, encoding="utf-8")
    bad = [one.case.name for one in outcomes if not one.expected]
    print(json.dumps({"sets": len(outcomes), "differ": bad, "meets": not bad}, ensure_ascii=False))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
