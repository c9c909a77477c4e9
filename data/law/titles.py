"""Resolve names of acts: short names in common use, and other spellings of a title."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from kofinlaw.data.korean.anchored_pattern import AnchoredPattern

__all__ = [
    "ALIASES",
    "DECREES",
    "canonical_title",
    "document_id",
    "name_pattern",
    "title_key",
    "titles_by_key",
]

# Short names in common use, by practitioners and in examination questions.
ALIASES: Mapping[str, str] = {
    "전금법": "전자금융거래법",
    "전자거래법": "전자문서 및 전자거래 기본법",
    "전자문서법": "전자문서 및 전자거래 기본법",
    "정통망법": "정보통신망 이용촉진 및 정보보호 등에 관한 법률",
    "정보통신망법": "정보통신망 이용촉진 및 정보보호 등에 관한 법률",
    "망법": "정보통신망 이용촉진 및 정보보호 등에 관한 법률",
    "신정법": "신용정보의 이용 및 보호에 관한 법률",
    "신용정보법": "신용정보의 이용 및 보호에 관한 법률",
    "개보법": "개인정보 보호법",
    "개인정보법": "개인정보 보호법",
    "자본시장법": "자본시장과 금융투자업에 관한 법률",
    "자통법": "자본시장과 금융투자업에 관한 법률",
    "금소법": "금융소비자 보호에 관한 법률",
    "금융소비자보호법": "금융소비자 보호에 관한 법률",
    "특금법": "특정 금융거래정보의 보고 및 이용 등에 관한 법률",
    "특정금융정보법": "특정 금융거래정보의 보고 및 이용 등에 관한 법률",
    "금융실명법": "금융실명거래 및 비밀보장에 관한 법률",
    "금융실명제법": "금융실명거래 및 비밀보장에 관한 법률",
    "금융위설치법": "금융위원회의 설치 등에 관한 법률",
    "금융위원회법": "금융위원회의 설치 등에 관한 법률",
    "지배구조법": "금융회사의 지배구조에 관한 법률",
    "금융사지배구조법": "금융회사의 지배구조에 관한 법률",
    "금융회사지배구조법": "금융회사의 지배구조에 관한 법률",
    "여전법": "여신전문금융업법",
    "통신사기피해환급법": "전기통신금융사기 피해 방지 및 피해금 환급에 관한 특별법",
    "보이스피싱법": "전기통신금융사기 피해 방지 및 피해금 환급에 관한 특별법",
    "가상자산이용자보호법": "가상자산 이용자 보호 등에 관한 법률",
    "가상자산법": "가상자산 이용자 보호 등에 관한 법률",
    "공정거래법": "독점규제 및 공정거래에 관한 법률",
    "전자상거래법": "전자상거래 등에서의 소비자보호에 관한 법률",
    "약관법": "약관의 규제에 관한 법률",
    "약관규제법": "약관의 규제에 관한 법률",
    "대부업법": "대부업 등의 등록 및 금융이용자 보호에 관한 법률",
    "온투법": "온라인투자연계금융업 및 이용자 보호에 관한 법률",
    "온라인투자연계금융업법": "온라인투자연계금융업 및 이용자 보호에 관한 법률",
    "서민금융법": "서민의 금융생활 지원에 관한 법률",
    "외감법": "주식회사 등의 외부감사에 관한 법률",
    "외부감사법": "주식회사 등의 외부감사에 관한 법률",
    "전자증권법": "주식ㆍ사채 등의 전자등록에 관한 법률",
    "특경법": "특정경제범죄 가중처벌 등에 관한 법률",
    "특정경제범죄법": "특정경제범죄 가중처벌 등에 관한 법률",
    "통비법": "통신비밀보호법",
    "위치정보법": "위치정보의 보호 및 이용 등에 관한 법률",
    "기반보호법": "정보통신기반 보호법",
    "정보통신기반법": "정보통신기반 보호법",
    "클라우드법": "클라우드컴퓨팅 발전 및 이용자 보호에 관한 법률",
    "클라우드컴퓨팅법": "클라우드컴퓨팅 발전 및 이용자 보호에 관한 법률",
    "정보보호산업법": "정보보호산업의 진흥에 관한 법률",
    "부정경쟁방지법": "부정경쟁방지 및 영업비밀보호에 관한 법률",
    "산업기술보호법": "산업기술의 유출방지 및 보호에 관한 법률",
    "금융혁신법": "금융혁신지원 특별법",
    "인터넷은행법": "인터넷전문은행 설립 및 운영에 관한 특례법",
    "인터넷전문은행법": "인터넷전문은행 설립 및 운영에 관한 특례법",
    "자산유동화법": "자산유동화에 관한 법률",
    "채무자회생법": "채무자 회생 및 파산에 관한 법률",
    "통합도산법": "채무자 회생 및 파산에 관한 법률",
    "주임법": "주택임대차보호법",
    "상임법": "상가건물 임대차보호법",
    "부동산실명법": "부동산 실권리자명의 등기에 관한 법률",
    "형소법": "형사소송법",
    "민소법": "민사소송법",
    "민집법": "민사집행법",
    "헌법": "대한민국헌법",
    "인공지능기본법": "인공지능 발전과 신뢰 기반 조성 등에 관한 기본법",
    "금융산업구조개선법": "금융산업의 구조개선에 관한 법률",
    "금산법": "금융산업의 구조개선에 관한 법률",
    "복합기업집단법": "금융복합기업집단의 감독에 관한 법률",
    "금융복합기업집단법": "금융복합기업집단의 감독에 관한 법률",
    "외국환법": "외국환거래법",
    "외환거래법": "외국환거래법",
    "저축은행법": "상호저축은행법",
    "신협법": "신용협동조합법",
    "한은법": "한국은행법",
    "예보법": "예금자보호법",
    "금융지주법": "금융지주회사법",
    "금융사기피해환급법": "전기통신금융사기 피해 방지 및 피해금 환급에 관한 특별법",
    "상가임대차법": "상가건물 임대차보호법",
    "상가임대차보호법": "상가건물 임대차보호법",
    "주택임대차법": "주택임대차보호법",
    "특경가법": "특정경제범죄 가중처벌 등에 관한 법률",
    "전상법": "전자상거래 등에서의 소비자보호에 관한 법률",
    "부경법": "부정경쟁방지 및 영업비밀보호에 관한 법률",
    "보험사기방지법": "보험사기방지 특별법",
    "채권추심법": "채권의 공정한 추심에 관한 법률",
    "개인채무자보호법": "개인금융채권의 관리 및 개인금융채무자의 보호에 관한 법률",
    "테러자금금지법": "공중 등 협박목적 및 대량살상무기확산을 위한 자금조달행위의 금지에 관한 법률",
    "AI기본법": "인공지능 발전과 신뢰 기반 조성 등에 관한 기본법",
    "AI 기본법": "인공지능 발전과 신뢰 기반 조성 등에 관한 기본법",
}
DECREES = (" 시행령", " 시행규칙")  # the ends of the titles of a decree and a rule
_FILLING = r"[\s·ㆍ]*"
_NOT_IN_KEY = re.compile(r"[\s·ㆍ‧•「」『』\"“”]")


def document_id(title: str) -> str:
    """Return the id of a document: its title with `_` for blanks and `∕` for slashes."""
    return re.sub(r"\s+", "_", title.strip()).replace("/", "∕")


@lru_cache(maxsize=4096)  # a text names few acts, and each of them often
def title_key(title: str) -> str:
    """Return the title without blanks, middle dots and quotation brackets:
    equal for all spellings.
    """
    return _NOT_IN_KEY.sub("", title)


def titles_by_key(titles: Iterable[str]) -> dict[str, str]:
    """Return the titles by their `title_key`."""
    return {title_key(title): title for title in titles}


def canonical_title(name: str, titles: Mapping[str, str] | None = None) -> str:
    """Return the full title of a name: a known title in any spacing, or the title of a short name.

    `titles` are known titles by `title_key`. The short name of a decree (`신정법 시행령`) is
    derived from its act. An unknown name is returned with single blanks.
    """
    plain = title_key(name)
    if titles and plain in titles:
        return titles[plain]
    for tail in ("", *DECREES):
        stem = plain.removesuffix(tail.strip())
        if stem in ALIASES and (not tail or stem != plain):
            full = ALIASES[stem] + tail
            return (titles or {}).get(title_key(full), full)
    return " ".join(name.split())


@lru_cache(maxsize=8)
def name_pattern(titles: tuple[str, ...], *, attached: bool = False) -> AnchoredPattern:
    """Return a pattern that matches any title or short name without brackets,
    the longest one first.

    Blanks inside a title may be missing or added. A name never starts inside a word; with
    `attached` it may start behind a particle or `현행`, where a blank was lost (`에는형사소송법`).
    The names form one prefix tree, so ten thousand names take little more time than a hundred.
    """
    root = _Branch()
    for name in {title_key(t) for t in titles} | set(ALIASES):
        branch = root
        for character in name:
            branch = branch.setdefault(character, _Branch())
        branch[""] = _Branch()
    root.pop("", None)
    start = r"(?:(?<![가-힣])|(?<=[은는을를의및와과])|(?<=현행))" if attached else r"(?<![가-힣])"
    tree = re.compile(
        rf"{start}(?:{_branch_pattern(root)})(?:\s*(?:시행령|시행규칙)(?![가-힣]*령))?"
    )
    before = r"(?<![가-힣].)|(?<=[은는을를의및와과현행].)" if attached else r"(?<![가-힣].)"
    first = "".join(map(re.escape, root))
    second = {one for branch in root.values() for one in branch}
    following = "" if "" in second else rf"(?=[{''.join(map(re.escape, second))}\s·ㆍ])"
    anchor = re.compile(rf"[{first}](?:{before}){following}", re.DOTALL)
    return AnchoredPattern(anchor, tree)


class _Branch(dict[str, "_Branch"]):
    """A node of the prefix tree: the next characters, and an empty one if a name ends here."""


def _branch_pattern(branch: _Branch) -> str:
    """Return the branch as a pattern; a longer name is tried before its own prefix."""
    alternatives = []
    for character in sorted(branch):
        if not character:
            continue
        words, below = re.escape(character), branch[character]
        while len(below) == 1 and "" not in below:
            ((character, below),) = below.items()
            words += _FILLING + re.escape(character)
        rest = {c: b for c, b in below.items() if c}
        if rest:
            more = f"(?:{_FILLING}(?:{_branch_pattern(_Branch(rest))}))"
            words += more + "?" if "" in below else more
        alternatives.append(words)
    return "|".join(alternatives)
