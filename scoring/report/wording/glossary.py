"""Explain the terms of the pages, and mark a term in a text as a link to its explanation."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kofinlaw.scoring.value_text import Words

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["GLOSSARY", "Term", "marked"]


@dataclass(frozen=True, slots=True)
class Term:
    """A term with its explanation.

    `ko_forms` and `en_forms` are the regular expressions of the forms that are marked in a text.
    """

    key: str
    name: Words
    text: Words
    ko_forms: tuple[str, ...]
    en_forms: tuple[str, ...]


def _term(
    key: str, name: Words, text: Words, ko: tuple[str, ...] = (), en: tuple[str, ...] = ()
) -> Term:
    return Term(key, name, text, ko or (re.escape(name[0]),), en or (re.escape(name[1]),))


GLOSSARY: tuple[Term, ...] = (
    _term(
        "interval",
        ("신뢰 구간", "confidence interval"),
        (
            "문항을 다시 뽑아(부트스트랩) 계산했을 때 점수가 95% 확률로 들어가는 범위입니다. "
            "구간이 "
            "넓으면 문항이 적다는 뜻입니다.",
            "The range that holds the score in 95% of resamples of the items (bootstrap). A wide "
            "interval means that there are few items.",
        ),
        ("신뢰 구간", "95% 구간", "부트스트랩"),
        ("confidence intervals?", "95% intervals", "bootstrap"),
    ),
    _term(
        "baseline",
        ("단순 기준선", "trivial baseline"),
        (
            "언어 모델 없이 답을 고르는 간단한 규칙입니다. 시스템이 이 규칙보다 낫지 않으면 점수는 "
            "내용을 이해했다는 증거가 되지 않습니다.",
            "A simple rule that picks answers without a language model. A score that is not above "
            "it is no evidence that the system understands the subject.",
        ),
        ("단순 기준선", "기준선"),
        ("trivial baselines?", "[Bb]aselines?"),
    ),
    _term(
        "fsku",
        ("FSKU", "FSKU"),
        (
            "금융 지식 평가의 주관식 점수: 0.6 × 모범 답과의 코사인 유사도 + 0.4 × 핵심어 재현율.",
            "The free-text score of the Korean financial exam: 0.6 × cosine similarity to the "
            "reference + 0.4 × keyword recall.",
        ),
    ),
    _term(
        "cosine",
        ("코사인", "cosine"),
        (
            "임베딩 벡터 두 개의 방향이 비슷한 정도입니다. 임베더마다 서로 다른 문장끼리도 "
            "높은 값이 "
            "나올 수 있습니다.",
            "How close the directions of two embedding vectors are. With some embedders even "
            "unrelated sentences have a high value.",
        ),
        ("코사인",),
        ("[Cc]osine",),
    ),
    _term(
        "keywords",
        ("핵심어 재현율", "keyword recall"),
        (
            "모범 답의 핵심어 가운데 답에 나온 것의 비율입니다.",
            "The share of the reference's keywords that the answer contains.",
        ),
        ("핵심어 재현율", "핵심어"),
        ("keyword recall", "Keywords"),
    ),
    _term(
        "facts",
        ("핵심 사실", "key facts"),
        (
            "모범 답의 수치, 주체, 조문, 조건, 의무 가운데 질문에 없는 것입니다. 답에 모순 없이 "
            "있는 비율을 셉니다.",
            "The reference's figures, actors, articles, conditions and duties that the question "
            "does not hold. The score is the share that the answer states without contradiction.",
        ),
        ("핵심 사실",),
        ("[Kk]ey[ -]facts?",),
    ),
    _term(
        "blend",
        ("종합 점수", "blend"),
        (
            "객관식 점수와 주관식 점수를 반씩 더한 값입니다.",
            "Half the multiple-choice score plus half the free-text score.",
        ),
        ("종합 ½\\+½", "종합 점수", "종합"),
        ("[Bb]lend ½\\+½", "[Bb]lend"),
    ),
    _term(
        "p",
        ("p (유의 확률)", "p (p-value)"),
        (
            "두 시스템이 실제로 같을 때 이만큼 또는 더 큰 차이가 우연히 나올 확률입니다. 보통 "
            "0.05보다 "
            "작아야 우연이 아니라고 말합니다.",
            "The probability of a difference at least this large if the two systems were equal. "
            "Below 0.05 is usually called significant.",
        ),
        ("^p$",),
        ("^p$",),
    ),
    _term(
        "holm",
        ("p (Holm)", "p (Holm)"),
        (
            "여러 쌍을 한꺼번에 비교하면 우연히 작은 p가 나오기 쉬우므로 홀름(Holm) 방법으로 "
            "보정한 "
            "값입니다.",
            "The p-value corrected by Holm's method, because one of many comparisons is easily "
            "significant by chance.",
        ),
        ("p \\(Holm\\)",),
        ("p \\(Holm\\)",),
    ),
    _term(
        "mcnemar",
        ("맥니마 검정", "McNemar test"),
        (
            "같은 문항을 푼 두 시스템을 비교하는 검정입니다. 한쪽만 맞힌 문항의 수만 봅니다.",
            "A test for two systems on the same items. It looks only at the items that exactly one "
            "of them answers correctly.",
        ),
        ("정확 맥니마 검정", "맥니마 검정"),
        ("exact McNemar test", "exact McNemar", "McNemar test"),
    ),
    _term(
        "hit",
        ("hit@k", "hit@k"),
        (
            "정답 조문이 검색 결과의 처음 k개 안에 있는 문항의 비율입니다.",
            "The share of items whose gold article is among the first k results.",
        ),
        ("hit@\\d", "hit@k"),
        ("hit@\\d", "hit@k"),
    ),
    _term(
        "recall",
        ("recall@5", "recall@5"),
        (
            "문항의 정답 조문 가운데 처음 5개 결과에서 찾은 것의 비율입니다.",
            "The share of an item's gold articles that are among the first five results.",
        ),
    ),
    _term(
        "mrr",
        ("MRR", "MRR"),
        (
            "처음 나온 정답 조문의 순위의 역수(1위 = 1, 2위 = ½)를 평균한 값입니다.",
            "The mean of 1/rank of the first gold article: 1 at rank 1, ½ at rank 2.",
        ),
    ),
    _term(
        "ndcg",
        ("nDCG@10", "nDCG@10"),
        (
            "처음 10개 결과의 순서가 이상적인 순서에 가까운 정도입니다. 1이면 정답 조문이 모두 맨 "
            "앞에 있습니다.",
            "How close the order of the first ten results is to the ideal one. 1 means that all "
            "gold articles come first.",
        ),
    ),
    _term(
        "p50",
        ("p50, p95", "p50, p95"),
        (
            "문항의 50%(95%)가 이 시간 안에 끝났습니다. p50은 중앙값입니다.",
            "50% (95%) of the items took at most this time. p50 is the median.",
        ),
        ("p50", "p95", "P50", "P95"),
        ("p50", "p95", "P50", "P95"),
    ),
    _term(
        "nat",
        ("nat", "nat"),
        (
            "자연로그로 잰 정보량의 단위입니다. 손실 1 nat은 다음 토큰을 (기하) 평균 37% 확률로 "
            "예상한다는 "
            "뜻입니다.",
            "The unit of information by the natural logarithm. A loss of 1 nat means that the next "
            "token is expected with a (geometric) mean probability of 37%.",
        ),
        ("nat",),
        ("nats?",),
    ),
    _term(
        "loss",
        ("손실", "loss"),
        (
            "모델이 정답 토큰을 예상하지 못한 정도입니다. 낮을수록 좋습니다.",
            "How little the model expects the right tokens. Lower is better.",
        ),
        ("학습 손실", "손실"),
        ("[Tt]raining loss", "[Ll]oss"),
    ),
    _term(
        "kl",
        ("KL 발산", "KL divergence"),
        (
            "두 모델이 예상하는 다음 토큰의 확률 분포가 다른 정도입니다. 0이면 같습니다.",
            "How much the next-token probabilities of two models differ. 0 means equal.",
        ),
    ),
    _term(
        "argmax",
        ("다음 토큰 일치", "argmax agreement"),
        (
            "두 모델이 가장 확률이 높다고 보는 다음 토큰이 같은 위치의 비율입니다.",
            "The share of positions at which two models have the same most likely next token.",
        ),
    ),
    _term(
        "adapter",
        ("어댑터", "adapter"),
        (
            "기본 모델에 더해 학습한 작은 가중치(LoRA)입니다. 병합하면 기본 모델의 가중치에 "
            "더해집니다.",
            "The small trained weights (LoRA) next to the base model. Merging adds them to the "
            "base model's weights.",
        ),
    ),
    _term(
        "ece",
        ("보정 오차(ECE)", "calibration error (ECE)"),
        (
            "신뢰도와 실제 정답률의 차이를 신뢰도 구간별로 평균한 값입니다. 0이면 신뢰도를 그대로 "
            "믿어도 됩니다.",
            "The mean gap between confidence and accuracy over intervals of confidence. At 0 the "
            "confidence can be taken at face value.",
        ),
        ("보정 오차\\(ECE\\)", "보정 오차", "ECE"),
        ("[Cc]alibration error \\(ECE\\)", "[Cc]alibration error", "ECE"),
    ),
    _term(
        "aurc",
        ("AURC", "AURC"),
        (
            "확신이 큰 답부터 답할 때, 모든 응답률에 걸친 평균 오답 위험입니다. 낮을수록 좋습니다.",
            "The mean risk over all coverages if the most confident items are answered first. "
            "Lower is better.",
        ),
    ),
    _term(
        "coverage",
        ("응답률", "coverage"),
        (
            "기권하지 않고 답한 문항의 비율입니다.",
            "The share of items that are answered rather than refused.",
        ),
        ("응답률",),
        ("[Cc]overages?",),
    ),
    _term(
        "chunk",
        ("청크", "chunk"),
        (
            "검색하기 위해 문서를 나눈 조각입니다. 보통 조문 하나입니다.",
            "A piece of a document as the search finds it, usually one article.",
        ),
        ("청크",),
        ("[Cc]hunks?",),
    ),
    _term(
        "token",
        ("토큰", "token"),
        (
            "모델이 읽고 쓰는 글의 단위입니다. 한국어는 보통 한두 글자가 한 토큰입니다.",
            "The unit of text that a model reads and writes, usually one or two Korean characters.",
        ),
        ("토큰",),
        ("[Tt]okens?",),
    ),
    _term(
        "prefill",
        ("프리필", "prefill"),
        (
            "모델이 프롬프트를 읽는 단계입니다.",
            "The phase in which the model reads the prompt.",
        ),
        ("프리필",),
        ("[Pp]refill",),
    ),
    _term(
        "decode",
        ("디코드", "decode"),
        (
            "모델이 답을 한 토큰씩 쓰는 단계입니다.",
            "The phase in which the model writes the answer token by token.",
        ),
        ("디코드",),
        ("[Dd]ecode",),
    ),
    _term(
        "padding",
        ("패딩 비율", "padding share"),
        (
            "길이를 맞추려고 채운 빈 토큰의 비율입니다. 낮을수록 계산을 덜 버립니다.",
            "The share of empty tokens that make sequences equally long. Lower wastes less work.",
        ),
    ),
    _term(
        "heldout",
        ("홀드아웃", "held out"),
        (
            "학습에 쓰지 않고 평가에만 쓴 문서나 예제입니다.",
            "Documents or examples that training did not use, only the evaluation.",
        ),
        ("홀드아웃",),
        ("held[ -]out",),
    ),
    _term(
        "evidence",
        ("근거", "evidence"),
        (
            "질문에 답하라고 모델에 보여 준 문서의 내용입니다.",
            "The passages of documents that the model is shown for a question.",
        ),
        ("검색한 근거",),
        ("retrieved evidence",),
    ),
    _term(
        "gold",
        ("정답 조문", "gold article"),
        (
            "평가 문항의 답이 들어 있는 조문입니다.",
            "The article that holds the answer to an evaluation item.",
        ),
        ("정답 조문",),
        ("[Gg]old articles?", "[Gg]old in (?:the )?prompt"),
    ),
    _term(
        "fingerprint",
        ("핑거프린트", "fingerprint"),
        (
            "단계의 설정과 입력을 나타내는 값입니다. 같으면 같은 단계를 다시 실행할 필요가 "
            "없습니다.",
            "A value of a stage's settings and inputs. If it is equal, the stage need not run "
            "again.",
        ),
        ("핑거프린트",),
        ("[Ff]ingerprint",),
    ),
    _term(
        "bleu",
        ("BLEU", "BLEU"),
        (
            "답과 모범 답에서 겹치는 형태소 묶음의 비율입니다.",
            "The share of morpheme sequences that answer and reference have in common.",
        ),
        ("BLEU",),
        ("BLEU", "bleu"),
    ),
    _term(
        "rouge",
        ("ROUGE", "ROUGE"),
        (
            "모범 답의 형태소(또는 가장 긴 공통 순서)가 답에 나온 정도입니다.",
            "How much of the reference's morphemes (or longest common sequence) the answer has.",
        ),
        ("ROUGE(?:-\\w)?",),
        ("ROUGE(?:-\\w)?",),
    ),
    _term(
        "meteor",
        ("METEOR", "METEOR"),
        (
            "순서까지 고려해 답과 모범 답의 형태소가 맞는 정도입니다. 여기서는 정확히 같은 "
            "형태소만 "
            "비교합니다.",
            "How well the morphemes of answer and reference match, with their order. Only exact "
            "morphemes count here.",
        ),
    ),
)


@functools.cache
def _pattern(language: str) -> re.Pattern[str]:
    """Return one pattern of all forms of a language, each in the group of its key."""
    pairs = [
        (term.key, form)
        for term in GLOSSARY
        for form in (term.ko_forms if language == "ko" else term.en_forms)
    ]
    pairs.sort(key=lambda pair: -len(pair[1]))
    # A Korean term may be followed by a particle, but not preceded by another letter.
    end = r"(?![A-Za-z0-9])"
    parts = [
        f"(?P<{key}_{number}>(?<![A-Za-z0-9가-힣])(?:{form}){end})"
        for number, (key, form) in enumerate(pairs)
    ]
    return re.compile("|".join(parts))


def marked(text: str, language: str) -> Markup:
    """Return a text as HTML whose terms link to the glossary; each term is marked once.

    The text is escaped. `language` is `ko` or `en`.
    """
    from markupsafe import Markup, escape

    seen: set[str] = set()
    out = Markup()
    at = 0
    for match in _pattern(language).finditer(text):
        key = str(match.lastgroup).rpartition("_")[0]
        if key in seen:
            continue
        seen.add(key)
        out += escape(text[at : match.start()])
        out += Markup(
            '<a class="term" href="#term-{0}" aria-describedby="term-{0}-{1}">{2}</a>'
        ).format(key, language, match[0])
        at = match.end()
    return out + escape(text[at:])
