from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.recipes.pipeline.planning.answering_effort import Load, effort_of, prompts_together


def settings(**values):
    return AnswerSettings.model_validate(values)


def test_effort_grows_with_questions_evidence_and_votes():
    one = effort_of(Load(10, 2), settings(choose_by="generate"), 1000)
    assert effort_of(Load(20, 4), settings(choose_by="generate"), 1000).first == 2 * one.first
    assert effort_of(Load(10, 2), settings(choose_by="generate"), 2000).read > one.read
    voted = effort_of(Load(10, 2), settings(choose_by="generate", votes=5), 1000)
    assert voted.first == one.first
    assert voted.all == 5 * one.all


def test_scores_write_nothing():
    scored = effort_of(Load(10, 0), settings(choose_by="score"), 500)
    assert (scored.written, scored.steps) == (0, 0)
    free = effort_of(Load(0, 10), settings(free_max_tokens=100), 500)
    assert free.written == 1000


def test_prompts_together_share_the_token_limit():
    engine = {"max_batch_tokens": 8192, "max_batch_size": 32}
    assert prompts_together(settings(engine=engine), 2000) == 4
    assert prompts_together(settings(engine=engine), 20_000) == 1
    assert prompts_together(settings(engine=engine), 10) == 16  # batch_questions
    assert prompts_together(settings(engine={"engine": "llamacpp", "slots": 2}), 10) == 2
