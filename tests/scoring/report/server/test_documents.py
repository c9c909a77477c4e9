"""Markdown of a run as HTML: tables and front matter, but no markup of its own."""

from kofinlaw.scoring.report.server.documents import Document, document_page, markdown_html


def test_tables_and_front_matter_are_shown_and_html_is_text():
    text = "---\nlicense: mit\n---\n# T\n\n| a | b |\n| --- | --- |\n| 1 | <i>2</i> |\n"
    found = str(markdown_html(text))
    assert "license: mit" in found
    assert "<td>1</td>" in found
    assert "<i>" not in found
    assert "<a " not in str(markdown_html("[x](javascript:alert(1))"))
    assert "<img" not in str(markdown_html("![x](y.png)"))
    page = document_page("run <b>", Document("a.md", ("가", "a")), "text")
    assert "run &lt;b&gt;" in page
