import random

from kofinlaw.augment.generators import stems
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.data.prompting.stems import is_negative


def test_a_form_is_chosen_by_its_polarity():
    forms = ["규정에 해당하지 않는 것은?", "규정에 해당하는 것은?", ""]
    assert stems.choose(forms, random.Random(0)) == forms[1]
    assert stems.choose(forms[:1], random.Random(0)) == ""
    assert stems.choose(forms, random.Random(0), negative=True) == forms[0]


def test_closings_are_read_as_they_are_meant():
    for seed in range(60):
        rng = random.Random(seed)
        assert not is_negative(f"설명으로 {stems.closing(rng)}")
        assert is_negative(f"설명으로 {stems.closing(rng, negative=True)}")


def test_an_article_is_cited_where_it_must_be_and_seldom_else(law):
    plain = next(c for c in law.clauses if c.citation == "제4조제3항")
    starts = [stems.opening(plain, random.Random(seed)) for seed in range(400)]
    assert len(set(starts)) > 10
    assert 0.1 < sum("제4조제3항" in start for start in starts) / 400 < 0.3
    assert "제4조제3항" in stems.opening(plain, random.Random(0), cited=True)


def test_a_heading_that_two_articles_have_comes_with_its_number(parse):
    text = """
##### 제1조 (보고)

은행은 알려야 한다.

##### 제2조 (보고)

은행은 알려야 한다.

##### 제3조 (공시)

은행은 알려야 한다.
"""
    law = read_laws(parse("은행업법", text)).acts[0]
    matters = [
        {stems.subject_matter(a, random.Random(seed), law.headings) for seed in range(50)}
        for a in law.articles
    ]
    assert matters[0] == {"「은행업법」 제1조(보고)"}
    assert "「은행업법」상 공시" in matters[2]


def test_a_blank_shows_both_particles_where_the_options_differ(law):
    text = "2주가 지난 때"
    assert stems.blank(text, 0, 2, ["2주", "3주"]) == "(   )가 지난 때"
    assert stems.blank(text, 0, 2, ["2주", "10일"]) == "(   )이(가) 지난 때"


def test_few_stems_quote_the_law(law):
    clause = next(c for c in law.clauses if c.citation == "제4조제3항")
    made = [stems.fill_in(clause, "기록을 (   ) 보존한다.", random.Random(n)) for n in range(400)]
    assert 0.08 < sum('"' in stem for stem in made) / 400 < 0.25
    assert all("(   )" in stem for stem in made)
