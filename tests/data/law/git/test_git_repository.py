"""A foreign repository runs no program and reaches no server; what it lacks is refused."""

import os
import shlex
import stat
import subprocess

import pytest

from kofinlaw import UserError
from kofinlaw.data.law.git.git_repository import find_repository

# Every key of git that names a program or a server.
PROGRAM_KEYS = (
    "gpg.program",
    "gpg.openpgp.program",
    "gpg.ssh.program",
    "gpg.x509.program",
    "core.sshCommand",
    "core.fsmonitor",
    "core.pager",
    "pager.log",
    "pager.ls-tree",
    "core.editor",
    "core.askPass",
    "core.gitProxy",
    "core.alternateRefsCommand",
    "diff.external",
    "diff.evil.command",
    "diff.evil.textconv",
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "merge.evil.driver",
    "credential.helper",
    "interactive.diffFilter",
    "sequence.editor",
    "uploadpack.packObjectsHook",
    "remote.origin.uploadpack",
    "remote.origin.receivepack",
    "remote.origin.vcs",
    "browser.evil.cmd",
    "trailer.evil.command",
    "gpg.ssh.defaultKeyCommand",
    "init.templateDir",
)
ALIASES = ("log", "cat-file", "ls-tree", "rev-parse", "status")


def git(folder, *arguments):
    names = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "t"), ("EMAIL", "t@example.com"))
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={**plain_environment(), **names},
    )
    return done.stdout.decode().strip()


