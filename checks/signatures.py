"""Compare what the project uses of the card's libraries with the sources of their wheels.

    python -m checks.signatures [--folder FOLDER] [--write]

Downloads the pinned wheels once (360 MB; 130 MB of sources stay), reads them without importing
them, and looks up every module, class, attribute and keyword that the project uses, and the values
and tables that it copied. A finding is what does not exist there. The last line is JSON; exits
with 1 if there is a finding. `--write` puts the result into docs/studies/extras.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.expected import VALUES, expected_uses, expected_values
from checks.page import PAGE, ROOT, replace_section, stamp, table
from checks.sources import Sources
from checks.uses import Use, uses_of
from checks.wheels import PACKAGES, unpack
from kofinlaw.files import cache_folder

__all__ = ["Finding", "findings_of", "missing_value", "project_files"]

CODE = ("models", "trainer", "benchmarks")


@dataclass(frozen=True, order=True)
class Finding:
    """A use that the library does not offer, and what is wrong with it."""

    name: str
    where: str
    wrong: str


def project_files(root: Path = ROOT) -> list[Path]:
    """Return the project's modules that may use a card's library."""
    return sorted(path for room in CODE for path in (root / room).rglob("*.py"))


def findings_of(use: Use, sources: Sources) -> list[Finding]:
    """Return what a library does not offer of one use."""
    found = sources.find(use.name)
    if found is None:
        return [Finding(use.name, use.where, "does not exist")]
    if not use.called:
        return []
    try:
        offered = sources.parameters(found)
    except TypeError as error:
        return [Finding(use.name, use.where, str(error))]
    known = set(offered.positional) | offered.keywords
    open_ended = offered.any_keyword
    if use.extended_by:
        more = sources.find(use.extended_by)
        if more is None:
            return [Finding(use.extended_by, use.where, "does not exist")]
        extended = sources.parameters(more)
        known |= set(extended.positional) | extended.keywords
        open_ended = False
    wrong = [
        Finding(use.name, use.where, f"takes no keyword {name}")
        for name in use.keywords
        if name not in known and not open_ended
    ]
    if use.positional > len(offered.positional) and not offered.any_positional:
        count = len(offered.positional)
        wrong.append(Finding(use.name, use.where, f"takes {count} positional arguments"))
    return wrong


def missing_value(names: Sequence[str], value: object, sources: Sources) -> list[Finding]:
    """Return a finding if the value is among the constants of none of the definitions."""
    wrong = []
    for name in names:
        try:
            if value in sources.values(name):
                return []
            wrong.append(Finding(name, "checks/expected.py", f"does not hold {value!r}"))
        except KeyError:
            wrong.append(Finding(name, "checks/expected.py", "does not exist"))
    return wrong


def main(argv: Sequence[str] | None = None) -> int:
    """Unpack the wheels, compare, print the findings; the last line is JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where the sources are kept")
    parser.add_argument("--write", action="store_true", help="write docs/studies/extras.md")
    args = parser.parse_args(argv)
    folder = args.folder or cache_folder(None) / "checks"
    sources = Sources(tuple(unpack(package, folder) for package in PACKAGES))
    libraries = {module: package for package in PACKAGES for module in package.modules}
    uses = [*uses_of(libraries, project_files(), ROOT), *expected_uses()]
    findings = sorted({f for use in uses for f in findings_of(use, sources)})
    values = [((name,), value) for name, held in VALUES.items() for value in held]
    values += expected_values()
    for names, value in values:
        findings += missing_value(names, value, sources)
    for one in findings:
        print(f"{one.where}: {one.name} {one.wrong}")
    rows = []
    for module, package in libraries.items():
        mine = [use for use in uses if use.name.split(".")[0] == module]
        count = len({use.name for use in mine})
        keywords = len({(use.name, key) for use in mine for key in use.keywords})
        listed = sum(any(n.split(".")[0] == module for n in names) for names, _ in values)
        wrong = [f for f in findings if f.name.split(".")[0] == module]
        found = "; ".join(f"`{f.name}` {f.wrong} ({f.where})" for f in wrong) or "nothing missing"
        rows.append([package.name, package.version, *map(str, (count, keywords, listed)), found])
    body = table(["package", "version", "names", "keywords", "values", "result"], rows)
    if args.write:
        text = PAGE.read_text(encoding="utf-8")
        text = replace_section(text, "signatures", f"{stamp('sources read, not run')}\n\n{body}")
        PAGE.write_text(text, encoding="utf-8")
    figures = {"uses": len(uses), "missing": len(findings), "meets": not findings}
    print(json.dumps(figures))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
