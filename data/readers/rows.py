"""Read JSONL, CSV and Parquet: one document for each record, court decisions by issue."""

from __future__ import annotations

import csv
import io
import json
import lzma
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.decoding import decode
from kofinlaw.units import MIB

__all__ = ["record_text", "rows_of"]

_DEFAULTS = {
    "text": ("text", "본문", "내용", "content", "body"),
    "title": ("title", "제목", "사건명", "name"),
    "date": ("date", "as_of", "시행일자", "선고일자", "날짜"),
    "license": ("license", "라이선스", "이용조건"),
    "kind": ("kind", "종류"),
}
_ISSUE = re.compile(r"^\s*\[(\d+)\]\s*", re.MULTILINE)


def rows_of(path: Path, source: SourceSettings, limits: LimitSettings) -> Iterator[dict[str, str]]:
    """Yield the records of a file with all values as text.

    Raises UserError if a line is broken, or if there are more records than `limits.records`.
    """
    name = path.name.lower()
    if name.endswith(".parquet"):
        rows = _parquet(path)
    elif name.endswith(".csv"):
        text, _ = decode(path.read_bytes(), source.encoding)
        csv.field_size_limit(1 << 30)
        rows = iter(csv.DictReader(io.StringIO(text)))
    else:
        rows = _json_lines(_unpacked(path, limits) if name.endswith(".xz") else path.read_bytes())
    for number, row in enumerate(rows, 1):
        if number > limits.records:
            raise UserError(f"more than {limits.records} records")
        yield {str(k): _text(v) for k, v in row.items() if k is not None and v is not None}


def _unpacked(path: Path, limits: LimitSettings) -> bytes:
    most_bytes = limits.expanded_mebibytes * MIB
    try:
        with lzma.open(path) as handle:
            data = handle.read(most_bytes + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise UserError(f"the xz file is broken: {error}") from error
    if len(data) > most_bytes:
        raise UserError(f"the xz file unpacks to more than {limits.expanded_mebibytes} MiB")
    return data


def _json_lines(data: bytes) -> Iterator[Mapping[object, object]]:
    text, _ = decode(data)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise UserError(f"line {number} is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise UserError(f"line {number} is not a JSON object")
        yield value


def _parquet(path: Path) -> Iterator[Mapping[object, object]]:
    import pyarrow.parquet as parquet
    from pyarrow import ArrowException

    try:
        for batch in parquet.ParquetFile(path).iter_batches(1024):
            yield from batch.to_pylist()
    except (ArrowException, OSError, ValueError) as error:
        raise UserError(f"the Parquet file cannot be read: {error}") from error


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def record_text(row: dict[str, str], columns: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return (Markdown, front matter) of a record: a court decision by issue, else the text column.

    `columns` maps `text`, `title`, `date`, `license` and `kind` to names of columns. Raises
    UserError if a mapped column is missing, or if there is no text column.
    """
    if "판시사항" in row and "사건번호" in row and "text" not in columns:
        return _decision(row)
    missing = [column for column in columns.values() if column not in row]
    if missing:
        raise UserError(f"no column {', '.join(missing)}; the columns are {', '.join(row)}")
    found = {}
    for field, names in _DEFAULTS.items():
        candidates = [columns[field]] if field in columns else names
        found[field] = next((row[n] for n in candidates if row.get(n)), "")
    if not found["text"]:
        raise UserError(
            f"no text column; the columns are {', '.join(row)}",
            remedy="name it: columns: {text: COLUMN} in the source",
        )
    meta = {key: value for key, value in found.items() if key != "text" and value}
    return found["text"], meta


def _decision(row: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return a court decision: each issue (판시사항) with its holding
    (판결요지) under its number.
    """
    title = " ".join(filter(None, [row.get("법원명", ""), row.get("사건번호", "")])).strip()
    issues, holdings = _numbered(row.get("판시사항", "")), _numbered(row.get("판결요지", ""))
    lines = [f"# {title}", ""]
    for number in list(dict.fromkeys([*issues, *holdings])):
        lines += [f"## {f'[{number}]' if number else '판시사항'}", ""]
        if issues.get(number):
            lines += [f"판시사항: {issues[number]}", ""]
        if holdings.get(number):
            lines += [f"판결요지: {holdings[number]}", ""]
    for name in ("참조조문", "참조판례"):
        if row.get(name, "").strip():
            lines += [f"## {name}", "", row[name].strip(), ""]
    meta = {"title": title, "date": row.get("선고일자", ""), "사건번호": row["사건번호"]}
    return "\n".join(lines), meta


def _numbered(text: str) -> dict[str, str]:
    """Return the parts `[1] …`, `[2] …` by number; text without a number has the empty number."""
    text = re.sub(r"<br\s*/?>", "\n", text).strip()
    if not text:
        return {}
    parts = _ISSUE.split(text)
    out = {"": parts[0].strip()} if parts[0].strip() else {}
    for number, words in zip(parts[1::2], parts[2::2], strict=True):
        out[number] = words.strip()
    return out
