"""Find the parties of an act that overlap, so that one is never a wrong option for the other.

Two parties overlap if a sentence about one may apply to the other: by a definition or its 목, by a
short name (이하 …), by 준용 (… 로 본다), as the state and its organs, or as two roles that one
person may have (이용자, 지급인). In a decree the definitions of its act count too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from kofinlaw.augment.reading.clauses import sentences, simplify
from kofinlaw.augment.reading.names import members, normalize, subject
from kofinlaw.augment.reading.short_names import local_names
from kofinlaw.records import Article

__all__ = ["LONGEST_MEANING", "SHORTEST_KIND", "Parties"]

# A defined name of at least this many letters at the end of another name makes that a kind of it.
SHORTEST_KIND = 5
# Letters of an organ's name that say which organ it is.
SHORTEST_ORGAN = 3
# Characters before a bracket that say what its short name means.
LONGEST_MEANING = 90
_SHORT = re.compile(r'이하(?:[^"“”()\n]{0,40}에서)? ?["“](?P<name>[^"“”]{2,20})["”]')
_TERM = re.compile(
    r'["“](?P<name>[^"“”]{2,20})["”](?:이라 함은|라 함은|이란|란) (?P<words>[^\n]{5,200})'
    r"(?P<list>(?:\n\s*[가-하]\. [^\n]*)*)"
)
# A bracket that widens a name where it is used: 신용정보회사등(데이터전문기관을 포함하며, …).
_WIDENED = re.compile(
    r"(?P<name>[가-힣ㆍ]{2,20})\((?P<words>[^()\n]*[을를] (?:말한다|포함한다|포함하며))"
)
# 한국인터넷진흥원을 … 기관(이하 "인정기관"이라 한다)으로 지정할 수 있다
_APPOINTS = re.compile(r"[^()]*\)으?로 (?:지정|선정|한다)")
# What follows a name that the definition lists as a case. In `금융회사 또는 전자금융업자와 체결한
# 계약` neither is a case: the particle after the second makes both of them part of a clause.
_NOT_A_CLAUSE = r"(?!\S*[가-힣]{2}(?:[이가을를은는의에와과]|에게|으로) (?!말한다|포함))"
_AS_A_CASE = rf"(?=$|(?:, ?| 및 | 또는 |ㆍ){_NOT_A_CLAUSE}|등| 중 |으?로서|[을를] (?:말한다|포함))"
# 개인정보관리 전문기관은 다음 각 호와 같이 구분한다. 1. 중계전문기관: …
_DIVIDED = re.compile(
    r"(?P<name>[가-힣 ]{2,20})[은는] 다음 각 호(?:와 같이|로) 구분한다[^\n]{0,300}"
    r"(?P<list>(?:\n\s*\d+\. [^\n]*)+)"
)
# 보호위원회는 … 중앙행정기관으로 본다; 소위원회가 의결한 것은 보호위원회가 의결한 것으로 본다
_DEEMED_BODY = re.compile(r"(?P<name>[가-힣]{2,20})[은는] [^.\n]{0,300}기관으로 본다")
_DONE_FOR = re.compile(
    r"(?P<one>[가-힣]{2,20})[이가] [^.\n]{0,300}?"
    r"(?P<other>[가-힣]{2,20})(?:[이가]|에서) [가-힣ㆍ]{0,40}한 것으로 본다"
)
_READ_AS = re.compile(r'["“](?P<one>[^"“”]{2,20})["”][은는] ["“](?P<other>[^"“”]{2,20})["”]으?로')
_MARKS = re.compile(r"^[^가-힣「]*")
# The state acts through its organs: the duties and prohibitions of one are those of the other.
_STATE = re.compile(r"^(?:정부|국가|(?:관계 )?(?:국가|행정|중앙행정|공공)기관(?:등|의 장)?)$")
_ORGAN = re.compile(r"(?:장관|원장|청장|처장|위원회|법원|대통령|국무총리|지방자치단체|기관)$")
# A class of authorities without a name, and the authorities that may belong to it: 수사기관.
_CLASS_OF_AUTHORITIES = re.compile(
    r"^(?:(?:정보)?수사|감독|조사|과세|처분|행정|주무|소관|관할|허가|인가)"
    r"(?:기관|관청|관서|당국|청)(?:등|의 장)?$|^사법경찰관리?$"
    r"|^(?:관계|소관|관할|감독|행정) (?:기관|관청|당국)(?:등|의 장)?$"
)
_AUTHORITY = re.compile(
    r"(?:장관|원장|청장|총장|처장|세관장|서장|위원회|위원장|감독원|법원|검사|경찰관|지사|군수|구청장"
    r"|(?<!거래소)시장)$"
)
# `각급 선거관리위원회` are all of them, also 중앙선거관리위원회.
_EACH = re.compile(r"^(?:각급|각|모든|관할|소관|해당|당해|관계) ?")
# `제1항에 따른 요청을 한 기관(이하 이 조에서 "요청기관"이라 한다)`: any that did so.
_OPEN_ROLE = re.compile(
    r"[가-힣](?:한|하는|하려는|할|된|되는|받은|받는) "
    r"(?:기관|관서|단체|법인|회사|자|사람|위원)(?:등)?$"
)
# An agent may do what its principal does, and any party may be an agent.
_ACTS_FOR = re.compile(r"(?:수탁자|대리인)$")
# A council and its members: 금융위원회, 금융위원장.
_COUNCIL = re.compile(r"(?:위원회|위원장|위원|협의회|심의회)(?: ?(?:위원장|위원|의장))?$")
# A body or a group of offices, and who acts for it or belongs to it.
_ACTS_AS_ORGAN = (
    (
        re.compile(
            r"(?:회사|은행|법인|조합|금고|협회|중앙회|연합회|공사|진흥원|감독원|소비자원|참가기관|단체|업자|사업자)등?$"
        ),
        re.compile(
            r"^(?:이사장|대표이사|대표자|조합장|총회|회장|사장|이사회|은행장|대표집행임원|업무집행자|지배인|청산인)$"
            r"|(?:임원|임직원|직원|사원|책임자|담당자|부서장|본부장|부서|[가-힣]{2}부)$"
        ),
    ),
    (
        re.compile(r"(?:한국은행|감독원|진흥원|연구원|소비자원|공사|참가기관)$"),
        re.compile(r"^(?:부?총재|부?원장|부원장보|금융통화위원회)$"),
    ),
    (re.compile(r"(?:감독원|참가기관)$"), re.compile(r"금융감독원장$")),
    (
        re.compile(r"(?:회사|은행|법인|조합|금고|기관)등?$"),
        re.compile(r"(?:인사|보수|감사|위험관리|내부통제|임원후보추천|여신심사)위원회$"),
    ),
    (re.compile(r"법원$"), re.compile(r"(?:재판장|법관|법원사무관등|판사|집행관)$")),
    (re.compile(r"(?:임원|임직원)$"), re.compile(r"(?:이사|감사|이사장|회장|청산인|직원|위원)$")),
    (re.compile(r"위원$"), re.compile(r"(?:위원장|부위원장)$")),
    (re.compile(r"이사회$"), re.compile(r"(?:이사|이사장|감사위원회)$")),
)
# Roles that one person may have at a time: who pays (지급인) is also who uses the service.
_ROLE = re.compile(
    r"(?:(?<!ㆍ)이용자|가입자|고객|소비자|지급인|수취인|채권자|채무자|차주|계약자|수익자|주주|주체|대리인)$"
)
# A definition that includes all organisations; and the names of organisations.
_ANY_BODY = re.compile(r"법인, ?단체")
_BODY = re.compile(
    r"(?:기관|법인|단체|회사|업자|사업자|운영자|제공자|[수위]탁자|협회|조합|센터)등?$"
)


@dataclass(frozen=True)
class Parties:
    """The parties of an act.

    `articles` are those of the act and, for a decree, also those of its act.
    """

    articles: tuple[Article, ...]

    @cached_property
    def local_names(self) -> frozenset[str]:
        """Short names that an article gives for itself only."""
        return frozenset(name for article in self.articles for name in local_names(article))

    @cached_property
    def open_roles(self) -> frozenset[str]:
        """Short names of one article for anyone who did something: the body that made a request."""
        return frozenset(
            name
            for name, words in self._meanings
            if name in self.local_names and _OPEN_ROLE.search(words.strip())
        )

    def may_hold_for(self, other: str, name: str) -> bool:
        """Return whether a sentence about `name` may apply to `other` too."""
        return (
            bool(_ACTS_FOR.search(other) or _ACTS_FOR.search(name))
            or self.overlap(other, name)
            or (self._is_an_organisation(other) and self._includes_all_organisations(name))
        )

    def overlap(self, first: str, second: str) -> bool:
        """Return whether one of two parties is a case of the other, or acts as it.

        After `금융회사 또는 전자금융업자(이하 "전자화폐발행자"라 한다)` what binds one binds the
        other. Joint names overlap if one of their members does.
        """
        pair = (first, second)
        if pair not in self._overlaps:
            self._overlaps[pair] = any(
                self._members_overlap(one, other)
                for one in {first, *members(first)}
                for other in {second, *members(second)}
            )
        return self._overlaps[pair]

    @cached_property
    def _overlaps(self) -> dict[tuple[str, str], bool]:
        """Answers of `overlap` by the two names."""
        return {}

    def _members_overlap(self, first: str, second: str) -> bool:
        return (
            _same(first, second)
            or self._includes(first, second)
            or self._includes(second, first)
            or bool(self._cases(first) & self._cases(second))
            or frozenset((normalize(first), normalize(second))) in self._equated
            or _state_and_organ(first, second)
            or _state_and_organ(second, first)
            or _class_of(first, second)
            or _class_of(second, first)
            or _general_and_special(first, second)
            or _general_and_special(second, first)
            or self._same_business(first, second)
            or self._same_business(second, first)
            or _body_and_head(first, second)
            or _body_and_head(second, first)
            or bool(_ROLE.search(first) and _ROLE.search(second))
        )

    def _same_business(self, first: str, second: str) -> bool:
        """Return whether the business of the second is a case of that of the first.

        여신전문금융업 is 신용카드업 or 할부금융업: 할부금융업자 may be a 여신전문금융회사.
        상호회사 is set up for 보험업: it is a 보험회사.
        """
        wide, narrow = _business(first), _business(second)
        return bool(wide and wide != narrow) and any(
            (bool(narrow) and named.split("(")[0] == wide and narrow in words)
            or (_same(named, second) and f"{wide}을 경영" in words)
            for named, words in self._meanings
        )

    @cached_property
    def _meanings(self) -> tuple[tuple[str, str], ...]:
        """(name, its meaning in words): definitions, short names, brackets, divisions."""
        found = [(m.group("name"), simplify(m.group("words"))[0]) for m in self._terms]
        for article in self.articles:
            for match in _SHORT.finditer(article.text):
                line = article.text[: match.start()].rpartition("\n")[2]
                words = _without_actor(line)
                if _APPOINTS.match(article.text, match.end()):
                    words = re.sub(r"[을를] ", ", ", words)
                found.append((match.group("name"), words))
            for match in _WIDENED.finditer(article.text):
                found.append((match.group("name"), match.group("words")))
            for match in _DIVIDED.finditer(article.text):
                found.append((match.group("name").strip(), _heads(match.group("list"))))
        return tuple(found)

    @cached_property
    def _listed(self) -> tuple[tuple[str, str], ...]:
        """The same; a definition with 목 gives only the names that these list up to the colon."""
        heads = [(m.group("name"), _heads(m.group("list"))) for m in self._terms]
        terms = {match.group("name") for match in self._terms}
        return (*heads, *(pair for pair in self._meanings if pair[0] not in terms))

    @cached_property
    def _terms(self) -> list[re.Match[str]]:
        return [match for article in self.articles for match in _TERM.finditer(article.text)]

    @cached_property
    def _equated(self) -> frozenset[frozenset[str]]:
        """Pairs of names that 준용 equates (`"개인정보처리자"는 "수탁자"로 본다`), and of bodies of
        which one acts for the other."""
        return frozenset(
            frozenset((normalize(match.group("one")), normalize(match.group("other"))))
            for article in self.articles
            for pattern in (_READ_AS, _DONE_FOR)
            for match in pattern.finditer(article.text)
        )

    @cached_property
    def _direct(self) -> dict[str, set[str]]:
        """For each name the names that its meaning lists as a case."""
        known = {name for name, _ in self._listed}
        out: dict[str, set[str]] = {}
        for name, words in self._listed:
            held = {other for other in known if other != name and _case(other, words)}
            out.setdefault(name.removesuffix("등"), set()).update(held)
        return out

    def _cases(self, name: str) -> set[str]:
        """Return the names that are a case of the name, directly or through another case."""
        out: set[str] = set()
        open_names = [name]
        while open_names:
            more = self._direct.get(open_names.pop().removesuffix("등"), set()) - out
            out |= more
            open_names += more
        return out - {name}

    def _includes(self, name: str, other: str) -> bool:
        """Return whether the meaning of a name includes another, directly or through a listed name.

        신용정보회사등 means 신용정보회사 and others, and that lists 개인신용평가회사 as a 목.
        종합신용정보집중기관 is a kind of 신용정보집중기관, and is included with it.
        """
        kinds = {n for n, _ in self._meanings if len(n) >= SHORTEST_KIND and other.endswith(n)}
        return self._offers(name, other) or any(
            any(_case(kind, words) for named, words in self._meanings if _same(named, name))
            or self._lists(name, kind)
            for kind in (other, *sorted(kinds - {other}))
        )

    def _offers(self, name: str, other: str) -> bool:
        """Return whether `other` offers a service that is defined as the service of `name`.

        통신과금서비스제공자 is a 정보통신서비스 제공자, because 통신과금서비스 is defined as one.
        """
        party, provider = normalize(other), normalize(name)
        for term, words in self._normalized_meanings:
            role = party.removeprefix(term)
            service = provider.removesuffix(role)
            apart = role not in ("", party) and service not in ("", provider)
            if apart and words.startswith(service):
                return True
        return False

    @cached_property
    def _normalized_meanings(self) -> list[tuple[str, str]]:
        return [(normalize(term), normalize(words)) for term, words in self._meanings]

    def _lists(self, name: str, other: str) -> bool:
        """Return whether the name or one of its cases lists `other` as a case."""
        within = {name.removesuffix("등"), *(case.removesuffix("등") for case in self._cases(name))}
        return any(
            _case(other, words)
            for named, words in self._listed
            if named.removesuffix("등") in within
        )

    def _is_an_organisation(self, name: str) -> bool:
        """Return whether it is an organisation: by its name, as the state or its organ,
        or because the act deems it a 기관."""
        return name in self._deemed_bodies or any(
            kind.search(name) for kind in (_BODY, _STATE, _ORGAN)
        )

    @cached_property
    def _deemed_bodies(self) -> frozenset[str]:
        return frozenset(
            match.group("name")
            for article in self.articles
            for match in _DEEMED_BODY.finditer(article.text)
        )

    def _includes_all_organisations(self, name: str) -> bool:
        return any(_ANY_BODY.search(words) for named, words in self._meanings if _same(named, name))


def _heads(lines: str) -> str:
    """Return the names that the lines of a list give, up to the colon."""
    return ", ".join(simplify(line)[0].split(":")[0] for line in lines.split("\n"))


def _without_actor(line: str) -> str:
    """Return the end of the line's last sentence, without brackets and without its subject."""
    parts = sentences(_MARKS.sub("", line))
    text = simplify(parts[-1])[0] if parts else ""
    who = subject(text)
    return text[text.index(who) + len(who) :][-LONGEST_MEANING:] if who else text[-LONGEST_MEANING:]


