"""Pieces of a growing text: they add up to the whole, and nothing is taken back."""

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.models.engines.base import cut_at_stop
from kofinlaw.recipes.serving.replies import StableText

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
