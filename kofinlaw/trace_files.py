"""Write spans to `traces.jsonl`, read them, and open the tracer that the settings ask for."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from kofinlaw.decoding import load_json
from kofinlaw.files import disk_error
from kofinlaw.trace_settings import TraceSettings
from kofinlaw.tracing import NO_TRACE, Exporter, Span, Tracer
from kofinlaw.tracing_exporters import open_exporter

__all__ = ["TRACE_FILE", "JsonLines", "open_tracer", "read_traces"]

TRACE_FILE = "traces.jsonl"


class JsonLines:
    """An exporter that appends each span to a file as one line."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = open(path, "a", encoding="utf-8", errors="replace")

    def export(self, span: Span) -> None:
        """Write the span as one line."""
        row = {name: getattr(span, name) for name in span.__dataclass_fields__}
        self._handle.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        self._handle.flush()

    def close(self) -> None:
        """Close the file."""
        self._handle.close()


def read_traces(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return (line number from 1, span) of each complete line of a trace file.

    Incomplete lines are skipped. A missing file has no spans.
    """
    out = []
    try:
        handle = open(path, encoding="utf-8", errors="replace")
    except OSError:
        return []
    with handle:
        for number, line in enumerate(handle, 1):
            with contextlib.suppress(ValueError):
                value = load_json(line)
                if isinstance(value, dict):
                    out.append((number, value))
    return out


def open_tracer(settings: TraceSettings | None, folder: Path, *, offline: bool = True) -> Tracer:
    """Return the tracer that the settings ask for.

    JSON Lines are appended to `folder/traces.jsonl`; span numbers continue after those of an
    interrupted run. Raises UserError for LangSmith or a remote collector while offline, for a
    missing extra, and for a folder that cannot be written.
    """
    if settings is None or not settings.to:
        return NO_TRACE
    exporters: list[Exporter] = []
    first = 1
    for target in settings.to:
        if target == "jsonl":
            path = folder / TRACE_FILE
            _end_torn_line(path)
            first = 1 + max((int(span.get("id") or 0) for _, span in read_traces(path)), default=0)
            try:
                exporters.append(JsonLines(path))
            except OSError as error:
                raise disk_error(error, folder) from error
        else:
            exporters.append(open_exporter(target, settings, offline=offline))
    return Tracer(exporters, redact=settings.redact, first=first)


def _end_torn_line(path: Path) -> None:
    """End an incomplete last line with a newline, so that the next span gets its own line."""
    with contextlib.suppress(OSError), open(path, "r+b") as handle:
        if handle.seek(0, 2) > 0:
            handle.seek(-1, 2)
            if handle.read(1) != b"\n":
                handle.write(b"\n")
