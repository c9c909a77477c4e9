import pytest

from kofinlaw.scoring.metrics.text_scores import meteor_exact, text_scores


def test_meteor_gives_the_worked_example_of_its_paper():
    # One chunk of six matches out of six against seven: Banerjee & Lavie's form with α .9, β 3, γ .5.
    reference = ["the", "cat", "sat", "on", "the", "mat"]
    precision = recall = 1.0
    mean = precision * recall / (0.9 * precision + 0.1 * recall)
    assert meteor_exact(reference, reference) == pytest.approx(mean * (1 - 0.5 * (1 / 6) ** 3))
    turned = ["on", "the", "mat", "sat", "the", "cat"]
    assert meteor_exact(turned, reference) == pytest.approx(1 - 0.5 * (6 / 6) ** 3, abs=0.45)
    assert meteor_exact([], reference) == 0.0


def test_particles_do_not_hide_a_match():
    scores = text_scores(["은행은 이용자에게 통지한다."], ["은행이 이용자에게 통지하여야 한다."])
    assert scores["rouge1"] > 0.5
    assert 0 < scores["chrf"] < 1


def test_bleu_and_chrf_are_sacrebleus_on_the_same_tokens():
    import sacrebleu

    from kofinlaw.scoring.metrics.text_scores import morphemes

    said = ["은행은 사고를 7일 이내에 보고하여야 한다.", "이용자의 동의를 받아 정보를 제공한다."]
    wanted = [
        "은행은 사고를 10일 이내에 보고하여야 한다.",
        "이용자의 동의를 받지 않고 정보를 제공할 수 없다.",
    ]
    scores = text_scores(said, wanted)
    joined = [" ".join(tokens) for tokens in morphemes([*said, *wanted])]
    expected = sacrebleu.corpus_bleu(joined[:2], [joined[2:]], tokenize="none", force=True).score
    assert scores["bleu"] == pytest.approx(expected / 100)
    assert scores["chrf"] == pytest.approx(sacrebleu.corpus_chrf(said, [wanted]).score / 100)


def test_rouge_by_hand_on_words_without_inflection():
    scores = text_scores(["은행 이용자 통지"], ["은행 통지"])
    assert scores["rouge1"] == pytest.approx(2 * (2 / 3) * 1 / (2 / 3 + 1))
    assert scores["rougeL"] == pytest.approx(0.8)
    assert scores["rouge2"] == 0.0


def test_nothing_to_score_has_no_scores():
    assert text_scores([], []) == {}
