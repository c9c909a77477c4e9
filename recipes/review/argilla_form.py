"""Write and read the records of Argilla 2: `Settings.from_json`, `dataset.records.from_json`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kofinlaw.recipes.review.entries import CORRECTED, FIELDS, Entry, Shown, field_texts, suggested

__all__ = ["argilla_entries", "argilla_records", "argilla_settings"]

# What Argilla's server accepts as the agent of a suggestion.
_AGENT = re.compile(r"(?=.*[a-zA-Z0-9])[a-zA-Z0-9_:./\s-]+")
_LABELS = {"right": "맞음 / right", "wrong": "틀림 / wrong", "unclear": "불분명 / unclear"}


def argilla_settings() -> dict[str, object]:
    """Return fields, questions and metadata of the dataset."""
    text = {"type": "text", "use_markdown": False}
    fields = [
        {"name": name, "title": title, "required": True, "type": "text", "settings": text}
        for name, title in FIELDS.items()
    ]
    options = [{"value": value, "text": shown} for value, shown in _LABELS.items()]
    labels = {"type": "label_selection", "options": options, "visible_options": None}
    questions = [
        _question("verdict", "판정 / verdict", labels, required=True),
        _question("reason", "이유 / reason", text),
        *(_question(f"corrected_{name}", title, text) for name, title in CORRECTED.items()),
    ]
    metadata = [
        {
            "name": name,
            "title": name,
            "visible_for_annotators": visible,
            "type": "terms",
            "settings": {"type": "terms", "values": None, "visible_for_annotators": visible},
        }
        for name, visible in (("kind", True), ("sha256", False))
    ]
    return {
        "guidelines": "조문에 비추어 정답이 맞는지 판정합니다. / Is the answer right by the law?",
        "fields": fields,
        "questions": questions,
        "metadata": metadata,
        "vectors": [],
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": 2},
        "mapping": None,
    }


def _question(
    name: str, title: str, settings: Mapping[str, object], *, required: bool = False
) -> dict[str, object]:
    return {
        "name": name,
        "title": title,
        "description": None,
        "required": required,
        "type": settings["type"],
        "settings": dict(settings),
    }


def argilla_records(rows: Sequence[Shown]) -> list[dict[str, object]]:
    """Return the records; the reader's verdicts are suggestions.

    Their agent is the reader's name, if Argilla accepts it.
    """
    return [
        {
            "id": one.id,
            "fields": field_texts(one),
            "metadata": {"kind": one.kind, "sha256": one.sha256},
            "suggestions": {
                name: {"value": text, "score": None, "agent": _agent(one.reader)}
                for name, text in suggested(one).items()
            },
            "responses": {},
            "vectors": {},
            "status": "pending",
        }
        for one in rows
    ]


def _agent(reader: str) -> str | None:
    return reader if _AGENT.fullmatch(reader) else None


def argilla_entries(rows: Sequence[Mapping[str, object]]) -> list[Entry]:
    """Return what each user responded to each record. Raises ValueError for another form.

    Drafts and discarded responses are left out, where the file says so: `to_json` of Argilla does
    not.
    """
    out: list[Entry] = []
    for number, row in enumerate(rows, 1):
        metadata, responses = row.get("metadata"), row.get("responses")
        if not isinstance(metadata, Mapping) or not isinstance(responses, Mapping):
            raise ValueError(f"record {number} has no metadata or no responses")
        name, sha256 = row.get("id"), metadata.get("sha256")
        if not name or not sha256:
            raise ValueError(f"record {number} has no id or no metadata `sha256`")
        by_user: dict[str, dict[str, str]] = {}
        unknown = set()
        for question, given in responses.items():
            for one in given if isinstance(given, list) else ():
                if not isinstance(one, Mapping) or "user_id" not in one:
                    raise ValueError(f"a response of record {number} has no user_id")
                if one.get("status") not in (None, "submitted"):
                    continue
                value, user = one.get("value"), str(one["user_id"])
                if not isinstance(value, str | None):
                    raise ValueError(f"the response `{question}` of record {number} is not a text")
                by_user.setdefault(user, {})[str(question)] = value or ""
                if one.get("status") is None:
                    unknown.add(user)
        found = [
            Entry(
                str(name),
                str(sha256),
                user,
                texts.get("verdict", ""),
                texts.get("reason", ""),
                {key: texts.get(f"corrected_{key}", "") for key in CORRECTED},
                status_known=user not in unknown,
            )
            for user, texts in sorted(by_user.items())
        ]
        out += found or [Entry(str(name), str(sha256), "", "", "", {})]
    return out