def _case(name: str, words: str) -> bool:
    """Return whether the words list the name as a case, not as a party that acts."""
    bare = name.removesuffix("등")
    return bare in words and bool(re.search(rf"(?<![가-힣]){re.escape(bare)}{_AS_A_CASE}", words))


def _state_and_organ(first: str, second: str) -> bool:
    return bool(_STATE.search(first) and (_STATE.search(second) or _ORGAN.search(second)))


def _class_of(first: str, second: str) -> bool:
    """Return whether the first is a class of authorities that the second belongs to.

    수사기관 and 경찰청장, 각급 선거관리위원회 and 중앙선거관리위원회.
    """
    if _CLASS_OF_AUTHORITIES.search(first) and (
        _AUTHORITY.search(second) or _CLASS_OF_AUTHORITIES.search(second)
    ):
        return True
    each = _EACH.match(first)
    kind = normalize(first[each.end() :]) if each else ""
    return len(kind) >= SHORTEST_ORGAN and normalize(second).endswith(kind)


def _business(name: str) -> str:
    """Return the business of a party: 할부금융업 of 할부금융업자, 보험업 of 보험회사."""
    bare = name.removesuffix("등")
    if bare.endswith("업자"):
        return bare.removesuffix("자")
    return bare.removesuffix("회사") + "업" if bare.endswith("회사") else ""


