"""Check a bundle file by file, and install it with pip from its own wheels.

This file is copied into each bundle as `install.py` and runs there with Python alone. It imports
nothing of kofinlaw.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

__all__ = [
    "RefusedError",
    "check_files",
    "check_machine",
    "commands",
    "install",
    "main",
    "needed_bytes",
    "read_sums",
    "sha256",
]

SUMS = "SHA256SUMS"
SEAL = "SHA256SUMS.sha256"
RECORD = "bundle.json"
STARTED = "kofinlaw-install.json"
# What an installation and its commands write below the bundle. It is no part of it.
OWN_FOLDERS = ("installed/", "run/answers/", "run/ask/")
OWN_FILES = ("run/.checked.json", "run/.lock")
MOST_NAMED = 20
BLOCK = 1 << 20
OLDEST_PIP = (22, 3)  # has the option --python
# The start scripts that pip writes hold the path of the folder, and break at these characters.
ODD = re.compile(r"""[\x00-\x1f"$`\\:]""")


class RefusedError(Exception):
    """The bundle, or this machine, is not as it must be; nothing was installed."""


def sha256(path: Path) -> str:
    """Return the SHA-256 (hexadecimal) of a file. Raises OSError."""
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while block := handle.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def read_sums(root: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a bundle by its path in it.

    Raises RefusedError if the list of files is missing or was changed.
    """
    try:
        raw, seal = (root / SUMS).read_bytes(), (root / SEAL).read_bytes()
    except OSError as error:
        raise RefusedError(f"{error.filename}: {error.strerror}") from error
    if seal != f"{hashlib.sha256(raw).hexdigest()}  {SUMS}\n".encode():
        raise RefusedError(f"{SUMS} or {SEAL} changed after the bundle was written")
    sums = {}
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(f"{SUMS} is not UTF-8 text: {error}") from error
    for line in text.split("\n")[:-1]:
        digest, _, name = line.partition("  ")
        sums[name] = digest
    return sums


def check_files(root: Path) -> list[str]:
    """Return what is not as the bundle was written, one line for each file; empty if all is.

    A file is reported that is missing, has another content, became a link, cannot be read, or does
    not belong to the bundle. Raises RefusedError as `read_sums` does.
    """
    sums = read_sums(root)
    found = [_fault(root, name, digest) for name, digest in sums.items()]
    return [fault for fault in found if fault] + _foreign(root, {*sums, SUMS, SEAL})


def _fault(root: Path, name: str, digest: str) -> str:
    path = root / name
    try:
        if not os.path.lexists(path):
            return f"{name}: missing"
        if path.is_symlink() or not path.is_file():
            return f"{name}: not a plain file"
        if sha256(path) != digest:
            return f"{name}: other content than the bundle was written with"
    except OSError as error:
        return f"{name}: cannot be read: {error.strerror}"
    return ""


def _foreign(root: Path, known: set[str]) -> list[str]:
    """Return a line for each file that does not belong to the bundle."""
    lines = []
    for folder, inner, names in os.walk(root):
        place = Path(folder).relative_to(root).as_posix()
        prefix = "" if place == "." else f"{place}/"
        links = [one for one in inner if (Path(folder) / one).is_symlink()]
        inner[:] = sorted(one for one in inner if f"{prefix}{one}/" not in OWN_FOLDERS)
        for name in sorted([*names, *links]):
            whole = f"{prefix}{name}"
            if whole not in known and whole not in OWN_FILES:
                shown = whole.encode("utf-8", "backslashreplace").decode("utf-8")
                lines.append(f"{shown}: does not belong to the bundle")
    return lines


def check_machine(wanted: dict[str, str]) -> None:
    """Raise RefusedError if this Python or this system cannot use the bundle's wheels.

    `wanted` has `python` (3.11), `oldest_python` (3.11.5), `machine` (x86_64) and `glibc` (2.28).
    """
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if platform.python_implementation() != "CPython" or here != wanted["python"]:
        raise RefusedError(
            f"this bundle is for CPython {wanted['python']}, and this is "
            f"{platform.python_implementation()} {here}: PYTHON=/path/to/python{wanted['python']} "
            "sh install.sh"
        )
    if sys.version_info[:3] < _numbers(wanted["oldest_python"]):
        raise RefusedError(
            f"this bundle needs Python {wanted['oldest_python']} or newer, and this is "
            f"{platform.python_version()}"
        )
    if sys.platform != "linux" or platform.machine() != wanted["machine"]:
        raise RefusedError(
            f"this bundle is for Linux on {wanted['machine']}, and this is {sys.platform} on "
            f"{platform.machine()}"
        )
    library, version = platform.libc_ver()
    if library != "glibc" or _numbers(version) < _numbers(wanted["glibc"]):
        raise RefusedError(
            f"this bundle needs glibc {wanted['glibc']} or newer, and this system has "
            f"{library or 'another C library'} {version}"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def needed_bytes(wheels: Path) -> int:
    """Return the bytes that the wheels take when they are installed."""
    total = 0
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            total += sum(entry.file_size for entry in archive.infolist())
    return total


def install(root: Path, folder: Path) -> None:
    """Make a virtual environment in `folder` and install the bundle's wheels into it.

    The folder must be new, or left by an installation that was interrupted. Raises RefusedError if
    it is not, if its name breaks scripts, if the disk is too small, or if pip is missing or fails;
    the folder is deleted again then.
    """
    if root in folder.resolve().parents and folder.resolve() != root / "installed":
        raise RefusedError(f"{folder} lies in the bundle: name a folder outside of it")
    odd = ODD.search(str(folder))
    if odd is not None:
        raise RefusedError(
            f"{folder!s} has the character {odd.group()!r}, with which installed programs do not "
            "start: name another folder: sh install.sh FOLDER"
        )
    if folder.exists() and not (folder / STARTED).is_file():
        raise RefusedError(f"{folder} exists already: name another folder: sh install.sh FOLDER")
    wheels = root / "wheels"
    parent = next(one for one in folder.parents if one.is_dir())
    free, needed = shutil.disk_usage(parent).free, int(1.3 * needed_bytes(wheels))
    if free < needed:
        raise RefusedError(
            f"the installation needs {needed / 2**30:.1f} GiB in {parent}, and "
            f"{free / 2**30:.1f} GiB are free: name a folder on another disk"
        )
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        (folder / STARTED).write_text(json.dumps({"complete": False}) + "\n", encoding="utf-8")
        _install_wheels(wheels, folder)
        done = {"complete": True, "bundle": sha256(root / SUMS)}
        (folder / STARTED).write_text(json.dumps(done) + "\n", encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        where = error.filename or folder
        raise RefusedError(f"{where}: {error.strerror}: name another folder") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _install_wheels(wheels: Path, folder: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PYTHONUTF8": "1"}
    venv = [sys.executable, "-P", "-m", "venv"]  # -P: no module of the current folder
    inside = str(folder / "bin" / "python")
    if _has_new_pip(environment):  # Debian's Python has no ensurepip: the venv is made without pip
        _run([*venv, "--without-pip", str(folder)], environment)
        pip = [sys.executable, "-P", "-m", "pip", "--python", inside]
    else:
        _run([*venv, str(folder)], environment)
        pip = [inside, "-P", "-m", "pip"]
    quiet = ["--isolated", "--disable-pip-version-check", "--no-input", "--quiet"]
    source = ["--no-index", "--find-links", str(wheels), "--only-binary", ":all:", "--no-cache-dir"]
    listed = ["--require-hashes", "--requirement", str(wheels / "requirements.txt")]
    _run([*pip, *quiet, "install", *source, *listed], environment)
    _run([*pip, *quiet, "check"], environment)


def _has_new_pip(environment: dict[str, str]) -> bool:
    """Return whether this Python has a pip that installs into another environment.

    False: the new environment gets the pip of ensurepip. Raises RefusedError if there is neither.
    """
    done = _call([sys.executable, "-P", "-m", "pip", "--version"], environment)
    found = re.match(r"pip (\d+)\.(\d+)", done.stdout) if done.returncode == 0 else None
    if found is not None and (int(found[1]), int(found[2])) >= OLDEST_PIP:
        return True
    done = _call([sys.executable, "-P", "-c", "import ensurepip"], environment)
    if done.returncode:
        here = f"{found.group()} is too old" if found is not None else "pip is missing"
        wanted = ".".join(map(str, OLDEST_PIP))
        raise RefusedError(
            f"{here} for {sys.executable}, and it has no ensurepip: install pip {wanted} or "
            f"newer for it, or python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        )
    return False


def _call(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # From the root folder: the current one may have been deleted.
    return subprocess.run(
        command,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        cwd="/",
        stdin=subprocess.DEVNULL,
    )


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = _call(command, environment)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()[-15:]
        raise RefusedError("\n".join([f"this command failed: {' '.join(command)}", *lines]))


def commands(root: Path, folder: Path, question: str) -> list[str]:
    """Return the commands that ask the run and answer a question file."""
    program = _quoted(str(folder / "bin" / "kofinlaw"))
    run = _quoted(str(root / "run"))
    return [
        f"{program} ask {_quoted(question)} --run {run}",
        f"{program} answer QUESTIONS.csv --run {run} --out ANSWERS",
    ]


def _quoted(text: str) -> str:
    plain = all(letter.isalnum() or letter in "/._-" for letter in text) and text.isascii()
    return text if plain and text else "'" + text.replace("'", "'\"'\"'") + "'"


def main(arguments: list[str], root: Path) -> int:
    """Check the bundle in `root` and install it; `arguments` may name a folder. Returns 0 or 1."""
    try:
        if len(arguments) > 1 or any(one.startswith("-") for one in arguments):
            raise RefusedError("use: sh install.sh [FOLDER]")
        folder = Path(arguments[0] if arguments else root / "installed").absolute()
        record = _read_record(root)
        check_machine(record["target"])  # before the files: large weights take minutes to read
        _say(f"checking the files of {root} …")
        faults = check_files(root)
        if faults:
            more = [f"… and {len(faults) - MOST_NAMED} more"] if len(faults) > MOST_NAMED else []
            raise RefusedError(
                "\n  ".join(["this bundle is not as it was written:", *faults[:MOST_NAMED], *more])
            )
        if _is_complete(folder, root):
            _say(f"this bundle is installed already in {folder}")
        else:
            _say(f"installing {record['wheels']} wheels into {folder}; this takes minutes …")
            install(root, folder)
        _say("installed. Ask a question, or answer a file:")
        for line in commands(root, folder, record["question"]):
            _say(f"  {line}")
    except (RefusedError, OSError) as refusal:
        sys.stderr.write(f"install.sh: {refusal}\nnothing was installed\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ninstall.sh: interrupted; nothing was installed\n")
        return 130
    return 0


def _read_record(root: Path) -> dict[str, Any]:
    """Return the record of the bundle. Raises RefusedError if it is not as it was written."""
    fault = _fault(root, RECORD, read_sums(root).get(RECORD, ""))
    if fault:
        raise RefusedError(f"this bundle is not as it was written:\n  {fault}")
    record: dict[str, Any] = json.loads((root / RECORD).read_text(encoding="utf-8"))
    return record


def _is_complete(folder: Path, root: Path) -> bool:
    try:
        text = (folder / STARTED).read_text(encoding="utf-8")
    except OSError:
        return False
    return text == json.dumps({"complete": True, "bundle": sha256(root / SUMS)}) + "\n"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent))
