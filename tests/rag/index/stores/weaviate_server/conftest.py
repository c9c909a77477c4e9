"""A stand-in for a Weaviate server, to which the real client connects over loopback."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpora import PicoEmbedder, chunk, settings, write_chunks

from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk

ACTS = ("전자금융거래법", "개인정보 보호법", "여신전문금융업법")
TEXTS = (
    "접근매체를 사용하거나 관리하는 자는 접근매체를 제3자에게 대여할 수 없다.",
    "금융회사는 접근매체의 위조로 손해가 생기면 배상할 책임을 진다.",
    "개인정보가 유출되면 72시간 이내에 정보주체에게 알려야 한다.",
    "신용카드업자는 수수료를 회원에게 미리 알려야 한다.",
)
DAYS = ("2019-05-01", "2022-01-01", "2025-07-31", "2031-01-01")


def made_chunks(count: int) -> list[Chunk]:
    """Passages of several days, kinds and acts; some are 부칙."""
    out = []
    for number in range(count):
        title = ACTS[number % 3]
        kind = ("statute", "rule", "guideline", "case")[number % 7 % 4]
        unit = f"{title} 제{number + 1}조" if number % 5 else f"{title} 부칙 제{number + 1}호"
        text = f"{TEXTS[number % 4]} {TEXTS[number * 7 % 4]} 별표 {number % 11}"
        made = chunk(unit, text, as_of=DAYS[number * 3 % 4], kind=kind)
        values = {name: getattr(made, name) for name in Chunk.__dataclass_fields__}
        values["path"] = "부칙" if number % 5 == 0 else unit
        out.append(Chunk(**{**values, "title": title, "id": f"{number}/{made.id}"}))
    return out


@dataclass
class Bench:
    """An index that was built with the stand-in as its server, and the recipe of both."""

    index: Index
    settings: RagSettings
    stand_in: Any

    def changed(self, **values: Any) -> RagSettings:
        """The settings with other values of the section `weaviate`."""
        changed = self.settings.weaviate.model_copy(update=values)
        return self.settings.model_copy(update={"weaviate": changed})


@pytest.fixture
def stand_in() -> Iterator[Any]:
    """A server that runs; without the client there is nothing to connect to it."""
    pytest.importorskip("weaviate")
    sys.path.append(str(Path(__file__).parents[5]))
    from checks.weaviate_stand_in import StandIn

    with StandIn() as server:
        yield server


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Callable[..., RagSettings]:
    """Gives settings that search a stand-in; the embedder is a pico one."""
    monkeypatch.setattr("kofinlaw.models.embedders.open_embedder", lambda *_, **__: PicoEmbedder())
    monkeypatch.delenv("WEAVIATE_API_KEY", raising=False)

    def make(server: Any, **values: Any) -> RagSettings:
        at = {"url": server.url, "grpc_port": server.grpc_port, "call_seconds": 60.0, **values}
        return settings(embedder="pico", store="weaviate", weaviate=at)

    return make


@pytest.fixture
def built(stand_in: Any, recipe: Callable[..., RagSettings], tmp_path: Path) -> Bench:
    """Sixty passages, indexed and imported."""
    made = recipe(stand_in)
    build_index(write_chunks(tmp_path, made_chunks(60)), tmp_path / "index", made)
    return Bench(Index.load(tmp_path / "index"), made, stand_in)


@pytest.fixture
def many_chunks() -> Callable[[int], list[Chunk]]:
    """Gives so many passages of several days, kinds and acts."""
    return made_chunks
