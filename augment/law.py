"""The acts a generator reads: clauses by act, and the whole corpus to check options against."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from kofinlaw.augment.clauses import Clause, clauses
from kofinlaw.data.records import Article

# A defined name of at least so many letters at another's end makes that a kind of it.
SHORTEST_KIND = 5
_NOT_A_NAME = re.compile(
    r"(한|된|는|은|을|를|의|에|로|며|고|른|할|될|하여|에서|으로|거나|하거나|따라|대하여|경우|이나|부터|까지|로서)$"
)
_NAME_END = re.compile(
    r"(위원회|위원장|원장|장관|회사|회사등|업자|기관|센터|이용자|주체|처리자|제공자|사업자|은행|법인|조합|협회|중앙회|"
    r"책임자|담당자|대리인|관리인|발행자|관리기관|평가기관|인증기관|대통령|청장|시장|가맹점|가입자|소비자|채무자|"
    r"채권자|임원|이사회|감사|회장|총재|공사|진흥원|보험회사|신탁업자|주주|대주주|심의회|분과위원회|사무국장|위원|"
    r"임직원|직원|은행장|부서|부서장|본부장|대응반|보호부|감사부|금융부|전산부|운영부|관리부|고객|차주|"
    r"보험설계사|계약자|수익자|위탁자|수탁자|지급인|수취인|법원|검사|청산인|조합원|운영자|정부|국가|지방자치단체|인증사업자)$"
)
# Short names that stand for one body in one chapter and for another in the next.
_TOO_GENERAL = frozenset(
    [
        "위원회",
        "위원장",
        "위원",
        "제공자",
        "기관",
        "회사",
        "법인",
        "사업자",
        "센터",
        "조합",
        "협회",
        "회장",
        "임원",
    ]
)
_SUBJECT = re.compile(
    r"^(?:제\d+항에도 불구하고,? |제\d+항에 따라 )?(?P<name>[^,.]{2,30}?)(?:은|는) "
)
_DEFINED = re.compile(
    r'(?P<words>[^"“”.\n]{2,90})이하(?: 이 [조항장절]에서)? ["“](?P<name>[^"“”]{2,20})["”]'
    r'|["“](?P<term>[^"“”]{2,20})["”](?:이라 함은|라 함은|이란|란) (?P<meaning>[^\n]{5,200})'
    r"(?P<list>(?:\n\s*[가-하]\. [^\n]*)*)"
)
_READ_AS = re.compile(r'["“](?P<one>[^"“”]{2,20})["”][은는] ["“](?P<other>[^"“”]{2,20})["”]으?로')
_DECREE = re.compile(r" (?:시행령|시행규칙)$")
_TOWARDS = re.compile(
    r"(?<=\s)(?P<name>[가-힣ㆍ]{3,16})(?:에게|의 (?:승인|허가|인가|동의|명령)을)(?= )"
)


@dataclass(frozen=True)
class Law:
    """One act with its clauses in order."""

    title: str
    articles: tuple[Article, ...]
    # Of a decree: the articles of its act, whose definitions hold for it too.
    above: tuple[Article, ...] = ()

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """All clauses of all articles."""
        return tuple(clause for article in self.articles for clause in clauses(article))

    @cached_property
    def by_number(self) -> dict[str, Article]:
        """Articles by number (`제9조`)."""
        return {article.number: article for article in self.articles}

    @cached_property
    def by_article(self) -> dict[str, tuple[Clause, ...]]:
        """Clauses by article id."""
        found: dict[str, list[Clause]] = defaultdict(list)
        for clause in self.clauses:
            found[clause.article.id].append(clause)
        return {key: tuple(value) for key, value in found.items()}

    @cached_property
    def _named_as(self) -> tuple[tuple[str, str], ...]:
        """(short name, the words it stands for) of each definition in the act."""
        return tuple(
            (
                match.group("name") or match.group("term"),
                match.group("words") or match.group("meaning"),
            )
            for article in (*self.articles, *self.above)
            for match in _DEFINED.finditer(article.text)
        )

    @cached_property
    def _listed(self) -> tuple[tuple[str, str], ...]:
        """(name, what it lists): the words before 이하 …, or a definition's 목 to the colon."""
        found = []
        for article in (*self.articles, *self.above):
            for match in _DEFINED.finditer(article.text):
                heads = [line.split(":")[0] for line in (match.group("list") or "").split("\n")]
                words = match.group("words") or " ".join(heads)
                found.append((match.group("name") or match.group("term"), words))
        return tuple(found)

    def one_is_the_other(self, first: str, second: str) -> bool:
        """Whether one of two actors is a case of the other, by definition or read so by 준용.

        `금융회사 또는 전자금융업자(이하 "전자화폐발행자"라 한다)`: what binds one binds the other.
        """
        pair = (first, second)
        if pair not in self._pairs:
            self._pairs[pair] = self._one_is_the_other(first, second)
        return self._pairs[pair]

    @cached_property
    def _pairs(self) -> dict[tuple[str, str], bool]:
        return {}

    def _one_is_the_other(self, first: str, second: str) -> bool:
        return (
            self._holds(first, second)
            or self._holds(second, first)
            or frozenset((normal(first), normal(second))) in self._read_alike
        )

    @cached_property
    def _read_alike(self) -> frozenset[frozenset[str]]:
        """Names that 준용 reads for each other: `"개인정보처리자"는 "수탁자"로 본다`."""
        return frozenset(
            frozenset((normal(match.group("one")), normal(match.group("other"))))
            for article in (*self.articles, *self.above)
            for match in _READ_AS.finditer(article.text)
        )

    def _holds(self, name: str, other: str) -> bool:
        """Whether the words a name stands for hold another, or a name that lists it in turn.

        신용정보회사등 stands for 신용정보회사 and others, and that lists 개인신용평가회사 as a 목.
        종합신용정보집중기관 is a 신용정보집중기관, and goes with it.
        """
        kinds = {n for n, _ in self._named_as if len(n) >= SHORTEST_KIND and other.endswith(n)}
        return self._offers(name, other) or any(
            any(kind in words for named, words in self._named_as if _same(named, name))
            or self._lists(name, kind, depth=3)
            for kind in (other, *sorted(kinds - {other}))
        )

    def _offers(self, name: str, other: str) -> bool:
        """통신과금서비스제공자 is a 정보통신서비스 제공자: 통신과금서비스 is defined as one."""
        for term, words in self._named_as:
            role = normal(other).removeprefix(normal(term))
            service = normal(name).removesuffix(role)
            apart = role not in ("", normal(other)) and service not in ("", normal(name))
            if apart and normal(words).startswith(service):
                return True
        return False

    def _lists(self, name: str, other: str, depth: int) -> bool:
        for words in (words for named, words in self._listed if _same(named, name)):
            within = {inner for inner, _ in self._listed if inner in words and inner != name}
            if other in words or (
                depth and any(self._lists(inner, other, depth - 1) for inner in sorted(within))
            ):
                return True
        return False

    @cached_property
    def actors(self) -> list[str]:
        """Who acts in this act, most frequent first."""
        seen: Counter[str] = Counter()
        for clause in self.clauses:
            for name in (subject(clause.main), *addressees(clause.main)):
                if name:
                    seen[name] += 1
        return [name for name, _ in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))]


