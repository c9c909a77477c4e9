from kofinlaw.records import Key, Question
from kofinlaw.scoring.stats.baselines import largest_overlap, longest_option, majority_digit

CHOICE = [Question(f"q{i}", "다음 중 옳은 것은?", ("가", "나", "다", "라")) for i in range(1, 5)]


def test_trivial_baselines():
    keys = {k.id: k for k in (Key("q1", "2"), Key("q2", "2"), Key("q3", "4"), Key("q4", "1"))}
    assert set(majority_digit(CHOICE, keys).values()) == {"2"}
    question = Question("q", "?", ("짧다", "가장 긴 보기이다", "가장 긴 보기이나"))
    assert longest_option([question]) == {"q": "2"}


def test_the_overlap_baseline_reads_the_evidence_and_turns_round_for_a_negative_stem():
    options = ("사고를 금융위원회에 보고한다", "과태료를 면제받는다", "점포를 폐쇄한다")
    evidence = [
        "은행은 사고를 금융위원회에 보고하여야 하며 점포를 폐쇄한 때에는 이용자에게 알린다."
    ]
    positive, negative = (
        Question("p", "옳은 것은?", options),
        Question("n", "옳지 않은 것은?", options),
    )
    found = largest_overlap([positive, negative], {"p": evidence, "n": evidence})
    assert found["p"] in {"1", "3"}
    assert found["n"] == "2"
    assert largest_overlap([positive], {"p": []}) == {}
