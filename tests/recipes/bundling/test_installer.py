"""The installer of a bundle: one changed byte is named before anything is installed."""

import ast
import hashlib
import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw.recipes.bundling import installer
from kofinlaw.recipes.bundling.installer import (
    RefusedError,
    check_files,
    check_machine,
    commands,
    needed_bytes,
    read_sums,
)

HERE = {"python": "3.11", "oldest_python": "3.11.0", "machine": "x86_64", "glibc": "2.17"}


def flip(path, offset: int, bit: int = 0) -> None:
    raw = bytearray(path.read_bytes())
    raw[offset] ^= 1 << bit
    path.write_bytes(raw)


def test_a_bundle_is_as_it_was_written(bundle):
    assert check_files(bundle) == []
    sums = read_sums(bundle)
    assert {"install.sh", "install.py", "bundle.json", "run/recipe.yaml"} <= set(sums)
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=bundle)
    assert done.returncode == 0


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_one_flipped_bit_anywhere_names_its_file(bundle, data):
    names = [*read_sums(bundle), installer.SUMS, installer.SEAL]
    name = data.draw(st.sampled_from(sorted(names)))
    path = bundle / name
    size = path.stat().st_size
    if not size:
        return
    before = path.read_bytes()
    flip(path, data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 7)))
    try:
        if name in (installer.SUMS, installer.SEAL):
            with pytest.raises(RefusedError, match=r"SHA256SUMS or SHA256SUMS\.sha256 changed"):
                check_files(bundle)
        else:
            assert check_files(bundle) == [
                f"{name}: other content than the bundle was written with"
            ]
    finally:
        path.write_bytes(before)


def test_a_missing_a_foreign_and_a_linked_file_are_named(bundle):
    (bundle / "run" / "recipe.yaml").unlink()
    (bundle / "run" / "model" / "추가.json").write_text("{}", encoding="utf-8")
    card = bundle / "run" / "model" / "config.json"
    card.rename(bundle.parent / "config.json")
    card.symlink_to(bundle.parent / "config.json")
    (bundle / "wheels" / "more").symlink_to(bundle.parent)
    assert check_files(bundle) == [
        "run/model/config.json: not a plain file",
        "run/recipe.yaml: missing",
        "run/model/추가.json: does not belong to the bundle",
        "wheels/more: does not belong to the bundle",
    ]


def test_what_the_commands_write_belongs_to_nobody_and_is_no_fault(bundle):
    (bundle / "installed" / "bin").mkdir(parents=True)
    (bundle / "installed" / "bin" / "python").write_text("", encoding="utf-8")
    (bundle / "run" / "answers" / "test").mkdir(parents=True)
    (bundle / "run" / "answers" / "test" / "submission.csv").write_text("", encoding="utf-8")
    (bundle / "run" / ".checked.json").write_text("{}", encoding="utf-8")
    assert check_files(bundle) == []


