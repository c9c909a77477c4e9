"use strict";
const WORDS = {
  ko: {
    kind: "종류", every: "차례대로", token: "토큰", other: "English", reader: "검토자 {name}", answer: "정답",
    right: "1 맞음", wrong: "2 틀림", unclear: "3 불분명", undo: "U 되돌리기", reason: "이유", save: "틀림으로 저장",
    correct: "고치기", question: "문제", option: "보기 {n}", target: "답변", reasoning: "답 앞의 이유",
    hint: "1: 맞음, 2: 틀림(이유를 쓰고 Enter), 3: 불분명, U 또는 Backspace: 되돌리기, R: 이유, C: 고치기, " +
      "Esc: 입력란에서 나오기.",
    evidence: "모델에 제시된 조문", articles: "조문 전체", bare: "조문을 제시하지 않은 예제",
    unknown: "결정 근거가 된 조문을 알 수 없습니다", earlier: "앞선 대화",
    progress: "진행", meaning: "각 비율은 위아래 한계가 95 %로 성립합니다. 위 한계가 2 % 이하이면 확인, 아래 한계가 2 %를 넘으면 기각입니다.",
    columns: ["종류", "예제", "내가 읽음", "읽음", "틀림", "불분명", "최소", "최대", "2 % 이하"],
    shown: "확인", refuted: "기각", open: "미정", none: "읽지 않음", after: "{n}개 만에",
    saved: "저장했습니다: {text}", undone: "되돌렸습니다", nothing: "되돌릴 판정이 없습니다",
    done: "읽을 예제가 남지 않았습니다. 끝내려면 터미널에서 Ctrl+C를 누르세요.",
    doneKind: "이 종류는 끝났습니다.", agreement: "{a}, {b}: {n}개 중 {equal}개 일치, 카파 {kappa}",
    differ: "두 검토자의 판정이 다릅니다. 합의한 판정을 고르세요.", settle: "합의할 예제", interval: " ({low}~{high})",
    lost: "서버에 연결할 수 없습니다", locked: "토큰을 입력하세요",
    changes: "다음 augment에서 제외 {out}개, 수정 {edited}개", said: "{name}: {verdict}",
    kinds: { right: "맞음", wrong: "틀림", unclear: "불분명" }, undefined: "정의되지 않음",
    agreed: "이 예제는 그사이에 합의되었습니다", answered: "서버의 답: {text}",
    errors: {
      empty_question: "문제가 비어 있습니다", option_count: "이 예제의 보기는 {n}개입니다", empty_option: "{n}번 보기가 비어 있습니다",
      equal_options: "글자와 숫자가 같은 보기가 둘 있습니다", option_lines: "보기는 한 줄로 씁니다",
      answer: "정답은 {allowed} 중 하나입니다", no_answer: "이 예제에는 정답 칸이 없습니다", empty_target: "답변이 비어 있습니다",
      no_target: "이 예제에는 답변 칸이 없습니다", unchanged: "고친 내용이 없습니다",
      marks: "예제의 부분을 나누는 말(예: [문제])이 들어 있습니다", long_reason: "이유는 {n}자까지 쓸 수 있습니다",
      no_difference: "이 예제의 판정은 서로 다르지 않습니다", other_text: "예제의 글이 바뀌었습니다. 페이지를 새로 고치세요",
      machine: "디스크에 쓰지 못했습니다. 남은 용량과 권한을 확인하세요. 판정은 저장되지 않았습니다",
    },
  },
  en: {
    kind: "Kind", every: "in order", token: "Token", other: "한국어", reader: "reader {name}", answer: "answer",
    right: "1 right", wrong: "2 wrong", unclear: "3 unclear", undo: "U undo", reason: "Reason", save: "Save as wrong",
    correct: "Correct it", question: "Question", option: "Option {n}", target: "Reply",
    reasoning: "Reason before the answer",
    hint: "1: right, 2: wrong (write the reason, then Enter), 3: unclear, U or Backspace: undo, R: reason, " +
      "C: correct, Esc: leave the field.",
    evidence: "Shown to the model", articles: "Whole article", bare: "An example without evidence",
    unknown: "The deciding article is not known", earlier: "Earlier turns",
    progress: "Progress", meaning: "Each bound of a rate holds with 95 %. Shown: the upper bound is at most 2 %. " +
      "Refuted: the lower bound is above 2 %.",
    columns: ["kind", "examples", "read by me", "read", "wrong", "unclear", "at least", "at most", "at most 2 %"],
    shown: "shown", refuted: "refuted", open: "open", none: "not reviewed", after: "after {n}",
    saved: "saved: {text}", undone: "taken back", nothing: "there is no verdict to take back",
    done: "No example is left to read. Press Ctrl+C in the terminal to finish.",
    doneKind: "This kind is finished.", agreement: "{a}, {b}: {equal} of {n} equal, kappa {kappa}",
    differ: "The readers differ. Choose the verdict on which you agree.", settle: "To settle",
    interval: " ({low} to {high})",
    lost: "The server cannot be reached", locked: "Enter the token",
    changes: "the next augment leaves out {out} and corrects {edited}", said: "{name}: {verdict}",
    kinds: { right: "right", wrong: "wrong", unclear: "unclear" }, undefined: "undefined",
    agreed: "This example was settled in the meantime", answered: "The server answered: {text}",
    errors: {
      empty_question: "The question is empty", option_count: "This example has {n} options",
      empty_option: "Option {n} is empty", equal_options: "Two options have the same letters and digits",
      option_lines: "An option has one line", answer: "The answer is one of {allowed}",
      no_answer: "This example has no answer field", empty_target: "The reply is empty",
      no_target: "This example has no reply field", unchanged: "The correction changes nothing",
      marks: "A text holds words that separate the parts of an example, like [문제]",
      long_reason: "A reason has at most {n} characters", no_difference: "The verdicts on this example do not differ",
      other_text: "The example has another text now: load the page again",
      machine: "The disk cannot be written: check its free space and permissions. The verdict is not saved",
    },
  },
};

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
