"""Describe the files of a form in `dataset_info.json`, where LLaMA-Factory looks them up.

The keys are those of LLaMA-Factory's data/README.md: `file_name`, `formatting`, `ranking`,
`columns`, `tags`. A column that an entry does not name is not read.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

from kofinlaw.augment.forms.chat_forms import Form

__all__ = ["DatasetEntry", "dataset_entry"]


class DatasetEntry(TypedDict):
    """The description of one file."""

    file_name: str
    formatting: str
    columns: dict[str, str]
    ranking: NotRequired[bool]
    tags: NotRequired[dict[str, str]]


_ALPACA = {"prompt": "instruction", "query": "input", "history": "history", "system": "system"}
_SHAREGPT = {"messages": "conversations", "system": "system"}
_RANKED = {"chosen": "chosen", "rejected": "rejected"}
_SHAREGPT_TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
}
_CHAT_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}


def dataset_entry(form: Form, file_name: str, *, pairs: bool) -> DatasetEntry | None:
    """Return the entry of a file of dialogues or, with `pairs`, of preference pairs.

    None for pairs as messages: LLaMA-Factory has no description for TRL's lists of messages.
    """
    if form == "messages":
        if pairs:
            return None
        columns = {"messages": "messages"}
        return {
            "file_name": file_name,
            "formatting": "sharegpt",
            "columns": columns,
            "tags": dict(_CHAT_TAGS),
        }
    if form == "alpaca":
        columns = {**_ALPACA, **(_RANKED if pairs else {"response": "output"})}
        entry: DatasetEntry = {"file_name": file_name, "formatting": "alpaca", "columns": columns}
    else:
        columns = {**_SHAREGPT, **(_RANKED if pairs else {})}
        entry = {
            "file_name": file_name,
            "formatting": "sharegpt",
            "columns": columns,
            "tags": dict(_SHAREGPT_TAGS),
        }
    if pairs:
        entry["ranking"] = True
    return entry
