"""Small files in the form of each evaluation set, with questions of our own."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

ASKED = (
    ("연체이자는 언제부터 붙는가?", ("만기일", "만기 다음 날", "통지한 날", "약정한 날"), 2),
    ("창구에서 본인을 확인하지 않아도 되는 거래는?", ("계좌 개설", "고액 송금", "잔돈 교환", "대출"), 3),
    ("금고 열쇠를 나누어 맡는 사람은?", ("지점장과 대리", "고객", "청원경찰", "감사"), 1),
)  # fmt: skip
PROVISIONS = (
    ("연체 규정 제5조", "연체이자는 만기일의 다음 날부터 붙는다."),
    ("창구 규정 제3조", "창구에서 잔돈을 교환하는 거래는 본인을 확인하지 아니한다."),
    ("금고 규정 제2조", "금고 열쇠는 지점장과 대리가 나누어 보관한다."),
)
LETTERS = "ABCDE"


def write_rows(path: Path, rows: list[dict]) -> Path:
    """Write rows as the ending of the path says; `.json` is a list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    else:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text("".join(lines), encoding="utf-8")
    return path


def lettered(options, **others):
    return {**dict(zip(LETTERS, options, strict=False)), **others}


def kmmlu(asked=ASKED):
    return [
        {"question": q, "answer": a, **lettered(o), "Category": "은행", "Human Accuracy": 0.6}
        for q, o, a in asked
    ]


def licensure(asked=ASKED):
    return [
        {"question": q, "options": list(o), "solution": str(a), "license_name": "은행원", "subject": "창구"}
        for q, o, a in asked
    ]  # fmt: skip


def fsku(asked=ASKED, answers=True):
    rows = []
    for q, o, a in asked:
        text = "\n".join([q, *(f"{n} {option}" for n, option in enumerate(o, 1))])
        rows.append({"Domain": "금융보안법률", "Sub_domain": "전자금융", "Question": text})
        if answers:
            rows[-1]["Answer"] = a
    return rows


def kbl(asked=ASKED, key="gt"):
    return [{"question": q, **lettered(o), key: LETTERS[a - 1]} for q, o, a in asked]


def kcl(asked=ASKED):
    texts = [json.dumps({f"대법원 2019다{n}": f"판결요지 {n}. {text}"}, ensure_ascii=False)
             for n, (_, text) in enumerate(PROVISIONS)]  # fmt: skip
    return [
        {"meta": "변호사시험", "question": q, **lettered((*o, "없음")), "label": LETTERS[a - 1],
         "supporting_precedents": texts[n : n + 2]}
        for n, (q, o, a) in enumerate(asked)
    ]  # fmt: skip


def koblex():
    return [
        {"background": "지점에서 일이 생겼다.", "question": q, "answer": f"{o[a - 1]}이다.", "n_hops": 1,
         "contexts": [{"hierarchy": PROVISIONS[n][0], "content": PROVISIONS[n][1]}]}
        for n, (q, o, a) in enumerate(ASKED)
    ]  # fmt: skip


def statutes():
    return [{"hierarchy": title, "content": text} for title, text in PROVISIONS]


def allganize():
    return [
        {"domain": domain, "question": q, "target_answer": f"{o[a - 1]}이다.",
         "target_file_name": "규정집.pdf", "target_page_no": page, "context_type": "paragraph"}
        for (q, o, a), domain, page in zip(ASKED, ("finance", "law", "medical"), ("1", "2, 3", "4"),
                                           strict=True)
    ]  # fmt: skip


def autorag(gold=(["p0"], [["p1"], ["p2", "p0"]], "p2"), answers=("가", ["나", "다"], ["라"])):
    return [
        {"qid": f"q{n}", "query": ASKED[n][0], "retrieval_gt": g, "generation_gt": a}
        for n, (g, a) in enumerate(zip(gold, answers, strict=True))
    ]


def autorag_corpus():
    return [
        {"doc_id": f"p{n}", "contents": f"{title} {text}", "metadata": {"page": n}}
        for n, (title, text) in enumerate(PROVISIONS)
    ]


def fire_choice(asked=ASKED):
    return [
        {"question_id": n, "related_doc_ids": [n, 2], "related_semantic_ids": ["가"], "question": q,
         **{f"option_{i}": text for i, text in enumerate((*o, "알 수 없음"), 1)},
         "answer_full": a, "answer_partial": 5}
        for n, (q, o, a) in enumerate(asked)
    ]  # fmt: skip


def fire_free():
    return [
        {"question_id": n, "question": q, "answer": f"{o[a - 1]}입니다.", "related_doc_ids": [n, None],
         "semantic_ids": ["가"]}
        for n, (q, o, a) in enumerate(ASKED)
    ]  # fmt: skip


def fire_documents():
    return [
        {"doc_id": n, "semantic_id": title, "law_name": title.split()[0], "chapter": title.split()[1],
         "chapter_description": "", "text": text, "related_doc_ids": []}
        for n, (title, text) in enumerate(PROVISIONS)
    ]  # fmt: skip
