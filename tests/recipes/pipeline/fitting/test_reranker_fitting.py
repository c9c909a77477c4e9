"""A run's reranker: pairs are drawn by seed, and get negatives that do not answer."""

from __future__ import annotations

from kofinlaw.recipes.pipeline.fitting.reranker_fitting import drawn_pairs, rank_groups
from kofinlaw.records import Chunk
from kofinlaw.trainer.retriever.reranker_settings import RerankerSettings
from kofinlaw.trainer.retriever.schedule import OWN, TrainingPair


def chunk(number: int, heading: str, text: str) -> Chunk:
    unit = f"점검법 제{number}조"
    shown = f"{unit}({heading})\n{text}"
    return Chunk(unit, "점검법", "점검법", "statute", f"제{number}조", unit, shown, "", "", "", "")


def pairs(kind: str, count: int) -> list[TrainingPair]:
    return [TrainingPair(f"{kind}{n}", f"답 {n}", "", kind, f"{kind}{n}") for n in range(count)]


def test_own_pairs_have_their_share_and_fill_up_what_is_missing() -> None:
    both = pairs("citing", 20) + pairs(OWN, 20)

    def own(found: list[TrainingPair]) -> tuple[int, int]:
        return sum(pair.kind == OWN for pair in found), len(found)

    assert own(drawn_pairs(both, 10, 0.4, 0)) == (4, 10)
    assert own(drawn_pairs(both, 100, 0.4, 0)) == (20, 40)
    assert own(drawn_pairs(pairs(OWN, 5), 4, 0.4, 0)) == (4, 4)
    assert drawn_pairs(both, 10, 0.4, 1) == drawn_pairs(both, 10, 0.4, 1)
    assert drawn_pairs(both, 10, 0.4, 1) != drawn_pairs(both, 10, 0.4, 2)


def test_a_passage_outside_of_the_corpus_gets_negatives_too() -> None:
    chunks = [
        chunk(1, "전산설비", "회사는 전산설비를 해마다 점검하여 위원회에 알려야 한다."),
        chunk(2, "거래기록", "회사는 거래기록을 안전하게 보존하여야 하며 전산설비로 관리한다."),
        chunk(3, "과태료", "위원회는 보존하지 아니한 자에게 전산설비의 값만큼 과태료를 부과한다."),
    ]
    asked = [
        TrainingPair("전산설비가 무엇인가", chunks[0].text, "", "citing", chunks[0].unit),
        TrainingPair("전산설비가 고장 난 날", "밖에 있는 글", "", OWN, "밖에 있는 글"),
    ]
    settings = RerankerSettings(negatives=2)
    linked = [(chunks[2].unit, chunks[0].unit)]
    first, own = rank_groups(asked, chunks, linked, settings, ["bigram"], 0, lambda *a, **k: None)
    assert first.passages == (chunks[0].text, chunks[1].text)
    assert own.passages[0] == "밖에 있는 글"
    assert set(own.passages[1:]) <= {one.text for one in chunks}
    assert len(own.passages) == 3
