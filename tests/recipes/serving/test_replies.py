"""Pieces of a growing text: they add up to the whole, and nothing is taken back."""

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.models.engines.base import cut_at_stop
from kofinlaw.rag.answer.single_question import AskedAnswer
from kofinlaw.recipes.serving.chat_request import chat_request
from kofinlaw.recipes.serving.jobs import Answered
from kofinlaw.recipes.serving.replies import StableText, completion

LETTERS = st.text("가나👋ab끝.", max_size=30)


@given(LETTERS, st.lists(st.text("끝.a", min_size=1, max_size=4), max_size=2), st.data())
def test_pieces_add_up_to_the_text_before_its_stop(text, stops, data):
    whole, _ = cut_at_stop(text, tuple(stops))
    stable = StableText(tuple(stops))
    pieces = []
    for end in sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5))):
        if cut_at_stop(text[:end], tuple(stops))[1]:
            break  # the engine ends here
        pieces.append(stable.more(text[:end]))
    pieces.append(stable.rest(whole))
    assert "".join(pieces) == whole


def test_half_a_character_is_held_back():
    stable = StableText()
    assert stable.more("안녕하세요 \ufffd\ufffd\ufffd\ufffd") == "안녕하세요 "
    assert stable.rest("안녕하세요 👋") == "👋"


def answered(answer, **more):
    asked = chat_request(
        {"model": "pico", "messages": [{"role": "user", "content": "기간은?"}], **more}
    )
    return completion(asked, Answered(answer), "pico")


def test_usage_has_the_tokens_of_an_answer_from_the_index():
    answer = AskedAnswer("5년이다.", "", 0.5, "model", (), prompt_tokens=700, tokens=6)
    body = answered(answer)
    assert body["usage"] == {"prompt_tokens": 700, "completion_tokens": 6, "total_tokens": 706}
    assert body["notes"] == []


def test_a_limit_that_a_chosen_sentence_exceeds_is_noted():
    answer = AskedAnswer("기록은 5년간 보관한다.", "", 0.5, "quotation", (), tokens=9)
    said = "max_tokens not applied: the answer is a whole sentence or option"
    assert answered(answer, max_tokens=4)["notes"] == [said]
    assert answered(answer, max_tokens=9)["notes"] == []
    assert answered(answer)["notes"] == []
