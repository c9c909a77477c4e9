"""Parse a page into its elements, and a text that tries to break out of them."""

from html.parser import HTMLParser
from typing import ClassVar

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}</details></main>\u202e'


class Elements(HTMLParser):
    """Tags with their attributes, and the text between them."""

    VOID: ClassVar = {"meta", "link", "br", "img", "input"}

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