def plain_environment():
    """Return the environment of a user's shell, without what `offline` sets for git."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def commit(folder, name, text, message="add"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)


def texts(folder):
    """Return every text of every commit, oldest first, as the product reads them."""
    with find_repository(folder) as repository:
        log = repository.run("log", "--raw", "--no-abbrev", "--format=", repository.head)
        blobs = [line.split()[3].decode() for line in log.splitlines() if line]
        return [repository.read(blob).decode() for blob in reversed(blobs)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "clone"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "config", "uploadpack.allowFilter", "true")
    commit(folder, "acts/a.md", "one")
    commit(folder, "acts/a.md", "two")
    return folder


@pytest.fixture
def clone(made, tmp_path):
    subprocess.run(["cp", "-a", made, tmp_path / "clone"], check=True)
    return tmp_path / "clone"


@pytest.fixture
def program(tmp_path):
    """Return a program that leaves a mark, and a function that says whether it ran."""
    mark = tmp_path / "ran"
    script = tmp_path / "evil.sh"
    script.write_text(f'#!/bin/sh\necho "$0 $@" >> {shlex.quote(str(mark))}\nexit 1\n')
    script.chmod(0o755)
    return script, mark.exists


def test_no_program_of_a_configuration_runs(clone, program, tmp_path, monkeypatch):
    script, ran = program
    head = git(clone, "rev-parse", "HEAD")
    signed = git(clone, "cat-file", "commit", head).replace(
        "\n\n",
        "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----\n\n",
        1,
    )
    (tmp_path / "signed").write_text(signed + "\n")
    head = git(clone, "hash-object", "-t", "commit", "-w", str(tmp_path / "signed"))
    git(clone, "reset", "-q", "--soft", head)
    (clone / ".gitattributes").write_text("*.md diff=evil filter=evil merge=evil\n")
    (clone / ".git" / "info" / "attributes").write_text("*.md diff=evil filter=evil\n")
    lines = [f"[alias]\n{name} = !{script}\n" for name in ALIASES]
    for key in PROGRAM_KEYS:
        section, _, name = key.rpartition(".")
        head_, _, rest = section.partition(".")
        lines.append(
            f"[{head_}{f' {chr(34)}{rest}{chr(34)}' if rest else ''}]\n{name} = {script}\n"
        )
    lines.append("[log]\nshowSignature = true\n[extensions]\nworktreeConfig = true\n")
    text = "".join(lines)
    (tmp_path / "included").write_text(text)
    for name in ("config", "config.worktree"):
        with (clone / ".git" / name).open("a") as config:
            config.write(text + f"[include]\npath = {tmp_path / 'included'}\n")
    for hook in ("post-checkout", "pre-commit", "reference-transaction", "post-index-change"):
        (clone / ".git" / "hooks" / hook).write_text(script.read_text())
        (clone / ".git" / "hooks" / hook).chmod(0o755)
    subprocess.run(["git", "log", "-1"], cwd=clone, capture_output=True, env=plain_environment())
    assert ran()  # plain git does run them
    (tmp_path / "ran").unlink()

    # The same keys in the user's own configuration and in the environment of the caller.
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(text)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "included"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(script))
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    monkeypatch.setenv("GIT_PAGER", str(script))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(script))
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert texts(clone / "acts") == ["one", "two"]
    with find_repository(clone) as repository:
        assert repository.changed_files() == []
    assert not ran()


def test_a_program_in_the_source_is_not_taken_for_git(clone, program, monkeypatch):
    script, ran = program
    script.rename(clone / "git")
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(clone)
    assert texts(clone) == ["one", "two"]
    assert not ran()


@pytest.mark.parametrize("url", ["ssh://example.invalid/x", "ext::{script}", "file:///{origin}"])
@pytest.mark.parametrize("without", ["blob:none", "tree:0"])
def test_a_partial_clone_asks_nobody(made, tmp_path, program, url, without):
    script, ran = program
    folder = tmp_path / "partial"
    git(tmp_path, "clone", "-q", "--no-checkout", f"--filter={without}", f"file://{made}", folder)
    git(folder, "config", "remote.origin.url", url.format(script=script, origin=made))
    git(folder, "config", "core.sshCommand", str(script))
    git(folder, "config", "protocol.allow", "always")
    objects = len(list((folder / ".git" / "objects").rglob("*")))
    with pytest.raises(UserError, match="the git history is not complete") as error:
        texts(folder)
    assert not ran()
    assert len(list((folder / ".git" / "objects").rglob("*"))) == objects
    git(folder, "config", "remote.origin.url", f"file://{made}")
    run_remedy(error.value)
    assert texts(folder) == ["one", "two"]


def run_remedy(error):
    command = error.remedy[error.remedy.index("git -") :]
    subprocess.run(command, shell=True, check=True, capture_output=True, env=plain_environment())


def test_a_shallow_clone_is_named_with_the_command_that_completes_it(made, tmp_path):
    folder = tmp_path / "a 'shallow' clone"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{made}", folder)
    with find_repository(folder) as repository:
        assert repository.shallow
        error = repository.incomplete("it is a shallow clone")
    run_remedy(error)
    assert texts(folder) == ["one", "two"]


def test_worktrees_submodules_and_separate_git_folders_are_read(made, clone, tmp_path):
    git(clone, "worktree", "add", "-q", "-b", "side", tmp_path / "side")
    commit(tmp_path / "side", "acts/a.md", "three")
    assert texts(tmp_path / "side" / "acts") == ["one", "two", "three"]
    assert texts(clone) == ["one", "two"]

    (tmp_path / "whole").mkdir()
    git(tmp_path / "whole", "init", "-q")
    git(
        tmp_path / "whole", "-c", "protocol.file.allow=always", "submodule", "add", "-q", made, "in"
    )
    assert texts(tmp_path / "whole" / "in") == ["one", "two"]

    git(tmp_path, "clone", "-q", "--separate-git-dir", tmp_path / "apart", made, tmp_path / "tree")
    with pytest.raises(UserError, match="leads outside") as error:  # it does not name its folder
        find_repository(tmp_path / "tree")
    run_remedy(error.value)
    assert texts(tmp_path / "tree") == ["one", "two"]

    git(tmp_path, "clone", "-q", "--bare", made, tmp_path / "box" / ".bare")
    (tmp_path / "box" / ".git").write_text("gitdir: ./.bare\n")
    assert texts(tmp_path / "box") == ["one", "two"]


@pytest.mark.parametrize("form", ["file", "link", "commondir", "alternates", "objects", "pack"])
def test_a_repository_that_leads_elsewhere_is_refused(made, tmp_path, form):
    """Another repository on the machine is not the source, although its path is known."""
    source = tmp_path / "source"
    source.mkdir()
    other = made / ".git"
    if form == "file":
        (source / ".git").write_text(f"gitdir: {other}\n")
    elif form == "link":
        (source / ".git").symlink_to(other)
    else:
        git(source, "init", "-q")
        (source / ".git" / "HEAD").write_text(git(made, "rev-parse", "HEAD"))
        objects = source / ".git" / "objects"
        if form == "commondir":
            (source / ".git" / "commondir").write_text(f"{other}\n")
        elif form == "alternates":
            (objects / "info" / "alternates").write_text(f"{other / 'objects'}\n")
        elif form == "objects":
            subprocess.run(["rm", "-r", objects], check=True)
            objects.symlink_to(other / "objects")
        else:
            (objects / "pack" / "x.pack").symlink_to(next(other.glob("objects/*/*")))
    with pytest.raises(UserError, match="leads outside of it") as error:
        find_repository(source)
    assert str(source) in error.value.where


def test_a_clone_with_alternates_is_read_after_the_command_of_the_error(made, tmp_path):
    git(tmp_path, "clone", "-q", "--shared", made, "shared")
    with pytest.raises(UserError, match="alternates") as error:
        find_repository(tmp_path / "shared")
    run_remedy(error.value)
    assert texts(tmp_path / "shared") == ["one", "two"]


@pytest.mark.parametrize(
    "head", ["", "ref: ../../x", "ref: refs/heads/../../../x", "x" * 40, "ref: refs/heads/self"]
)
def test_a_head_that_is_no_reference_is_refused(clone, head):
    (clone / ".git" / "refs" / "heads" / "self").write_text("ref: refs/heads/self\n")
    (clone / ".git" / "HEAD").write_text(head)
    with pytest.raises(UserError, match="HEAD"):
        find_repository(clone)


def test_special_files_and_empty_repositories_have_no_history(tmp_path):
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / ".git")
    assert stat.S_ISFIFO((tmp_path / "pipe" / ".git").stat().st_mode)
    assert find_repository(tmp_path / "pipe") is None
    (tmp_path / "head" / ".git").mkdir(parents=True)
    os.mkfifo(tmp_path / "head" / ".git" / "HEAD")
    assert find_repository(tmp_path / "head") is None
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    assert find_repository(tmp_path / "empty") is None


def test_packed_references_and_sha256_are_read(clone, tmp_path):
    git(clone, "gc", "-q")
    assert (clone / ".git" / "packed-refs").exists()
    assert texts(clone) == ["one", "two"]
    (tmp_path / "long").mkdir()
    git(tmp_path / "long", "init", "-q", "--object-format=sha256")
    commit(tmp_path / "long", "a.md", "long ids")
    assert texts(tmp_path / "long") == ["long ids"]


def test_a_damaged_object_is_named(clone):
    blob = git(clone, "rev-parse", "HEAD:acts/a.md")
    file = clone / ".git" / "objects" / blob[:2] / blob[2:]
    file.chmod(0o644)
    file.write_bytes(b"\0" + file.read_bytes()[1:])
    with pytest.raises(UserError, match="missing or damaged") as error:
        texts(clone)
    assert "fsck" in error.value.remedy


def test_without_git_a_history_is_an_error(clone, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="git is not installed"):
        find_repository(clone)


def test_changed_files_are_listed(clone):
    (clone / "acts" / "a.md").write_text("changed")
    (clone / "new.md").write_text("not tracked")
    with find_repository(clone) as repository:
        assert repository.changed_files() == ["acts/a.md"]
