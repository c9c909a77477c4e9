from kofinlaw.augment.generators.similarity import (
    combines,
    content_bigrams,
    drop_similar,
    names_overlap,
    resembles,
)
from kofinlaw.data.korean.words import bigrams


def test_what_two_items_of_a_list_say_together_is_no_wrong_option_of_it():
    listed = [
        "정보통신망에 관련된 기술의 개발ㆍ보급",
        "정보통신망에서의 청소년 보호",
        "그 밖에 정보통신망 이용촉진을 위한 사항",
    ]
    inside = [set(bigrams(text)) for text in listed]
    odd = "청소년 보호를 위한 기술의 개발 및 보급"
    assert not any(combines(odd, [each]) for each in inside)
    assert combines(odd, inside)
    assert not combines("인터넷 이용의 활성화", inside)


def test_two_items_differ_in_what_they_say_themselves():
    listed = "하기에 충분한 인력과 전산설비 등 물적 시설을 갖출 것"
    odd = "대통령령으로 정하는 시설ㆍ설비 및 인력을 갖출 것"
    assert resembles(odd, [content_bigrams(listed)])
    leak = "제공자가 처리 중 알게 된 중요 정보의 유출을 방지할 수 있는 조치"
    guard = "정보의 불법 유출ㆍ위조ㆍ변조ㆍ삭제 등을 방지하기 위한 기술적 보호조치"
    assert resembles(leak, [content_bigrams(guard)])
    same = ["가입자의 권익 보호대책", "가입자의 권익 보호"]
    assert drop_similar([*same, "사업계획이 타당할 것"]) == [same[0], "사업계획이 타당할 것"]


def test_an_abbreviation_overlaps_with_the_full_name():
    assert names_overlap("국정원장", "국가정보원장")
    assert names_overlap("금융회사", "금융회사등")
    assert not names_overlap("감독원장", "조정위원장")
    assert not names_overlap("법무부장관", "행정안전부장관")
