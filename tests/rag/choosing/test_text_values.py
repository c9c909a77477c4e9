"""Values that the contest's script computes too: the same as the solvers', without Kiwi."""

from __future__ import annotations

import subprocess
import sys

from kofinlaw.data.solvers.solvers import Asked, Solvers
from kofinlaw.rag.choosing.text_values import bearing_of, portable_values

SHOWN = ("전자금융거래법 제9조\n금융회사는 3일 이내에 이용자에게 알린다.",)
OPTIONS = ("3일 이내에 알린다", "30일 이내에 신고한다", "알리지 아니한다")


def test_the_values_are_those_of_the_solvers() -> None:
    stem = "금융회사가 알리는 기한은?"
    found = portable_values(stem, OPTIONS, SHOWN, (*SHOWN, "다른 조문이다."))
    scores = Solvers(["overlap_bigrams", "look_up"]).scores(Asked(stem, OPTIONS, SHOWN))
    assert found["overlap"] == [round(v, 6) for v in scores["overlap_bigrams"]]
    assert found["look_up"] == [round(v, 6) for v in scores["look_up"]]
    assert portable_values(stem, OPTIONS, (), SHOWN)["overlap"] == found["overlap"]
    assert portable_values(stem, OPTIONS, (), ()) == {}


def test_how_much_the_evidence_bears_on_the_stem() -> None:
    assert bearing_of("금융회사는 3일 이내에", SHOWN) == 1.0
    assert bearing_of("방화벽", SHOWN) == 0.0
    assert bearing_of("", SHOWN) == bearing_of("기한", ()) == 0.0


def test_kiwi_is_not_loaded() -> None:
    code = (
        "import sys\nfrom kofinlaw.rag.choosing.text_values import portable_values\n"
        "portable_values('기한은?', ['3일', '5일'], ['3일 이내'], [])\n"
        "print('kiwipiepy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
