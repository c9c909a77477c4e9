"""List the evaluation sets that have a reader, and find one by its name."""

from __future__ import annotations

import difflib
import re

from kofinlaw import UserError
from kofinlaw.rag.benches.choice_sets import CHOICE_SETS
from kofinlaw.rag.benches.forms import BenchSet
from kofinlaw.rag.benches.passage_sets import PASSAGE_SETS

__all__ = ["BENCH_SETS", "bench_set"]

BENCH_SETS = {one.name: one for one in (*CHOICE_SETS, *PASSAGE_SETS)}


def bench_set(name: str, where: str = "NAME") -> BenchSet:
    """Return the set of this name; case, blanks, hyphens and underscores do not matter.

    Raises UserError for another name, at `where`, with the nearest ones.
    """
    bare = {_bare(known): known for known in BENCH_SETS}
    found = bare.get(_bare(name))
    if found is not None:
        return BENCH_SETS[found]
    near = difflib.get_close_matches(_bare(name), bare, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(bare[one] for one in near)}? " if near else ""
    raise UserError(
        f"no evaluation set is called {name!r}",
        where=where,
        remedy=f"{hint}the sets are {', '.join(BENCH_SETS)}; another multiple-choice file is "
        "measured with `kofinlaw exam`",
    )


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
