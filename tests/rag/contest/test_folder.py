"""The contest folder: which passages it gets, and what stops its export."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from corpora import settings

from kofinlaw import UserError
from kofinlaw.data.korean.lexical import LexicalIndex
from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.law.versions import read_chunks
from kofinlaw.files import write_jsonl
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.contest.folder import export_contest, shown_rows, write_index
from kofinlaw.rag.contest.script import load_index, scores_of
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.index.version_merge import merge_versions
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk


def passages_of(tmp_path: Path) -> list[Chunk]:
    return list(merge_versions(read_chunks(tmp_path / "data" / "chunks.jsonl")))


def test_the_contests_folder_gets_the_texts_of_the_day(index: Index, tmp_path: Path) -> None:
    passages = passages_of(tmp_path)

    def fines(as_of: date | None) -> list[str]:
        texts = [passages[row].text for row in shown_rows(passages, settings(as_of=as_of))]
        return [text for text in texts if "제2조" in text]

    assert ["300만원" in text for text in fines(date(2023, 1, 1))] == [True]
    assert ["900만원" in text for text in fines(date(2027, 1, 1))] == [True]
    assert len(fines(None)) == 1
    assert fines(date(2018, 1, 1)) == []


def test_the_contests_folder_gets_the_kinds_asked_for(index: Index, tmp_path: Path) -> None:
    passages = passages_of(tmp_path)
    statutes = shown_rows(passages, settings(kinds=["statute"]))
    assert statutes == shown_rows(passages, settings())
    assert shown_rows(passages, settings(kinds=["case"])) == []


def test_passages_that_are_not_shown_count_in_the_weights(index: Index, tmp_path: Path) -> None:
    passages = passages_of(tmp_path)
    rag = settings(as_of=date(2023, 1, 1), lexical="bigram", citation_lookup=False)
    shown = shown_rows(passages, rag)
    assert 0 < len(shown) < len(passages)
    write_index(passages, shown, tmp_path / "contest", rag)
    query = "과태료를 부과하는 금액"
    scores = scores_of(load_index(tmp_path / "contest"), query)
    whole = LexicalIndex.build([bigrams(chunk.text) for chunk in passages])
    rows, expected = whole.query(bigrams(query), len(passages))
    wanted = dict(zip(rows.tolist(), expected.tolist(), strict=True))
    assert scores.tolist() == pytest.approx([wanted.get(row, 0.0) for row in shown], rel=1e-5)


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
