"""The hash of code: what it covers, and that the table of package imports is true."""

import code_graph
import pytest

from kofinlaw.recipes.pipeline import code_hash
from kofinlaw.recipes.pipeline.code_hash import PACKAGE_IMPORTS, code_sha256, with_imported_packages

PACKAGES = tuple(PACKAGE_IMPORTS)
NAMES = ("kofinlaw", *(f"kofinlaw.{package}" for package in PACKAGES))


def hashes() -> dict[str, str]:
    code_sha256.cache_clear()
    return {name: code_sha256(name) for name in NAMES}


def change_a_byte(path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_table_names_the_packages_that_the_code_imports(package):
    assert set(PACKAGE_IMPORTS[package]) == code_graph.imported_packages(package)


def test_the_table_has_every_room_that_a_stage_can_use():
    assert set(PACKAGES) == set(code_graph.PACKAGES) - {"recipes"}


def test_the_root_package_imports_no_room():
    imported = {
        (module, target)
        for module in code_graph.modules()
        if not code_graph.package_of(module)
        for _, target, _ in code_graph.imports(code_graph.tree(module))
        if code_graph.package_of(target)
    }
    assert imported == {("kofinlaw.__main__", "kofinlaw.recipes.cli.entry")}


def test_imported_packages_are_followed_to_the_end():
    assert with_imported_packages("data") == ("data",)
    assert with_imported_packages("trainer") == ("data", "models", "trainer")
    assert with_imported_packages("scoring") == ("data", "models", "rag", "scoring")


def test_a_copy_with_the_same_bytes_has_the_same_hashes(code_copy, monkeypatch):
    copied = hashes()
    monkeypatch.undo()
    assert hashes() == copied
    assert len(set(copied.values())) == len(NAMES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_byte_of_a_package_changes_the_hash_of_that_package_alone(code_copy, package):
    before = hashes()
    change_a_byte(code_copy / package / "__init__.py")
    after = hashes()
    assert {name for name in NAMES if before[name] != after[name]} == {f"kofinlaw.{package}"}


def test_a_byte_of_the_root_package_changes_its_hash_alone(code_copy):
    before = hashes()
    change_a_byte(code_copy / "records.py")
    after = hashes()
    assert {name for name in NAMES if before[name] != after[name]} == {"kofinlaw"}


@pytest.mark.parametrize(
    "pattern",
    [
        *(f"{package}/*/[a-z]*.py" for package in PACKAGES),
        "rag/*/*/[a-z]*.py",
        "models/*.yaml",
        "models/*/*.yaml",
        "augment/*/prompts/*.md",
        "scoring/report/templates/*.html",
    ],
)
def test_a_file_at_any_depth_counts(code_copy, pattern):
    before = hashes()
    change_a_byte(min(code_copy.glob(pattern)))
    after = hashes()
    package = pattern.split("/")[0]
    assert {name for name in NAMES if before[name] != after[name]} == {f"kofinlaw.{package}"}


def test_a_renamed_and_a_new_file_count(code_copy):
    first = hashes()["kofinlaw.rag"]
    (code_copy / "rag" / "settings.py").rename(code_copy / "rag" / "settings2.py")
    renamed = hashes()["kofinlaw.rag"]
    (code_copy / "rag" / "answer" / "empty.py").touch()
    assert len({first, renamed, hashes()["kofinlaw.rag"]}) == 3


def test_caches_and_the_sample_corpus_do_not_count(code_copy):
    before = hashes()
    for folder in ("rag/__pycache__", "data/sample"):
        (code_copy / folder).mkdir()
        (code_copy / folder / "file.py").write_text("changed = True\n", encoding="utf-8")
    (code_copy / "rag" / "notes.txt").write_text("not code", encoding="utf-8")
    assert hashes() == before


def test_a_module_is_one_file(code_copy):
    name = "kofinlaw.recipes.pipeline.stage_functions"
    before = code_sha256(name)
    change_a_byte(code_copy / "recipes" / "pipeline" / "stages.py")
    code_sha256.cache_clear()
    assert code_sha256(name) == before
    change_a_byte(code_copy / "recipes" / "pipeline" / "stage_functions.py")
    code_sha256.cache_clear()
    assert code_sha256(name) != before


@pytest.mark.parametrize("left", ["nothing", "an empty folder", "no source file"])
def test_code_that_is_not_there_is_an_error(tmp_path, monkeypatch, left):
    folder = tmp_path / "rag"
    if left != "nothing":
        folder.mkdir()
    if left == "no source file":
        (folder / "data.bin").write_bytes(b"x")
    monkeypatch.setattr(code_hash, "code_path", lambda name: folder)
    code_sha256.cache_clear()
    with pytest.raises(RuntimeError, match=r"kofinlaw\.rag has no source file"):
        code_sha256("kofinlaw.rag")


@pytest.mark.parametrize("name", ["kofinlaw.nowhere", "kofinlaw.nowhere.module"])
def test_a_name_that_python_does_not_find_is_an_error(name):
    with pytest.raises(RuntimeError, match="there is no package or module"):
        code_sha256(name)


def test_the_imported_code_is_hashed():
    assert code_hash.code_path("kofinlaw.rag") == code_graph.ROOT / "rag"
    assert code_hash.code_path("kofinlaw") == code_graph.ROOT / "kofinlaw"
    module = "kofinlaw.recipes.pipeline.run"
    assert code_hash.code_path(module) == code_graph.ROOT / "recipes" / "pipeline" / "run.py"