@pytest.mark.parametrize(
    "name",
    [
        "install.py",
        "SHA256SUMS",
        "SHA256SUMS.sha256",
        "bundle.json",
        "run/index/index.json",
        "run/model/model.safetensors",
        "wheels/requirements.txt",
        "wheels/torch-2.13.0-py3-none-any.whl",
    ],
)
def test_install_sh_names_a_changed_file_and_installs_nothing(bundle, shell, name):
    flip(bundle / name, (bundle / name).stat().st_size // 2)
    done = shell(bundle)
    assert done.returncode == 1
    assert name in done.stderr
    assert "nothing was installed" in done.stderr
    assert not (bundle / "installed").exists()


def test_a_flipped_bit_of_install_sh_itself_never_installs(bundle, shell):
    """The shell or install.py stops: install.sh installs nothing itself."""
    script = bundle / "install.sh"
    before = script.read_bytes()
    draw = random.Random(159)
    for _ in range(25):
        flip(script, draw.randrange(len(before)), draw.randrange(8))
        done = shell(bundle)
        assert not (bundle / "installed").exists(), script.read_bytes()
        assert "install.sh" in done.stdout + done.stderr
        script.write_bytes(before)
    assert check_files(bundle) == []


def test_the_bundle_installs_and_its_program_runs(bundle, shell):
    done = shell(bundle)
    assert done.returncode == 0, done.stdout + done.stderr
    program = bundle / "installed" / "bin" / "kofinlaw"
    assert f"'{program}' ask '「" in done.stdout
    ran = subprocess.run(
        ["env", "-i", program, "ask", "질문", "--run", bundle / "run"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == f"program 2.1 ask 질문 --run {bundle / 'run'}\n"
    again = shell(bundle)
    assert again.returncode == 0
    assert "is installed already" in again.stdout
    assert check_files(bundle) == []


def test_without_a_path_the_script_finds_python_and_python_finds_itself(bundle, shell, tmp_path):
    """With an empty environment, Python does not know its own path if it is called by its name."""
    done = shell(bundle, tmp_path / "installed", python="")
    found = subprocess.run(
        ["env", "-i", "sh", "-c", "command -v python3.11 || command -v python3"],
        capture_output=True,
        text=True,
    )
    wanted = ["-c", "import sys; sys.exit(sys.version_info[:2] != (3, 11))"]
    if found.returncode or subprocess.run([found.stdout.strip(), *wanted]).returncode:
        assert done.returncode == 1
        assert "Python 3.11" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "installed" / "bin" / "kofinlaw").is_file()


def test_a_read_only_bundle_installs_into_another_folder(bundle, shell, tmp_path):
    subprocess.run(["chmod", "-R", "a-w", bundle], check=True)
    done = shell(bundle, tmp_path / "설치 폴더")
    subprocess.run(["chmod", "-R", "u+w", bundle], check=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "설치 폴더" / "bin" / "kofinlaw").is_file()
    assert check_files(bundle) == []
    assert not (bundle / "installed").exists()


def test_another_folder_is_never_overwritten(bundle, shell, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    done = shell(bundle, tmp_path / "mine")
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    inside = shell(bundle, bundle / "run" / "venv")
    assert "lies in the bundle" in inside.stderr
    assert check_files(bundle) == []


def test_an_interrupted_installation_is_started_again(bundle, shell):
    (bundle / "installed").mkdir()
    (bundle / "installed" / installer.STARTED).write_text('{"complete": false}\n', encoding="utf-8")
    (bundle / "installed" / "half").write_text("", encoding="utf-8")
    assert shell(bundle).returncode == 0
    assert not (bundle / "installed" / "half").exists()


def test_a_wheel_that_pip_refuses_leaves_no_folder(bundle, monkeypatch, capsys):
    """Its hash is right for SHA256SUMS, but it is no wheel: pip fails, and the folder goes."""
    wheel = bundle / "wheels" / "torch-2.13.0-py3-none-any.whl"
    shutil.copy(bundle / "bundle.json", wheel)
    monkeypatch.setattr(installer, "check_files", lambda root: [])
    monkeypatch.setattr(installer, "needed_bytes", lambda wheels: 0)
    assert installer.main([], bundle) == 1
    assert "this command failed" in capsys.readouterr().err
    assert not (bundle / "installed").exists()


def test_a_full_disk_is_named_before_the_installation(bundle, monkeypatch, capsys):
    monkeypatch.setattr(installer, "needed_bytes", lambda wheels: 1 << 60)
    assert installer.main([], bundle) == 1
    assert "GiB are free" in capsys.readouterr().err
    assert not (bundle / "installed").exists()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("python", "3.99", "for CPython 3.99"),
        ("oldest_python", "3.11.999", "needs Python 3.11.999 or newer"),
        ("machine", "riscv64", "Linux on riscv64"),
        ("glibc", "2.999", "needs glibc 2.999 or newer"),
    ],
)
def test_another_machine_is_refused(key, value, message):
    import platform
    import sys

    here = {
        **HERE,
        "python": f"3.{sys.version_info.minor}",
        "oldest_python": f"3.{sys.version_info.minor}.0",
        "machine": platform.machine(),
    }
    check_machine(here)
    with pytest.raises(RefusedError, match=message):
        check_machine({**here, key: value})


def test_wrong_arguments_and_a_missing_list_are_refused(bundle, shell):
    assert "use: sh install.sh" in shell(bundle, "--force").stderr
    (bundle / "SHA256SUMS").unlink()
    done = shell(bundle)
    assert done.returncode == 1
    assert "SHA256SUMS" in done.stderr


def test_the_needed_space_is_that_of_the_unpacked_wheels(bundle):
    assert needed_bytes(bundle / "wheels") > 0
    assert needed_bytes(bundle / "run") == 0


def test_the_printed_commands_quote_what_a_shell_would_split(tmp_path):
    root = tmp_path / "가 나"
    lines = commands(root, root / "installed", "몇 년인가요? 'x'")
    words = subprocess.run(
        ["sh", "-c", f"printf '%s|' {lines[0]}"], capture_output=True, text=True, check=True
    ).stdout.split("|")
    assert words[:5] == [
        str(root / "installed/bin/kofinlaw"),
        "ask",
        "몇 년인가요? 'x'",
        "--run",
        str(root / "run"),
    ]


def test_the_record_names_the_target(bundle):
    record = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    assert record["target"] == {
        "python": "3.11",
        "oldest_python": "3.11.1",
        "machine": "x86_64",
        "glibc": "2.28",
    }


@pytest.mark.parametrize("minor", [6, 7, 10, 12])
def test_another_python_gets_one_line_and_no_traceback(bundle, shell, tmp_path, minor):
    """Python 3.6 (RHEL 8) cannot even read install.py: install.sh decides before it runs."""
    fake = tmp_path / "python"
    fake.write_text(
        "#!/bin/sh\n"
        f'exec {sys.executable} -c \'import sys; sys.version_info = (3, {minor}, 15, "final", 0)\n'
        'code = sys.argv[5]; sys.argv[1:] = sys.argv[6:]; exec(code)\' "$@"\n',
        encoding="utf-8",
    )
    fake.chmod(0o755)
    done = shell(bundle, python=fake)
    assert done.returncode == 1
    first = done.stderr.splitlines()[0]
    assert first.startswith(
        f"install.sh: this bundle is for CPython 3.11, and this is Python 3.{minor}"
    )
    assert "Traceback" not in done.stderr
    assert not (bundle / "installed").exists()


def test_install_sh_is_read_by_old_versions_of_python(bundle):
    """What it runs before it knows the version has the syntax of Python 3.4."""
    script = (bundle / "install.sh").read_text(encoding="utf-8")
    (code,) = re.findall(r"-c '\n(.*?)\n' ", script, re.DOTALL)
    ast.parse(code, feature_version=(3, 4))
    assert code.index("version_info") < code.index("SHA256SUMS")


def pip_of(folder: Path, version: str, *, ensurepip: bool) -> Path:
    """Return a Python whose pip says that it has this version; empty: it has none."""
    lib = folder / "lib"
    (lib / "pip").mkdir(parents=True)
    (lib / "pip" / "__init__.py").write_text("", encoding="utf-8")
    code = f"print('pip {version} from somewhere')" if version else "raise SystemExit(1)"
    (lib / "pip" / "__main__.py").write_text(code, encoding="utf-8")
    if not ensurepip:
        (lib / "ensurepip.py").write_text("raise ImportError", encoding="utf-8")
    python = folder / "python"
    start = f"import runpy, sys; sys.path.insert(0, {str(lib)!r}); sys.executable = {str(python)!r}"
    python.write_text(
        f"#!{sys.executable}\n{start}\n"
        "words = sys.argv[1:]\n"
        "while words[0] in ('-I', '-B', '-P') or words[0] == '-X':\n"
        "    words = words[2:] if words[0] == '-X' else words[1:]\n"
        "kind = words.pop(0) if words[0] in ('-c', '-m') else ''\n"
        "sys.argv = words\n"
        "if kind == '-c':\n"
        "    exec(words[0])\n"
        "elif kind == '-m':\n"
        "    runpy.run_module(words[0], run_name='__main__', alter_sys=True)\n"
        "else:\n"
        "    runpy.run_path(words[0], run_name='__main__')\n",
        encoding="utf-8",
    )
    python.chmod(0o755)
    return python


@pytest.mark.parametrize(
    ("version", "said"), [("22.0.2", "pip 22.0 is too old"), ("", "pip is missing")]
)
def test_without_a_pip_that_can_install_elsewhere_the_remedy_is_named(
    bundle, shell, tmp_path, version, said
):
    """Ubuntu 22.04 has pip 22.0.2, which has no option --python, and no ensurepip."""
    done = shell(bundle, python=pip_of(tmp_path / "p", version, ensurepip=False))
    assert done.returncode == 1
    assert said in done.stderr
    assert "-venv" in done.stderr
    assert "nothing was installed" in done.stderr
    assert not (bundle / "installed").exists()


def test_an_old_pip_gives_way_to_that_of_ensurepip(monkeypatch):
    """The version decides, by number and not by text: 9.0 is older than 22.3."""
    said = {"text": ""}

    def call(command, environment):
        code = 0 if "ensurepip" in command[-1] or said["text"] else 1
        return subprocess.CompletedProcess(command, code, said["text"], "")

    monkeypatch.setattr(installer, "_call", call)
    for text, expected in [
        ("pip 22.3 from x", True),
        ("pip 23.0.1 from x", True),
        ("pip 100.1 from x", True),
        ("pip 22.2.2 from x", False),
        ("pip 9.0.3 from x", False),
        ("something else", False),
        ("", False),
    ]:
        said["text"] = text
        assert installer._has_new_pip({}) is expected


@pytest.mark.parametrize("name", ['a"b', "a$b", "a:b", "a\nb", "a`b", "a\\b"])
def test_a_folder_whose_programs_would_not_start_is_refused(bundle, shell, tmp_path, name):
    done = shell(bundle, tmp_path / name)
    assert done.returncode == 1
    assert "do not start" in done.stderr
    assert not (tmp_path / name).exists()


def test_a_link_into_the_bundle_is_not_another_folder(bundle, shell, tmp_path):
    (tmp_path / "link").symlink_to(bundle)
    done = shell(bundle, tmp_path / "link" / "more")
    assert "lies in the bundle" in done.stderr
    assert check_files(bundle) == []


def test_variables_of_pip_and_python_change_nothing(bundle, tmp_path):
    """They would lead pip to a network, to other packages or to another folder."""
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in ("pip", "venv", "hashlib", "json", "sitecustomize"):
        (evil / f"{name}.py").write_text("raise SystemExit('evil')", encoding="utf-8")
    (evil / "pip.conf").write_text(f"[install]\ntarget = {evil}/target\n", encoding="utf-8")
    variables = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "http://127.0.0.1:9/more",
        "PIP_FIND_LINKS": "/nowhere",
        "PIP_CONFIG_FILE": str(evil / "pip.conf"),
        "PIP_CONSTRAINT": "/nowhere",
        "PIP_TARGET": str(evil / "target"),
        "PIP_USER": "1",
        "PYTHONPATH": str(evil),
        "PYTHONHOME": str(evil),
        "PYTHONSTARTUP": str(evil / "pip.py"),
        "PYTHON": sys.executable,
        "HOME": str(evil),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        ["sh", bundle / "install.sh"], env=variables, cwd=evil, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (evil / "target").exists()
    program = bundle / "installed" / "bin" / "kofinlaw"
    ran = subprocess.run(["env", "-i", program, "ask"], capture_output=True, text=True, check=True)
    assert ran.stdout == "program 2.1 ask\n"


def test_a_locale_that_is_not_utf_8_changes_nothing(bundle, tmp_path):
    """As Korean systems had it (EUC-KR): Python would write and read other bytes."""
    script = bundle / "install.sh"
    assert "-X utf8 -c" in script.read_text(encoding="utf-8")
    code = (
        "import codecs, io, runpy, sys; "
        "sys.argv = sys.argv[1:]; "
        "assert sys.flags.utf8_mode == 1 and sys.stdout.encoding == 'utf-8'; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    words = [sys.executable, "-I", "-X", "utf8", "-c", code]
    done = subprocess.run(
        [*words, str(bundle / "install.py"), str(tmp_path / "설치")],
        env={"LC_ALL": "en_US.ISO-8859-1"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert f"installing 4 wheels into {tmp_path}/설치".encode() in done.stdout


def test_a_list_with_other_lines_is_refused_without_a_traceback(bundle, shell):
    """With the right seal: what a wrong tool may have written."""
    before = (bundle / "SHA256SUMS").read_bytes()
    for more, said in [
        (b"garbage\n", ": not a plain file"),
        (b"0" * 64 + b"  ../outside\n", "../outside: missing"),
        (b"\xff\xfe\n", "can't decode byte"),
    ]:
        raw = before + more
        (bundle / "SHA256SUMS").write_bytes(raw)
        seal = f"{hashlib.sha256(raw).hexdigest()}  SHA256SUMS\n"
        (bundle / "SHA256SUMS.sha256").write_text(seal, encoding="utf-8")
        done = shell(bundle)
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        assert not (bundle / "installed").exists()


def test_a_wrong_machine_is_named_before_all_files_are_read(bundle, monkeypatch, capsys):
    """Weights take minutes to read; the record of the target is checked first."""

    def refuse(wanted):
        raise RefusedError(f"not for this machine: glibc {wanted['glibc']}")

    monkeypatch.setattr(installer, "check_machine", refuse)
    monkeypatch.setattr(installer, "check_files", lambda root: pytest.fail("read all files"))
    assert installer.main([], bundle) == 1
    assert "not for this machine: glibc 2.28" in capsys.readouterr().err
    flip(bundle / "bundle.json", 40)
    assert installer.main([], bundle) == 1
    assert "bundle.json: other content" in capsys.readouterr().err
