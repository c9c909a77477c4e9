"""Filter chunks by quality, personal data and protected texts.

Each chunk is judged on its own, directly after splitting. Copies are found afterwards (`copies`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from kofinlaw.data.cleaning.contamination import THRESHOLD, ProtectedTexts
from kofinlaw.data.cleaning.personal import mask_personal_data
from kofinlaw.data.cleaning.quality import quality_problem
from kofinlaw.data.law.annexes import annex_name, deleted_annex, split_unit
from kofinlaw.data.reject_log import RejectLog
from kofinlaw.data.settings import DataSettings
from kofinlaw.files import sha256_text
from kofinlaw.records import Article, Chunk, Provision, record_fault

__all__ = ["ChunkFilter", "chunk_body", "mask_article"]

_ARTICLE_UNIT = re.compile(r" 제\d[\d-]*조(?:의\d+)*(?:@\d+)?$")


def chunk_body(text: str) -> str:
    """Return the text of a chunk below its header."""
    return text.partition("\n")[2]


class ChunkFilter:
    """Keeps good chunks, with personal data masked, and rejects the others.

    `fits` says whether a chunk is still within the token limit after masking. `rejected_ids` has
    the ids of the rejected chunks.
    """

    def __init__(
        self,
        settings: DataSettings,
        protected: ProtectedTexts,
        log: RejectLog,
        fits: Callable[[Chunk], bool] = lambda chunk: True,
    ) -> None:
        self._settings = settings
        self._protected = protected
        self._log = log
        self._fits = fits
        self.rejected_ids: set[str] = set()

    def kept(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Yield the chunks that are kept, in order."""
        for chunk in chunks:
            try:
                clean = self._masked(chunk) if self._good(chunk) else None
                kept = clean is not None and self._uncontaminated(clean)
            except Exception as error:
                # A record whose personal data may not be masked is named without its text.
                why = f"it cannot be checked: {record_fault(error)}"
                self._log.reject("quality", chunk.id, "failed", why, replace(chunk, text=""))
                clean, kept = None, False
            if clean is not None and kept:
                yield clean
            else:
                self.rejected_ids.add(chunk.id)

    def _good(self, chunk: Chunk) -> bool:
        body = chunk_body(chunk.text)
        reason, detail = quality_problem(body, self._settings.quality)
        if reason != "broken_text" and _ARTICLE_UNIT.search(chunk.unit):
            reason = ""  # a short article is valid law
        if reason == "too_short" and deleted_annex(body) and annex_name(split_unit(chunk.unit)[1]):
            reason = ""  # it answers a question about a deleted annex
        if reason:
            self._log.reject("quality", chunk.id, reason, detail, chunk)
        return not reason

    def _masked(self, chunk: Chunk) -> Chunk | None:
        if self._settings.personal_data == "keep":
            return chunk
        text, kinds = mask_personal_data(chunk.text)
        if not kinds:
            return chunk
        self._log.personal_data.update(kinds)
        masked = replace(chunk, text=text, sha256=sha256_text(text))
        if self._settings.personal_data == "mask" and self._fits(masked):
            return masked
        # The rejected record is written to a file too, so it contains the masked text.
        detail = ", ".join(sorted(set(kinds)))
        self._log.reject("personal_data", chunk.id, "personal_data", detail, masked)
        return None

    def _uncontaminated(self, chunk: Chunk) -> bool:
        # Also without the header: a short protected text counts only if it is the whole text.
        found = (self._protected.held_by(text) for text in (chunk.text, chunk_body(chunk.text)))
        held = max(filter(None, found), key=lambda held: held[1], default=None)
        if held is None or held[1] < THRESHOLD:
            return True
        detail = f"contains {round(held[1], 4):.0%} of protected text {held[0] + 1}"
        # The rejected record must not contain the protected text: only its ids are kept.
        bare = replace(chunk, text="")
        self._log.reject("contamination", chunk.id, "contaminated", detail, bare)
        return False


def mask_article(article: Article) -> Article:
    """Return the article with personal data masked in its text and in its tree."""
    text, kinds = mask_personal_data(article.text)
    if not kinds:
        return article
    return replace(
        article,
        text=text,
        lead=mask_personal_data(article.lead)[0],
        provisions=tuple(_mask_provision(p) for p in article.provisions),
    )


def _mask_provision(node: Provision) -> Provision:
    children = tuple(_mask_provision(child) for child in node.children)
    return Provision(node.label, mask_personal_data(node.text)[0], children)
