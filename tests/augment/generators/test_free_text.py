from kofinlaw.augment.generators import free_text


def test_free_text_references_have_forty_to_ninety_characters(law):
    items = list(free_text.generate(law))
    assert items
    for item in items:
        assert free_text.SHORTEST <= len(item.reference) <= free_text.LONGEST
        assert item.keywords
