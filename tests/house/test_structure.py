"""The form of the source tree: folders, circles of imports, `Any`, globals and nested classes."""

import ast
import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("sources", Path(__file__).with_name("sources.py"))
sources = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sources)

FILES = sources.source_files()
MOST_FILES = 20
MOST_FILES_IN_TRAINER = 36  # its core is flat: every cut of it makes a circle of imports
MOST_ANY = 8.0  # words in 1,000 lines


def relative(path: Path) -> str:
    return path.relative_to(sources.ROOT).as_posix()


def test_no_folder_holds_more_files_than_one_can_read():
    counts = Counter(path.parent for path in FILES)
    counts.update(path.parent for path in (sources.ROOT / "tests").rglob("*.py"))
    full = {
        relative(folder): count
        for folder, count in counts.items()
        if count > (MOST_FILES_IN_TRAINER if relative(folder) == "trainer" else MOST_FILES)
    }
    assert full == {}


def test_every_folder_with_modules_is_a_package_with_a_docstring():
    for folder in {path.parent for path in FILES}:
        assert (folder / "__init__.py").is_file(), relative(folder)
        assert ast.get_docstring(sources.tree(folder / "__init__.py")), relative(folder)


def test_no_circle_of_imports():
    """Also none that a late import hides: a module that imports another is above it."""
    modules = {sources.module_name(path): path for path in FILES}
    known = frozenset(modules)
    graph = {
        name: set(sources.imported_modules(path, known)) - {name} for name, path in modules.items()
    }
    # Importing a name from a package runs its `__init__` only; exports there are lazy.
    settled: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> None:
        if name in settled:
            return
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        path.append(name)
        for target in sorted(graph[name]):
            visit(target)
        settled.add(path.pop())

    for name in sorted(graph):
        visit(name)


def test_any_is_rare():
    """`Any` as a word outside import lines, in the whole package and in each room."""
    words: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for path in FILES:
        room = path.relative_to(sources.ROOT).parts[0]
        text = path.read_text(encoding="utf-8").splitlines()
        lines[room] += len(text)
        for line in text:
            if not re.match(r" *(from|import) ", line):
                words[room] += len(re.findall(r"\bAny\b", line))
    rates = {room: 1000 * words[room] / lines[room] for room in lines}
    assert {room: round(rate, 1) for room, rate in rates.items() if rate >= MOST_ANY} == {}


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_a_module_has_a_summary_no_global_state_and_no_hidden_class(path):
    module = sources.tree(path)
    assert ast.get_docstring(module), "the first line says what the module does"
    for node in ast.walk(module):
        assert not isinstance(node, ast.Global), f"line {node.lineno}: a mutable module global"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = [child for child in ast.walk(node) if isinstance(child, ast.ClassDef)]
            assert not inner, f"{node.name} defines class {inner[0].name}: put it at the top"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_all_lists_what_a_module_offers(path):
    module = sources.tree(path)
    listed: list[str] | None = None
    defined: set[str] = set()
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and target.id == "__all__":
                listed = ast.literal_eval(node.value)
    assert listed is not None, "no __all__"
    assert listed == sorted(listed, key=str) or len(set(listed)) == len(listed)
    public = {name for name in defined if not name.startswith("_")}
    if path.name != "__init__.py":
        assert public <= set(listed), sorted(public - set(listed))


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_function_changes_a_container_of_its_module(path):
    """A module-level dict, list or set is a constant; state lives in objects that are passed."""
    module = sources.tree(path)
    containers = {
        target.id
        for node in module.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and isinstance(node.value, (ast.Dict, ast.List, ast.Set))
    }
    changing = {"append", "add", "update", "setdefault", "pop", "clear", "extend", "insert"}
    for function in ast.walk(module):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        own = {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        own |= {argument.arg for argument in ast.walk(function) if isinstance(argument, ast.arg)}
        for node in ast.walk(function):
            named = None
            if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                named = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                named = node.func.value if node.func.attr in changing else None
            if isinstance(named, ast.Name) and named.id not in own:
                assert named.id not in containers, f"line {node.lineno}: {named.id}"


def test_no_line_of_a_template_is_longer_than_120_characters():
    suffixes = (".html", ".css", ".js")
    for room in sources.ROOMS:
        for path in (sources.ROOT / room).rglob("*"):
            if path.suffix in suffixes and not sources.NO_CODE & set(path.parts):
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                    assert len(line) <= 120, f"{relative(path)}:{number}"


def test_code_that_expects_broken_json_reads_it_with_load_json():
    """`json.loads` raises RecursionError for deep lists, which such code does not catch."""
    own = {"kofinlaw/decoding.py", "rag/contest/script.py"}  # load_json; a script without kofinlaw
    found = []
    for path in FILES:
        for node in ast.walk(sources.tree(path)):
            if not isinstance(node, ast.Try | ast.With):
                continue
            catching = node.items if isinstance(node, ast.With) else node.handlers
            caught = " ".join(ast.unparse(part).split("\n")[0] for part in catching)
            calls = [
                call
                for statement in node.body
                for call in ast.walk(statement)
                if isinstance(call, ast.Call)
                and ast.unparse(call.func) in ("json.loads", "json.load")
            ]
            hooked = any(call.keywords for call in calls)  # `object_pairs_hook`
            if calls and not hooked and re.search(r"ValueError|JSONDecodeError", caught):
                found.append(f"{relative(path)}:{calls[0].lineno}")
    assert [place for place in found if place.partition(":")[0] not in own] == []
