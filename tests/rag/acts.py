"""Acts of several versions, and the corpus and index of them."""

from __future__ import annotations

from pathlib import Path

from corpora import settings

from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.settings import DataSettings
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index

# Articles as (header, text), by the day of their version.
Versions = dict[str, tuple[tuple[str, str], ...]]

PURPOSE = ("제1조 (목적)", "이 법은 은행 이용자의 권리를 지키는 것을 목적으로 한다.")
REPORT = ("제3조 (보고)", "은행은 제5조의 감독기관에 매년 보고하여야 한다.")
CLOSING = ("제4조 (폐점)", "점포를 닫으려는 은행은 이를 미리 알려야 한다.")
SUPERVISOR = ("제5조 (감독)", "감독기관은 금융위원회로 한다.")
COUNCIL = ("제5조 (감독)", "감독기관은 금융감독위원회로 한다.")


def fine(amount: int) -> tuple[str, str]:
    return "제2조 (과태료)", f"알리지 아니한 자에게는 {amount}만원 이하의 과태료를 부과한다."


VERSIONS = {
    "2022-06-10": (PURPOSE, fine(300), REPORT, CLOSING, COUNCIL),
    "2024-09-15": (PURPOSE, fine(500), ("제3조", "삭제"), CLOSING, SUPERVISOR),
    "2027-01-01": (PURPOSE, fine(900), ("제3조", "삭제"), CLOSING, SUPERVISOR),
}


def write_act(folder: Path, title: str, day: str, articles: tuple[tuple[str, str], ...]) -> None:
    body = "\n\n".join(f"##### {header}\n\n{text}" for header, text in articles)
    text = f"---\n제목: {title}\n법령ID: '1'\n시행일자: {day}\n---\n\n# {title}\n\n{body}\n"
    (folder / f"{title} {day}.md").write_text(text, encoding="utf-8")


def corpus(folder: Path, acts: dict[str, Versions]) -> Path:
    """The chunks of a corpus of these acts: title → day → articles."""
    (folder / "acts").mkdir(parents=True)
    for title, versions in acts.items():
        for day, articles in versions.items():
            write_act(folder / "acts", title, day, articles)
    sources = DataSettings(sources=[str(folder / "acts")])
    build_corpus(sources, folder / "data", base=folder)
    return folder / "data" / "chunks.jsonl"


def indexed(folder: Path, acts: dict[str, Versions]) -> Index:
    build_index(corpus(folder, acts), folder / "index", settings())
    return Index.load(folder / "index")


OTHER = {"2019-01-01": (("제1조 (목적)", "이 법은 예금자를 보호하는 것을 목적으로 한다."),)}
