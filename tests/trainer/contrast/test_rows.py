"""The rows of a pass: their size, and the same targets packed or separate."""

import numpy as np

from kofinlaw.trainer.contrast.items import pack_choice
from kofinlaw.trainer.contrast.rows import area, pass_rows, rows_of, width_of
from kofinlaw.trainer.encoding import Encoded


def examples():
    options = [[11, 12], [13], [14, 15, 16]]
    tokens, choice = pack_choice([1, 2, 3, 4], options, [1], options, answer=0, negative=False)
    item = Encoded("item", tokens, choice.scored(), choice=choice)
    return [Encoded("text", np.arange(20, 25), np.arange(5) >= 3), item]


def test_a_packed_item_is_one_row_and_a_separate_one_has_a_row_for_each_option_and_prompt():
    text, item = examples()
    assert (rows_of(item, packed=True), width_of(item, packed=True)) == (1, 4 + 6 + 1 + 6)
    assert (rows_of(item, packed=False), width_of(item, packed=False)) == (6, 4 + 3)
    assert area([text, item], packed=True) == 2 * 17
    assert area([text, item], packed=False) == 7 * 7
    for packed in (True, False):
        rows = pass_rows([text, item], packed=packed)
        assert rows.ids.size == area([text, item], packed=packed)


def test_targets_and_their_sources_are_the_same_tokens_packed_or_separate():
    packed, separate = (pass_rows(examples(), packed=p) for p in (True, False))
    assert packed.sizes == separate.sizes == (2, 2, 1, 3, 2, 1, 3)
    assert packed.targets.tolist() == separate.targets.tolist()
    before = [rows.ids.reshape(-1)[rows.sources].tolist() for rows in (packed, separate)]
    assert before[0] == before[1] == [22, 23, 4, 11, 4, 4, 14, 15, 1, 11, 1, 1, 14, 15]


def test_texts_alone_need_no_layout():
    assert pass_rows(examples()[:1], packed=True).layout is None
