from kofinlaw.records import Key, Question
from kofinlaw.scoring.stats.slices import is_numeric, slices_of


def test_slices_are_read_from_the_stem_and_the_options():
    assert is_numeric(("7일", "10일 이내", "5천만원 이하", "1년"))
    assert is_numeric(("1억원", "3억 5천만원", "10%", "100분의 3"))
    assert not is_numeric(("3명의 감사를 둔다", "1" * 5000 + " 가나다라마바사아자차", "약관"))
    assert not is_numeric(("전자서명", "7일", "접근매체", "약관"))
    question = Question(
        "q", "전자금융거래법 제9조에 따라 옳지 않은 것은?", ("가", "나", "다", "라", "마")
    )
    assert slices_of(question, Key("q", slices=("privacy",))) == (
        "negative",
        "options-5",
        "article-quoted",
        "privacy",
    )
