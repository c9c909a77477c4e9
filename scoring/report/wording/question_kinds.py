"""Name the kinds of questions, the tasks of training examples and the reasons of rejections."""

from __future__ import annotations

from kofinlaw.scoring.value_text import Words

__all__ = ["CHECKS", "KINDS", "REASONS", "ROLES", "TEACHER_TASKS", "kind_label", "reason_label"]

KINDS: dict[str, Words] = {
    "actor": ("행위 주체", "who acts"),
    "addressee": ("행위 상대방", "towards whom"),
    "annex_case": ("별표에서 수치가 속하는 구간", "range of an annex that a number is in"),
    "annex_pair": ("별표 두 행의 짝이 다른 보기", "options that differ in the pair of annex rows"),
    "annex_row": ("별표에서 그 값인 행", "row of an annex with the value"),
    "annex_set": ("별표 여러 행의 설명", "statements on rows of an annex"),
    "annex_value": ("별표의 값", "value in an annex"),
    "chain": ("참조 조문 찾기", "article referred to"),
    "combination": ("옳은 것의 조합", "combination of true statements"),
    "concept": ("개념 구분", "concept"),
    "deadline": ("기한 계산", "deadline"),
    "definition": ("정의", "definition"),
    "definition_mismatch": ("정의가 맞지 않는 용어", "mismatched definition"),
    "definition_term": ("정의에 맞는 용어", "term of a definition"),
    "delegated": ("위임된 사항", "delegated matter"),
    "double_set": ("두 설명을 묶은 보기", "two statements in one option"),
    "duty": ("의무와 금지", "duties"),
    "enumeration": ("각 호에 해당하는 것", "in the list"),
    "enumeration_not": ("각 호에 해당하지 않는 것", "not in the list"),
    "exception": ("예외", "exception"),
    "free": ("주관식", "free text"),
    "modality": ("의무와 재량 구분", "duty or permission"),
    "not_of_article": ("그 조문이 아닌 것", "not of the article"),
    "penalty": ("벌칙", "penalties"),
    "penalty_named": ("벌칙 대상인 행위", "offence with the penalty"),
    "penalty_not": ("벌칙 대상이 아닌 행위", "offence without the penalty"),
    "quantity": ("수량과 기한", "amounts and terms"),
    "sanction": ("제재", "sanction"),
    "share": ("비율 계산", "share of an amount"),
    "slot_act": ("승인·신고 등 행위만 다른 보기", "options that differ in the act"),
    "slot_actor": ("주체만 다른 보기", "options that differ in the actor"),
    "slot_bound": ("이상·초과만 다른 보기", "options that differ in the bound"),
    "slot_condition": ("조건만 다른 보기", "options that differ in the condition"),
    "slot_exception": ("예외만 다른 보기", "options that differ in the exception"),
    "slot_figure": ("수치만 다른 보기", "options that differ in the figure"),
    "slot_member": ("어느 목록의 항목인가", "item of which list"),
    "slot_pair": ("짝이 다른 보기", "options that differ in the pair"),
    "slot_requirement": ("하나면 되는지, 모두 필요한지", "one case suffices or all are needed"),
    "statement_false": ("틀린 설명", "false statement"),
    "statement_true": ("옳은 설명", "true statement"),
    "term_definition": ("용어의 정의", "definition of a term"),
    "topic_set": ("한 장의 설명", "statements on a chapter"),
    "violated_article": ("위반한 조문", "violated article"),
    "which_act": ("어느 법인가", "which act"),
    "which_article": ("어느 조문인가", "which article"),
    "gold_missing": ("근거에 정답 조문이 없는 문항", "gold article missing from the evidence"),
}
TEACHER_TASKS: dict[str, Words] = {
    "explanation": ("설명", "explanation"),
    "scenario": ("사례 질문", "scenario"),
    "free_question": ("주관식 질문", "free-text question"),
    "rephrasing": ("바꾸어 쓰기", "rephrasing"),
    "harder": ("더 어려운 질문", "harder question"),
    "easier": ("더 쉬운 질문", "easier question"),
    "summary": ("요약", "summary"),
    "dialogue": ("대화", "dialogue"),
    "refusal": ("답할 수 없는 질문", "refusal"),
    "choice_scenario": ("객관식 사례", "multiple-choice scenario"),
    "choice_paraphrase": ("바꾸어 쓴 객관식", "rephrased multiple choice"),
    "comparison": ("비교", "comparison"),
}
REASONS: dict[str, Words] = {
    "answer_in_stem": ("질문에 답이 나옴", "the question contains the answer"),
    "answer_like_stem": (
        "정답 보기만 질문의 단어를 반복함",
        "only the right option repeats the question's words",
    ),
    "duplicate_option": ("같은 보기가 두 개", "two options are equal"),
    "empty_option": ("빈 보기", "an option is empty"),
    "evidence_too_long": (
        "결정적인 줄이 근거의 한도에 들어가지 않음",
        "a deciding line does not fit into the evidence",
    ),
    "polarity": ("긍정·부정형을 오해할 수 있는 질문", "the question's polarity can be misread"),
    "too_long": ("최대 길이를 넘음", "longer than the limit"),
    "trained_sentence": ("학습에 쓴 문장", "a sentence that training uses"),
}
CHECKS: dict[str, Words] = {
    "about_the_passage": ("지문을 가리키는 질문", "the question points at the passage"),
    "actor": ("주체가 바뀜", "another actor"),
    "answered": ("답 없음", "no answer"),
    "article": ("없는 조문", "article not in the passage"),
    "articles": ("근거에 없는 조문", "articles not in the passage"),
    "asks": ("질문이 아님", "not a question"),
    "bounds": ("이상·초과가 바뀜", "another bound"),
    "checked": ("검사하지 못함", "could not be checked"),
    "denial": ("근거 없이 부정함", "denial without grounds"),
    "figures": ("근거에 없는 수치", "figures not in the passage"),
    "judge": ("심판이 거부함", "refused by the judge"),
    "keywords": ("핵심어가 빠짐", "keywords are missing"),
    "korean": ("한국어가 아님", "not Korean"),
    "length": ("길이가 맞지 않음", "wrong length"),
    "length_rank": ("길이로 정답이 드러남", "the length reveals the answer"),
    "natural": ("부자연스러운 글", "unnatural text"),
    "negation": ("부정이 바뀜", "another negation"),
    "new": ("이미 있는 질문", "not a new question"),
    "no_leak": ("질문에 답이 나옴", "the question leaks the answer"),
    "not_an_echo": ("질문을 반복한 답", "the answer repeats the question"),
    "not_in_circles": ("같은 말을 반복함", "the text repeats itself"),
    "not_protected": ("평가 문항과 같음", "equal to an evaluation question"),
    "not_the_prompt": ("프롬프트를 반복함", "repeats the prompt"),
    "options_kept": ("보기가 바뀜", "changed options"),
    "parses": ("형식이 틀림", "wrong form"),
    "citations": ("말뭉치에 없거나 다른 조문 인용", "a reference that the corpus refutes"),
    "personal_data": ("개인정보가 있음", "personal data"),
    "question_from_the_passage": ("지문과 관련 없는 질문", "the question is not about the passage"),
    "reanswer": ("다시 풀면 답이 다름", "another answer on a second try"),
    "reworded": ("바꾸어 쓰지 않음", "not reworded"),
    "same_articles": ("조문이 바뀜", "other articles"),
    "same_polarity": ("긍정·부정이 바뀜", "another polarity"),
    "substitution": ("사실이 바뀜", "changed facts"),
    "terms": ("근거에 없는 용어", "terms not in the passage"),
    "to_the_task": ("과제와 다름", "not what the task asks for"),
    "towards": ("상대방이 바뀜", "another addressee"),
    "written": ("예제로 쓰지 못함", "could not be written as an example"),
}
ROLES: dict[str, Words] = {
    "system": ("시스템 지시", "system"),
    "user": ("질문", "user"),
    "assistant": ("답", "assistant"),
}


def kind_label(name: str) -> Words:
    """Return the name of a kind of question, a generator or a task; unknown names stay unchanged.

    Forms: `quantity`, `choice_quantity`, `slot_pair_twin`, `teacher_summary`, `free_gold_missing`.
    """
    if name in KINDS:
        return KINDS[name]
    kind, _, rest = name.partition("_")
    if kind == "teacher" and rest in TEACHER_TASKS:
        korean, english = TEACHER_TASKS[rest]
        return f"교사 모델: {korean}", f"teacher: {english}"
    if kind == "free" and rest in KINDS:
        korean, english = KINDS[rest]
        return f"주관식: {korean}", f"free text: {english}"
    if kind == "choice" and rest:
        return kind_label(rest)
    if name.endswith("_twin"):
        korean, english = kind_label(name.removesuffix("_twin"))
        return f"{korean} (쌍둥이)", f"{english} (twin)"
    return name, name


def reason_label(name: str) -> Words:
    """Return a reason of rejection in words; unknown reasons stay unchanged."""
    return REASONS.get(name) or CHECKS.get(name) or (name, name)
