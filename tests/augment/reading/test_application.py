from kofinlaw.augment.reading.application import applied_articles, named_articles

NUMBERS = ("제79조", "제80조", "제81조", "제82조", "제83조", "제88조")


def test_a_range_names_the_articles_between_its_ends():
    assert named_articles("제80조 내지 제82조의 규정은", NUMBERS) == {"제80조", "제81조", "제82조"}
    assert named_articles("제79조부터 제81조까지 및 제83조를", NUMBERS) == {
        "제79조",
        "제80조",
        "제81조",
        "제83조",
    }


def test_an_article_is_applied_where_another_says_so():
    texts = [
        ("제81조", "관리인은 서면을 제시하여야 한다."),
        ("제88조", "제80조 내지 제82조의 규정은 조사위원에 관하여 준용한다."),
        ("제83조", "제81조에 따라 제시한 서면을 보관한다."),
    ]
    found = applied_articles(texts, NUMBERS)
    assert set(found) == {"제80조", "제81조", "제82조"}
    assert "조사위원" in found["제81조"][0]
