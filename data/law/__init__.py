"""Parse the structure of Korean law: articles, provisions, citations, versions, history.

`verify_citations` checks the references of a text against a corpus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw.lazy import lazy_exports

if TYPE_CHECKING:
    from kofinlaw.data.law.verifying.known_law import KnownLaw as KnownLaw
    from kofinlaw.data.law.verifying.verify import verify_citations as verify_citations

__all__ = ["KnownLaw", "verify_citations"]

_EXPORTS = {
    "KnownLaw": "kofinlaw.data.law.verifying.known_law",
    "verify_citations": "kofinlaw.data.law.verifying.verify",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
