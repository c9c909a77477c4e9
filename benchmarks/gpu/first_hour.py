"""Run the parts of the first hour on a card, each in a process of its own, and print one line.

    python benchmarks/gpu/first_hour.py [--only PART ...] [--cap-gib 23.5] [--rehearse] [--out DIR]

The parts are in `first_hour_parts.py`, in this order: assertions, memory, oom, training, answering,
vllm. The parts of `first_hour_speed.py` follow: kept,
joined, lora, encoder.

A part ends after three minutes. A part that needs a package that is absent is skipped by name.
`--rehearse` runs the same code with tiny shapes on a processor; its figures mean nothing.
With `--out DIR` each part's file is written as soon as the part ends. A file of an earlier run is
replaced; each one says when and on which machine it was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import first_hour_speed as speed
from first_hour_parts import PARTS as MEASURED
from first_hour_parts import Skipped

HERE = Path(__file__).parent
LIMIT_SECONDS = 180

PARTS = {
    **MEASURED,
    "kept": speed.kept,
    "joined": speed.joined,
    "lora": speed.lora,
    "encoder": speed.encoder,
}

# The figures of each part with their targets; a figure that was not measured is null.
TARGETS: dict[str, dict[str, tuple[str, float]]] = {
    "assertions": {"failed": ("==", 0)},
    "memory": {"plan_error": ("<=", 0.1), "simulation_error": ("<=", 0.1)},
    "oom": {"splits": (">=", 1), "gradient_difference": ("<=", 1e-4)},
    "training": {"times_trl": (">=", 1), "times_unsloth": (">=", 1)},
    "answering": {"exaone_minutes_of_515": ("<=", 270), "solar_minutes_of_515": ("<=", 270)},
    "vllm": {"started": ("==", 1)},
    "kept": {"times_before": (">=", 1), "gradient_difference": ("<=", 1e-2)},
    "joined": {"times_before": (">=", 1), "gradient_difference": ("<=", 1e-2)},
    "lora": {"times_before": (">=", 1), "gradient_difference": ("<=", 1e-2)},
    "encoder": {"times_before": (">=", 1), "vector_difference": ("<=", 1e-2)},
}


def run_part(part: str, given: Sequence[str], limit: float = LIMIT_SECONDS) -> dict[str, Any]:
    """Run one part in a process of its own; `not_run` says why there are no figures."""
    command = [sys.executable, __file__, *given, "--part", part]
    started = time.monotonic()
    # A part starts processes too (the peers, vLLM's core): all of them end with it.
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            printed, failed = process.communicate(timeout=limit)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                return {"not_run": f"took longer than {limit:g} s"}
            raise
    if process.returncode:
        lines = failed.strip().splitlines() or [f"exit code {process.returncode}"]
        return {"not_run": lines[-1][:200]}
    try:
        figures = dict(json.loads((printed.strip().splitlines() or [""])[-1]))
    except ValueError:
        return {"not_run": "ended without figures"}
    return {**figures, "seconds": round(time.monotonic() - started, 1)}


def open_folder(folder: Path) -> None:
    """Make the folder for results, and check before any part that it takes files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as probe:
            probe.write(b" " * 4096)
            probe.flush()
    except OSError as error:
        raise SystemExit(
            f"--out {folder}: {error.strerror}: name a folder that can be written"
        ) from error


def keep(folder: Path, part: str, figures: dict[str, Any], machine: dict[str, Any]) -> str:
    """Write a part's file; return why it could not be written, or nothing."""
    from kofinlaw import UserError
    from kofinlaw.files import write_json

    try:
        write_json(folder / f"{part}.json", {"part": part, **machine, **figures})
    except (OSError, UserError) as error:
        return str(error)
    return ""


def measured_on(args: argparse.Namespace) -> dict[str, Any]:
    """Return the machine, the versions and the time of a run, for each part's file."""
    import torch

    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "processor"
    return {
        "device": card,
        "torch": torch.__version__,
        "cap_gib": args.cap_gib,
        "rehearsal": args.rehearse,
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def summary(results: dict[str, dict[str, Any]], *, rehearsed: bool) -> str:
    """Return the last line: every figure with its target; null for what was not run."""
    from outcome import outcome

    targets = {
        f"{part}: {name}": (None if rehearsed else results.get(part, {}).get(name), target)
        for part, row in TARGETS.items()
        for name, target in row.items()
    }
    return outcome({"rehearsal": rehearsed, **results}, targets)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the parts; exits with 1 if a part of a rehearsal failed."""
    given = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=PARTS, action="append", help="run this part (repeatable)")
    parser.add_argument("--cap-gib", type=float, default=23.5, help="memory of the imitated card")
    parser.add_argument("--rehearse", action="store_true", help="pico shapes on a processor")
    parser.add_argument("--out", type=Path, help="folder for one JSON file for each part")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    args = parser.parse_args(given)
    if args.part:
        from kofinlaw.models.memory.card_memory import use_expandable_segments

        use_expandable_segments()
        try:
            figures = PARTS[args.part](args)
        except Skipped as reason:
            figures = {"not_run": str(reason), "skipped": True}
        print(json.dumps(figures))
        return 0
    import torch

    if not args.rehearse and not torch.cuda.is_available():
        reason = "CUDA is not available: this benchmark needs a GPU, or --rehearse"
        print(summary({part: {"not_run": reason} for part in PARTS}, rehearsed=False))
        return 0
    if args.out is not None:
        open_folder(args.out)
    results: dict[str, dict[str, Any]] = {}
    unwritten = stopped = False
    try:
        for part in dict.fromkeys(args.only or PARTS):
            results[part] = run_part(part, given)
            print(f"{part}: {json.dumps(results[part])}", flush=True)
            if args.out is not None and (
                reason := keep(args.out, part, results[part], measured_on(args))
            ):
                unwritten = True
                print(f"{part}: no file: {reason}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        stopped = True
    print(summary(results, rehearsed=args.rehearse), flush=True)
    if stopped:
        return 130
    failed = [p for p, row in results.items() if "not_run" in row and not row.get("skipped")]
    return 1 if unwritten or (args.rehearse and failed) else 0


if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parent)]  # shapes.py and outcome.py
    sys.exit(main())
