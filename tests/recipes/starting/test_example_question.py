"""The suggested question is about an article or a document that the corpus has."""

import pytest

from kofinlaw.models.settings import ModelSettings
from kofinlaw.recipes.starting.example_question import example_question
from kofinlaw.recipes.starting.survey import survey_documents


@pytest.fixture
def asked(tmp_path):
    """Return the question for a folder that holds one document with this text."""

    def question(text, name="내규.md", left_out=frozenset()):
        folder = tmp_path / "docs"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        _, corpus = survey_documents(folder, "open", 512, ModelSettings(id="other/model"))
        with corpus:
            return example_question(corpus.path, left_out)

    return question


def test_the_question_is_about_an_article_with_a_specific_heading(asked):
    general = "# 보관 규정\n\n##### 제1조 (목적)\n\n이 규정은 보관에 필요한 사항을 정한다.\n"
    general += "\n##### 제2조 (적용 범위)\n\n이 규정은 모든 부서에 적용한다.\n"
    specific = "\n##### 제3조 (보관기간)\n\n서류는 5년 동안 보관하여야 한다.\n"
    assert asked(general) == "「보관 규정」 제1조(목적)의 내용은 무엇인가요?"
    assert asked(general + specific) == "「보관 규정」 제3조(보관기간)의 내용은 무엇인가요?"
    assert asked(general + specific, left_out={"보관 규정"}) == ""


def test_documents_without_articles_are_named(asked):
    note = "# 창구 안내\n\n## 영업시간\n\n영업시간은 오전 아홉 시부터 오후 네 시까지입니다.\n"
    assert asked(note, "a.md") == "「창구 안내」의 내용은 무엇인가요?"


def test_a_row_of_a_table_of_questions_gives_its_own_question(asked):
    rows = [f"카드를 {n}장 잃어버리면 어떻게 하나요?,{n}일 안에 신고하세요." for n in range(3, 9)]
    table = "질문,답변\n" + "\n".join(rows)
    assert asked(table, "문답.csv") == "카드를 3장 잃어버리면 어떻게 하나요?"
