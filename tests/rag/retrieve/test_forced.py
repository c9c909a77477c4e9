import pytest

from kofinlaw import UserError
from kofinlaw.rag.retrieve.forced import ForcedEvidence, write_forced
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question


def chunk(text: str) -> Chunk:
    return Chunk("법/제1조", "법", "법", "statute", "", "법 제1조", text, "", "", "", "")


def test_each_question_gets_its_own_text_of_the_same_passage(tmp_path):
    path = tmp_path / "evidence.jsonl"
    write_forced(path, [("a", [chunk("3일"), chunk("둘째")]), ("b", [chunk("9일")])])
    searcher = ForcedEvidence(path, RagSettings())
    hits = searcher.search([Question("b", "?"), Question("a", "?"), Question("c", "?")])
    assert [[hit.chunk.text for hit in found] for found in hits] == [["9일"], ["3일", "둘째"], []]
    assert hits[1][0].score > hits[1][1].score
    # A run that resumes asks for its passages by id.
    assert [c.text for c in searcher.chunks([hits[0][0].chunk.id])] == ["9일"]
    assert searcher.with_model(None, None) is searcher
    assert searcher.needs_model == searcher.absent(Question("a", "?")) == ()


def test_the_fingerprint_follows_the_file_and_the_size_of_the_evidence(tmp_path):
    path = tmp_path / "evidence.jsonl"
    write_forced(path, [("a", [chunk("3일")])])
    first = ForcedEvidence(path, RagSettings()).fingerprint
    assert ForcedEvidence(path, RagSettings()).fingerprint == first
    assert ForcedEvidence(path, RagSettings(evidence_tokens=77)).fingerprint != first
    write_forced(path, [("a", [chunk("4일")])])
    assert ForcedEvidence(path, RagSettings()).fingerprint != first
    with pytest.raises(UserError):
        ForcedEvidence(tmp_path / "none.jsonl", RagSettings())
