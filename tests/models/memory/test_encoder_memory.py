from kofinlaw.models.catalogue import find_model
from kofinlaw.models.memory.encoder_memory import encoder_memory
from kofinlaw.units import GIB

KURE = find_model("nlpai-lab/KURE-v1")


def test_the_weights_of_a_large_encoder_are_most_of_its_memory():
    gib = encoder_memory(KURE, batch=32, tokens=128, bytes_per_weight=4)
    weights = KURE.parameters * 4 / GIB
    assert weights < gib < 1.3 * weights


def test_memory_grows_with_the_batch_and_halves_in_16_bit():
    one, many = (encoder_memory(KURE, batch=n, tokens=512, bytes_per_weight=4) for n in (1, 16))
    assert many > one
    assert encoder_memory(KURE, batch=16, tokens=512, bytes_per_weight=2) == many / 2
    longer = encoder_memory(KURE, batch=16, tokens=100_000, bytes_per_weight=4)
    window = encoder_memory(KURE, batch=16, tokens=KURE.context, bytes_per_weight=4)
    assert longer == window
