from dataclasses import replace

import pytest

from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.targets.deciding_lines import LONGEST_LINE, deciding_lines


@pytest.fixture(scope="module")
def drafts(laws):
    return {d.kind: d for d in draft_questions(laws, 1) if d.document == laws.acts[0].title}


def test_the_line_is_found_with_its_citation_and_its_passage(laws, drafts):
    law, draft = laws.acts[0], drafts["quantity"]
    article = next(a for a in law.articles if a.id == draft.units[0])
    shown = ["다른 조문\n내용", f"{article.id}\n{article.text}"]
    (line,) = deciding_lines(draft, law, shown)
    assert line.number == 2
    assert line.citation.startswith(article.number)
    assert draft.focus[0] in line.text
    assert len(line.text) <= LONGEST_LINE


def test_no_line_where_the_passage_is_not_shown_or_the_phrase_is_unknown(laws, drafts):
    law, draft = laws.acts[0], drafts["quantity"]
    assert deciding_lines(draft, law, ["다른 조문\n내용"]) == []
    article = next(a for a in law.articles if a.id == draft.units[0])
    unknown = replace(draft, focus=(*draft.focus, "법에 없는 말"))
    assert deciding_lines(unknown, law, [article.text]) == []
