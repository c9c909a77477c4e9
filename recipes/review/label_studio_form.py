"""Write and read the tasks of Label Studio, and write its labelling configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import quoteattr

from kofinlaw.recipes.review.entries import CORRECTED, FIELDS, Entry, Shown, field_texts, suggested

__all__ = ["label_studio_config", "label_studio_entries", "label_studio_tasks"]

_OBJECT = "question"  # the field that every answer belongs to


def label_studio_config() -> str:
    """Return the labelling configuration. Fields are `Text`, which shows markup as it is."""
    lines = ["<View>"]
    for name, title in FIELDS.items():
        lines += [
            f'  <Header value={quoteattr(title)} size="5"/>',
            f"  <Text name={quoteattr(name)} value={quoteattr('$' + name)}/>",
        ]
    lines += [
        f'  <Choices name="verdict" toName="{_OBJECT}" choice="single" required="true">',
        '    <Choice value="right" hotkey="1"/>',
        '    <Choice value="wrong" hotkey="2"/>',
        '    <Choice value="unclear" hotkey="3"/>',
        "  </Choices>",
    ]
    areas = {"reason": "이유 / reason"} | {f"corrected_{n}": t for n, t in CORRECTED.items()}
    for name, title in areas.items():
        lines += [
            f'  <Header value={quoteattr(title)} size="5"/>',
            f'  <TextArea name={quoteattr(name)} toName="{_OBJECT}" maxSubmissions="1" rows="2"/>',
        ]
    return "\n".join([*lines, "</View>", ""])


def label_studio_tasks(rows: Sequence[Shown]) -> list[dict[str, object]]:
    """Return the tasks; the reader's verdicts are predictions with the reader as model version."""
    return [
        {
            "data": {
                **field_texts(one),
                "example_id": one.id,
                "sha256": one.sha256,
                "kind": one.kind,
            },
            "predictions": [
                {
                    "model_version": one.reader,
                    "result": [_result(name, text) for name, text in suggested(one).items()],
                }
            ]
            if one.own
            else [],
        }
        for one in rows
    ]


def _result(name: str, text: str) -> dict[str, object]:
    choice = name == "verdict"
    return {
        "id": name,
        "from_name": name,
        "to_name": _OBJECT,
        "type": "choices" if choice else "textarea",
        "value": {"choices": [text]} if choice else {"text": [text]},
    }


def label_studio_entries(rows: Sequence[Mapping[str, object]]) -> list[Entry]:
    """Return what each user annotated in each task. Raises ValueError for another form.

    Skipped annotations count as none.
    """
    out: list[Entry] = []
    for number, row in enumerate(rows, 1):
        data, annotations = row["data"], row.get("annotations") or []
        if not isinstance(data, Mapping) or not isinstance(annotations, list):
            raise ValueError(f"task {number} has no data or no list of annotations")
        name, sha256 = data.get("example_id"), data.get("sha256")
        if not name or not sha256:
            raise ValueError(f"task {number} has no `example_id` or no `sha256` in its data")
        found = []
        for one in annotations:
            if not isinstance(one, Mapping) or not isinstance(one.get("result"), list):
                raise ValueError(f"an annotation of task {number} has no result")
            if one.get("was_cancelled"):
                continue
            texts = dict(map(_text, one["result"]))
            found.append(
                Entry(
                    str(name),
                    str(sha256),
                    _user(one.get("completed_by")),
                    texts.get("verdict", ""),
                    texts.get("reason", ""),
                    {key: texts.get(f"corrected_{key}", "") for key in CORRECTED},
                    str(one.get("updated_at") or one.get("created_at") or ""),
                )
            )
        out += found or [Entry(str(name), str(sha256), "", "", "", {})]
    return out


def _text(result: object) -> tuple[str, str]:
    """Return the name of a question and the text that answers it."""
    if not isinstance(result, Mapping) or not isinstance(result.get("value"), Mapping):
        raise ValueError("a result has no value")
    value = result["value"]
    given = value.get("choices", value.get("text"))
    parts = given if isinstance(given, list) else [given]
    text = "\n".join(str(part) for part in parts if part is not None)
    return str(result.get("from_name", "")), text


def _user(given: object) -> str:
    """Return the name of the user: the address, or `user N`; `annotator` where there is none."""
    if isinstance(given, Mapping):
        if given.get("email"):
            return str(given["email"])
        given = given.get("id")
    return "annotator" if given is None else f"user {given}"
