"""Read the title that a DOCX or HWPX file states."""

from __future__ import annotations

from kofinlaw.data.readers.archives import Archive, local_name

__all__ = ["package_title"]


def package_title(archive: Archive) -> dict[str, str]:
    """Return the title from `content.hpf` (HWPX) or `docProps/core.xml` (DOCX).

    Their days say when the file was saved, not when its text came into force: they are not read.
    """
    meta: dict[str, str] = {}
    for name in archive.names:
        if name.lower().endswith(("content.hpf", "docprops/core.xml")):
            for node in archive.xml(name).iter():
                tag, text = local_name(node.tag), (node.text or "").strip()
                if tag == "title" and text:
                    meta.setdefault("title", text)
    return meta