# Names for any financial company, and roles that any company may have.
_ANY_FINANCIAL = re.compile(r"^(?:국가|공공|금융|여신금융)?(?:기관|회사)등?$|^은행$|^금융투자업자$")
_FINANCIAL = re.compile(r"(?:은행|회사|업자|금고|조합|기관|법인)등?$")
_ROLE_OF_A_COMPANY = re.compile(
    r"(?:상장법인|상장회사|주식회사|유한회사|합자회사|합명회사|자회사|지배회사|종속회사|외국회사|대상법인|대상업자"
    r"|대상회사|대상기관|발행인|발행회사|신청기관|이용기관|외국법인)등?$"
)


def _general_and_special(first: str, second: str) -> bool:
    """Return whether the first is a general name or a role that the second may have.

    금융기관 and 신탁업자, 주권상장법인 and 보험회사.
    """
    return bool(
        (_ANY_FINANCIAL.search(first) or _ROLE_OF_A_COMPANY.search(first))
        and _FINANCIAL.search(second)
    )


def _body_and_head(first: str, second: str) -> bool:
    """Return whether the second acts for the first: 금융위원회 and 금융위원장, 금고 and 이사장,
    법원 and 재판장, 임원 and 감사.
    """
    councils = _COUNCIL.search(first) and _COUNCIL.search(second)
    if councils and _COUNCIL.sub("", first) == _COUNCIL.sub("", second):
        return True
    return any(body.search(first) and bool(head.search(second)) for body, head in _ACTS_AS_ORGAN)


def _same(first: str, second: str) -> bool:
    """Return whether two names are equal without a final 등 (금융회사등)."""
    return first.removesuffix("등") == second.removesuffix("등")
