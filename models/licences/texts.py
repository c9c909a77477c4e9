"""Recognise the licence texts of a model by their file names."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

__all__ = [
    "DOWNLOADED_TEXTS",
    "MOST_TEXT",
    "NOTICE",
    "is_licence_text",
    "licence_files",
    "packaged_licences",
]

NOTICE = "NOTICE.txt"  # with the text that a licence requires
MOST_TEXT = 4 << 20  # bytes; a larger file is no licence
# The same names as patterns, for the download of a hub repository.
DOWNLOADED_TEXTS = (
    *("LICEN[CS]E*", "COPYING*", "NOTICE*", "Notice*", "USE_POLICY*", "EULA*"),
    *("*[_-][lL][iI][cC][eE][nN][cCsS][eE]*", "*TERMS*", "*[tT]erms*.txt", "*[tT]erms*.md"),
)
_NAME = re.compile(
    r"(?:^|[_. -])(?:licen[cs]es?|copying|notices?|authors|copyright|eula|use[_-]policy)(?![a-z])"
    r"|(?:^|[_. -])terms(?:[_-]of[_-](?:use|service))?(?:\.|$)",
    re.IGNORECASE,
)
_OTHER = (
    *(".py", ".pyi", ".pyc", ".so", ".h", ".hpp", ".c", ".cpp", ".js", ".json", ".jsonl"),
    *(".jinja", ".csv", ".model", ".safetensors", ".bin", ".gguf", ".npz", ".npy"),
)


def is_licence_text(name: str) -> bool:
    """Return whether a file is a licence, notice or use policy by its name."""
    return _NAME.search(name) is not None and not name.lower().endswith(_OTHER)


def licence_files(folder: Path) -> list[Path]:
    """Return the licence texts at the top of a folder, in the order of their names."""
    return [
        path
        for path in sorted(folder.iterdir())
        if is_licence_text(path.name) and path.is_file() and path.stat().st_size <= MOST_TEXT
    ]


def packaged_licences(package: str) -> list[Path]:
    """Return the licence texts of an installed package that holds weights: those of its metadata,
    else those in its own folder and in the folder `data` there.
    """
    try:
        files = distribution(package).files or ()
    except PackageNotFoundError:
        return []
    named = [file for file in files if ".dist-info/" in str(file) and is_licence_text(file.name)]
    found = [Path(str(file.locate())) for file in named]
    spec = find_spec(package.replace("-", "_"))
    if not found and spec is not None and spec.origin:
        own = Path(spec.origin).parent
        found = [path for one in (own, own / "data") if one.is_dir() for path in licence_files(one)]
    return [path for path in found if path.is_file()]
