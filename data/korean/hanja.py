"""Read Chinese characters (hanja) of Korean texts in Hangul.

KS X 1001 lists its 4,888 characters in the order of their Korean readings, and lists a character
with several readings once for each: Unicode has the further ones at U+F900-U+FA0B. The codec
`euc_kr` of Python knows this order. So the first character of each reading gives all readings.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from functools import cache

__all__ = ["HANJA", "hanja_readings", "has_hanja", "read_hanja"]

HANJA = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # inside `[…]` of a pattern
_HANJA = re.compile(f"[{HANJA}]")
# Each reading with its first character in KS X 1001, in order.
_FIRST = (
    "가伽각刻간侃갈乫감勘갑匣강剛개介객喀갱坑갹醵거倨건乾걸乞검儉겁劫게偈격擊견堅결抉겸兼경京계係고古곡哭곤困골汨공供곶串과寡곽廓관\uf905괄刮광侊괘卦괴乖"
    "굉宏교交구丘국國군君굴堀궁宮권倦궐厥궤机귀\uf906규叫균勻귤橘극克근僅글\uf909금今급伋긍亘기企긴緊길佶김金끽喫나儺낙\uf914난暖날捏남南납納낭囊내乃냉\uf92e녀女년年"
    "념念녕寗노努녹\uf93b논\uf941농濃뇌惱뇨尿누\uf94a눈嫩눌訥뉴杻늑\uf952늠\uf954능能니尼닉匿다多단丹달撻담啖답沓당唐대代댁宅덕德도倒독毒돈墩돌乭동仝두兜둔屯득得등嶝라喇"
    "락\uf95c란\uf95e랄剌람嵐랍拉랑廊래來랭冷략掠량亮려侶력力련憐렬冽렴廉렵獵령令례例로勞록碌론論롱壟뢰儡료了룡龍루壘류劉륙六륜侖률律륭隆륵勒름凜릉凌리俚린吝"
    "림林립砬마摩막寞만万말唜망亡매埋맥脈맹孟멱冪면免멸滅명冥몌袂모侮목木몰歿몽夢묘卯무務묵墨문們물勿미味민岷밀密박剝반伴발勃방倣배倍백伯번幡벌伐범凡"
    "법法벽僻변\uf965별別병丙보保복伏본本볼乶봉俸부不북北분分불\uf967붕崩비丕빈嚬빙憑사乍삭削산傘살乷삼三삽揷상上새塞색穡생牲서墅석夕선仙설卨섬剡섭攝성城세世"
    "소召속俗손孫솔率송宋쇄刷쇠衰수修숙叔순巡술戌숭崇슬瑟습濕승丞시侍식埴신伸실失심審십什쌍雙씨氏아亞악堊안安알斡암唵압壓앙仰애厓액厄앵櫻야也약弱양佯"
    "어圄억億언偃얼孼엄俺업嶪엔円여予역亦연嚥열\uf99e염厭엽曄영塋예乂오五옥屋온溫올兀옹壅와渦완婉왈曰왕往왜倭외外요僥욕慾용俑우于욱勖운云울蔚웅熊원元월月"
    "위位유乳육堉윤允율聿융戎은垠을乙음吟읍揖응凝의依이二익瀷인人일一임任입入잉仍자仔작作잔孱잠岑잡雜장丈재再쟁爭저佇적勣전佃절切점占접接정丁제制조俎"
    "족族존存졸卒종倧좌佐죄罪주主죽竹준俊줄茁중中즉卽즐櫛즙楫증增지之직直진唇질侄짐斟집\uf9fd징徵차且착捉찬撰찰刹참僭창倉채債책冊처凄척倜천仟철凸첨僉첩堞"
    "청廳체\ufa00초初촉促촌寸총叢촬撮최催추墜축丑춘春출出충充췌悴취取측側층層치侈칙則친親칠七침侵칩蟄칭秤쾌快타他탁倬탄呑탈奪탐探탑塔탕宕태兌택\ufa04탱撑터攄"
    "토兎통慟퇴堆투偸특慝틈闖파坡판判팔八패佩팽彭퍅愎편便폄貶평坪폐吠포佈폭幅표俵품品풍楓피彼필匹핍乏하下학壑한寒할割함函합合항亢해亥핵劾행倖향享허噓"
    "헌憲헐歇험險혁奕현俔혈孑혐嫌협俠형亨혜兮호乎혹惑혼婚홀忽홍哄화化확\ufa0b환丸활活황凰회匯획劃횡宖효哮후侯훈勛훙薨훤喧훼卉휘彙휴休휼恤흉兇흑黑흔昕흘吃"
    "흠欠흡吸흥興희僖힐詰"
)  # fmt: skip
# Forms of other countries, and new forms, with the form of KS X 1001.
_VARIANTS = dict(
    zip(
        "会実証経済労発伝変独価団総続権営険関処与児帰効図国学医検験譲専銭転鉄対仮継剤収従楽滞税内説録青横鉱戸教概温既研真条号节編",
        "會實證經濟勞發傳變獨價團總續權營險關處與兒歸效圖國學醫檢驗讓專錢轉鐵對假繼劑收從樂滯稅內說錄靑橫鑛戶敎槪溫旣硏眞條號節編",
        strict=True,
    )
)
_USUAL = {
    "金": "금",
    "率": "률",
    "不": "불",
}  # where KS X 1001 lists another reading at the usual character
_COMPATIBLE = range(0xF900, 0xFA0C)
_INITIAL, _VOWELS, _FINALS = 0xAC00, 21, 28
_N, _R, _NONE = 2, 5, 11  # numbers of the consonants ㄴ, ㄹ and ㅇ at the beginning of a syllable
_Y_OR_I = frozenset([2, 3, 6, 7, 12, 17, 20])  # numbers of the vowels ㅑㅒㅕㅖㅛㅠㅣ


def has_hanja(text: str) -> bool:
    """Return whether a text has Chinese characters."""
    return _HANJA.search(text) is not None


def hanja_readings(character: str) -> tuple[str, ...]:
    """Return the readings of a character, the usual one first; empty for another character.

    Each reading is followed by its form at the beginning of a word: `로`, `노` for 勞.
    """
    out: dict[str, None] = {}
    for reading in _readings(unicodedata.normalize("NFC", character)):
        out[reading] = None
        out[_initial(reading)] = None
        if reading in ("렬", "률"):
            out["열" if reading == "렬" else "율"] = None
    return tuple(out)


def read_hanja(word: str) -> str:
    """Return a word with the usual reading of each character, as it is written in Hangul: 노동 for
    勞動. Characters without a reading stay.
    """
    out = ""
    for index, character in enumerate(word):
        readings = _readings(unicodedata.normalize("NFC", character))
        reading = readings[0] if readings else character
        if reading == "불" and _initial_number(word[index + 1 : index + 2]) in (3, 12):
            reading = "부"  # 부동산, 부정
        elif readings and not out:
            reading = _initial(reading)
        elif reading in ("렬", "률") and _open_or_n(out[-1]):
            reading = "열" if reading == "렬" else "율"
        out += reading
    return out


@cache
def _readings(character: str) -> tuple[str, ...]:
    """Return the readings of KS X 1001 of a character in normal form C."""
    listed = [_VARIANTS.get(character, character), *_doubles().get(character, ())]
    out: dict[str, None] = dict.fromkeys(_USUAL.get(character, ""))
    for one in listed:
        try:
            place = one.encode("euc_kr")
        except UnicodeEncodeError:
            continue
        if place >= _places()[0]:
            out[_FIRST[2 * bisect.bisect_right(_places(), place) - 2]] = None
    return tuple(out)


@cache
def _places() -> list[bytes]:
    return [character.encode("euc_kr") for character in _FIRST[1::2]]


@cache
def _doubles() -> dict[str, list[str]]:
    """Return the further places of the characters that KS X 1001 lists more than once."""
    out: dict[str, list[str]] = {}
    for character in map(chr, _COMPATIBLE):
        out.setdefault(unicodedata.normalize("NFC", character), []).append(character)
    return out


def _initial(syllable: str) -> str:
    """Return a syllable as it is written at the beginning of a word (두음법칙)."""
    number = ord(syllable) - _INITIAL
    first, rest = divmod(number, _VOWELS * _FINALS)
    vowel = rest // _FINALS
    if first in (_N, _R) and vowel in _Y_OR_I:
        first = _NONE
    elif first == _R:
        first = _N
    return chr(_INITIAL + first * _VOWELS * _FINALS + rest)


def _initial_number(character: str) -> int:
    readings = _readings(unicodedata.normalize("NFC", character)) if character else ()
    syllable = readings[0] if readings else character
    is_syllable = len(syllable) == 1 and "가" <= syllable <= "힣"
    return (ord(syllable) - _INITIAL) // (_VOWELS * _FINALS) if is_syllable else -1


def _open_or_n(syllable: str) -> bool:
    """Return whether a syllable ends with a vowel or with ㄴ."""
    return "가" <= syllable <= "힣" and (ord(syllable) - _INITIAL) % _FINALS in (0, 4)