@dataclass(frozen=True)
class Laws:
    """Every act of the corpus."""

    acts: tuple[Law, ...]

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """Titles in the corpus's order."""
        return tuple(law.title for law in self.acts)

    @cached_property
    def sentences(self) -> frozenset[str]:
        """Every sentence and 호 of the corpus, normalised; an altered one must not be there."""
        found = set()
        for law in self.acts:
            for clause in law.clauses:
                for text in (clause.main, clause.proviso, *clause.rest, *clause.items):
                    found.add(normal(text))
        return frozenset(found)


def read_laws(articles: Iterable[Article]) -> Laws:
    """Group living articles of statutes and rules by act, in order of first appearance."""
    grouped: dict[str, list[Article]] = {}
    for article in articles:
        if not article.deleted and article.kind in ("statute", "rule"):
            grouped.setdefault(article.title, []).append(article)
    return Laws(
        tuple(
            Law(title, tuple(group), tuple(grouped.get(_DECREE.sub("", title), ())))
            if _DECREE.search(title)
            else Law(title, tuple(group))
            for title, group in grouped.items()
        )
    )


def normal(text: str) -> str:
    """Letters and digits alone, for comparing."""
    return re.sub(r"[^0-9A-Za-z가-힣]", "", text)


def is_name(text: str) -> bool:
    """Whether the words name someone who acts: a title or office, no verb inside."""
    words = text.split()
    if text in _TOO_GENERAL:
        return False
    if not words or len(text) > 26 or len(words) > 5 or not _NAME_END.search(words[-1]):
        return False
    return not any(_NOT_A_NAME.search(w) for w in words[:-1] if w not in ("또는", "및"))


def subject(sentence: str) -> str:
    """Who the sentence binds, empty where its opening words do not name someone."""
    match = _SUBJECT.match(sentence)
    return match.group("name") if match and is_name(match.group("name")) else ""


def addressees(sentence: str) -> list[str]:
    """Towards whom (…에게) or with whose leave (…의 승인을) the sentence acts."""
    found = []
    for match in _TOWARDS.finditer(sentence):
        before = sentence[: match.start()].rstrip().rsplit(" ", 1)[-1]
        # `정보통신서비스 제공자에게`: a noun before it belongs to the name.
        if is_name(match.group("name")) and (_NOT_A_NAME.search(before) or before.endswith(",")):
            found.append(match.group("name"))
    return found


def _same(first: str, second: str) -> bool:
    """Equal names but for a closing 등 (금융회사등)."""
    return first.removesuffix("등") == second.removesuffix("등")
