"""Read a file format that kofinlaw does not read: e-mails (.eml) with the answers of a help desk.

    python examples/add_a_reader.py

A reader gets a path and yields documents. `make_document` finds title, kind, date and licence, as
for every other format. Any error rejects the file with its message, and the run continues. Without
`--documents` the example writes two small e-mails and reads them.
"""

from __future__ import annotations

import argparse
import email
import email.policy
from collections.abc import Iterator
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data import DataSettings, Document, SourceSettings, build_corpus, read_chunks
from kofinlaw.data.readers.documents import make_document
from kofinlaw.data.settings import LimitSettings

EXAMPLE = """From: helpdesk@bank.example
Date: Mon, 06 Jan 2025 09:00:00 +0900
Subject: {subject}
Content-Type: text/plain; charset=utf-8

{body}
"""


def read_eml(
    path: Path, source: SourceSettings, limits: LimitSettings, name: str
) -> Iterator[Document]:
    """Yield an e-mail: the subject is the title, the plain text the body, the date the day."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(preferencelist=("plain",))
    if body is None:
        raise ValueError("the e-mail has no plain text")
    sent = message["Date"].datetime if message["Date"] else None  # None also if it is no date
    day = sent.date().isoformat() if sent else ""
    meta = {"title": str(message["Subject"] or path.stem), "date": day}
    yield make_document(body.get_content(), source, name, "eml", meta)


def write_samples(folder: Path) -> Path:
    """Write two e-mails into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = {
        "이체한도": "이체 한도는 영업점에서 본인 확인을 마친 날부터 1일 5천만원까지 올릴 수 있습니다.",
        "비밀번호": "비밀번호를 5회 잘못 입력하면 거래가 정지되며, 영업점에서 다시 등록하여야 합니다.",
    }
    for subject, body in samples.items():
        text = EXAMPLE.format(subject=f"{subject} 문의 답변", body=body)
        (folder / f"{subject}.eml").write_text(text, encoding="utf-8")
    return folder


def main() -> None:
    """Build a corpus from e-mails and print its passages."""
    parser = argparse.ArgumentParser(description="Read e-mails into a corpus.")
    parser.add_argument("--documents", type=Path, help="a folder of .eml files")
    parser.add_argument("--out", type=Path, default=Path("mail-corpus"), help="a new folder")
    arguments = parser.parse_args()

    folder = arguments.documents or write_samples(arguments.out / "mails")
    settings = DataSettings.model_validate(
        {"sources": [{"path": str(folder.resolve()), "include": ["*.eml"], "kind": "guideline"}]}
    )
    corpus = arguments.out / "corpus"
    build_corpus(settings, corpus, base=Path.cwd(), extra_readers={".eml": read_eml})
    for chunk in read_chunks(corpus / "chunks.jsonl"):
        print(f"{chunk.as_of}  {chunk.text!r}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"error: {error}") from error
