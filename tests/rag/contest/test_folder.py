"""The contest folder: which passages it gets, and what stops its export."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from corpora import settings

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.contest.folder import export_contest, shown_texts
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.settings import RagSettings


def test_the_contests_folder_gets_the_texts_of_the_day(index: Index, tmp_path: Path) -> None:
    def fines(as_of: date | None) -> list[str]:
        texts = shown_texts(tmp_path / "data" / "chunks.jsonl", settings(as_of=as_of))
        return [text for text in texts if "제2조" in text]

    assert ["300만원" in text for text in fines(date(2023, 1, 1))] == [True]
    assert ["900만원" in text for text in fines(date(2027, 1, 1))] == [True]
    assert len(fines(None)) == 1
    assert fines(date(2018, 1, 1)) == []


def test_the_contests_folder_gets_the_kinds_asked_for(index: Index, tmp_path: Path) -> None:
    chunks = tmp_path / "data" / "chunks.jsonl"
    assert shown_texts(chunks, settings(kinds=["statute"])) == shown_texts(chunks, settings())
    assert shown_texts(chunks, settings(kinds=["case"])) == []


TEMPLATE = ChatTemplate(
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}",
    bos="<s>",
    eos="<end>",
)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ((), "no checkpoint"),
        (("config.json", "tokenizer.json", "model.safetensors"), "no passage to show"),
    ],
)
def test_without_weights_or_passages_nothing_is_exported(
    tmp_path: Path, files: tuple[str, ...], why: str
) -> None:
    (tmp_path / "model").mkdir()
    for name in files:
        (tmp_path / "model" / name).write_bytes(b"{}")
    write_jsonl(tmp_path / "chunks.jsonl", [])
    with pytest.raises(UserError, match=why):
        export_contest(
            tmp_path / "model",
            tmp_path / "chunks.jsonl",
            tmp_path / "out",
            template=TEMPLATE,
            rag=RagSettings(),
            answer=AnswerSettings(),
        )
