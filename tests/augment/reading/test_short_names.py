from kofinlaw.augment.reading.short_names import local_names, needs_article


def test_a_short_name_of_one_article_needs_its_number(parse):
    (article,) = parse(
        "결제법",
        '##### 제1조 (기금)\n\n**①** 감독원장은 기금운용위원회(이하 이 조에서 "기금위원회"라 한다)를 둔다.\n'
        "**②** 기금위원회는 7명으로 구성한다.\n",
    )
    assert local_names(article) == {"기금위원회"}
    assert needs_article(article, "기금위원회는 7명으로 구성한다.")
    assert needs_article(article, "위원회의 회의는 위원장이 소집한다.")
    assert not needs_article(article, "금융위원회는 감독원장에게 업무를 위탁한다.")
    assert not needs_article(article, "감독위원회의 위원회규칙으로 정한다.")
