"""Turn a regular expression into a position automaton (Glushkov).

One state for each character of the pattern, and edges that carry what the assertions between two
characters demand. It is on the safe side: bounded repeats count as once or twice, lookaheads of
several characters and back references may always fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from re import _constants as op
from re import _parser

IGNORECASE, MULTILINE, DOTALL, ASCII = map(int, (re.IGNORECASE, re.MULTILINE, re.DOTALL, re.ASCII))
# A bounded repeat of more rounds counts as one without a bound.
LONG = 1_000
# Copies of a repeated part that must occur.
COPIES = 8
# Characters of every class that patterns distinguish.
SAMPLE = " \n\t\u3000aZ_5가힣一-.,()「#|<>&:\x00\"'é/"


@dataclass(frozen=True)
class Demand:
    """What holds between two characters: bit sets of the one before and the one after."""

    before: int
    after: int
    may_fail: bool = False

    def also(self, other: Demand) -> Demand:
        """Return what both demand."""
        return Demand(
            self.before & other.before, self.after & other.after, self.may_fail or other.may_fail
        )

    @property
    def possible(self) -> bool:
        """Return whether any two characters satisfy it."""
        return bool(self.before and self.after)


Ends = list[tuple[int, Demand]]


@dataclass
class Part:
    """A part of a pattern: how it is empty, where it starts, where it ends."""

    empty: list[Demand] = field(default_factory=list)
    first: Ends = field(default_factory=list)
    last: Ends = field(default_factory=list)


class Automaton:
    """The position automaton of one pattern."""

    def __init__(self, pattern: str | bytes, flags: int, *, anchored: bool, whole: bool) -> None:
        self.bytes = isinstance(pattern, bytes)
        tree = _parser.parse(pattern, flags & ~re.DEBUG)
        self.bytes = isinstance(pattern, bytes)
        self.letters = self._letters(tree)
        self.places = {letter: place for place, letter in enumerate(self.letters)}
        self.masks: dict[tuple[str, str, int], int] = {}
        self.reached: dict[tuple[bool, int], set[int]] = {}
        self.ending = 1 << len(self.letters)  # before: start of the text, after: its end
        self.every = self.ending * 2 - 1
        self.free = Demand(self.every, self.every)
        self.sets: list[int] = [self.ending - 1]
        self.edges: list[dict[int, list[Demand]]] = [{}]
        self.nested: set[int] = set()
        self.sealed: list[range] = []  # states of atomic groups outside of every repeat
        self.rounds = 0
        whole_part = self._sequence(tree, int(tree.state.flags))
        if not anchored:
            self.edges[0][0] = [self.free]
        for target, demand in whole_part.first:
            self._join(0, target, demand)
        stop = Demand(self.every, self.ending) if whole else self.free
        self.accepts: dict[int, list[Demand]] = {}
        for state, demand in whole_part.last:
            self.accepts.setdefault(state, []).append(demand.also(stop))
        self.anchored = anchored
        self._merge_letters()
        self.final = {state for state in range(1, len(self.sets)) if not self._can_fail(state)}

    def _merge_letters(self) -> None:
        """Keep one letter of those that no part of the pattern distinguishes."""
        masks = set(self.sets)
        for row in [*(d for e in self.edges for d in e.values()), *self.accepts.values()]:
            for demand in row:
                masks |= {demand.before, demand.after}
        kept: dict[tuple[int, ...], int] = {}
        ordered = sorted(masks)
        for place in range(len(self.letters)):
            kept.setdefault(tuple(mask >> place & 1 for mask in ordered), place)
        keep = self.ending
        for place in kept.values():
            keep |= 1 << place
        self.sets = [mask & keep for mask in self.sets]

    # -- characters ---------------------------------------------------------------------------

    def _letters(self, tree: _parser.SubPattern) -> list[str]:
        seen = dict.fromkeys(SAMPLE if not self.bytes else [c for c in SAMPLE if ord(c) < 256])

        def visit(items: object) -> None:
            if isinstance(items, _parser.SubPattern | list):
                for item in items:
                    visit(item)
            elif isinstance(items, tuple):
                kind = items[0] if items else None
                if kind in (op.LITERAL, op.NOT_LITERAL):
                    seen.setdefault(chr(items[1]))
                elif kind is op.RANGE:
                    low, high = items[1]
                    for code in (low, high, (low + high) // 2):
                        seen.setdefault(chr(code))
                else:
                    for item in items:
                        visit(item)

        visit(tree)
        return list(seen)

    def _mask(self, kind: object, value: object, flags: int) -> int:
        if kind is op.LITERAL and not flags & IGNORECASE:
            return 1 << self.places[chr(value)]
        key = (str(kind), str(value), flags)
        if key not in self.masks:
            self.masks[key] = self._read_mask(kind, value, flags)
        return self.masks[key]

    def _read_mask(self, kind: object, value: object, flags: int) -> int:
        mask = 0
        for place, letter in enumerate(self.letters):
            forms = {letter}
            if flags & IGNORECASE:
                forms |= {letter.lower(), letter.upper()}
            if any(len(form) == 1 and self._fits(form, kind, value, flags) for form in forms):
                mask |= 1 << place
        return mask

    def _fits(self, letter: str, kind: object, value: object, flags: int) -> bool:
        if kind is op.LITERAL:
            return ord(letter) == value
        if kind is op.NOT_LITERAL:
            return ord(letter) != value
        if kind is op.RANGE:
            return value[0] <= ord(letter) <= value[1]
        if kind is op.ANY:
            return letter != "\n" or bool(flags & DOTALL)
        if kind is op.CATEGORY:
            ascii_only = bool(flags & ASCII) or self.bytes
            return _category(letter, str(value), ascii_only)
        if kind is op.IN:
            negated = bool(value) and value[0][0] is op.NEGATE
            hit = any(self._fits(letter, k, v, flags) for k, v in value[1 if negated else 0 :])
            return hit != negated
        raise ValueError(kind)

    # -- construction -------------------------------------------------------------------------

    def _join(self, source: int, target: int, demand: Demand, *, again: bool = False) -> None:
        if not demand.possible:
            return
        known = self.edges[source].setdefault(target, [])
        for other in known:
            if other.also(demand).possible:
                if again:
                    self.nested.add(source)
                return
        known.append(demand)

    def _letter(self, mask: int) -> Part:
        self.sets.append(mask)
        self.edges.append({})
        here = (len(self.sets) - 1, self.free)
        return Part([], [here], [here])

    def _nothing(self, demand: Demand | None = None) -> Part:
        return Part([demand or self.free])

    def _then(self, one: Part, two: Part) -> Part:
        for source, left in one.last:
            for target, right in two.first:
                self._join(source, target, left.also(right))
        return Part(
            _few([a.also(b) for a in one.empty for b in two.empty]),
            one.first + [(t, e.also(d)) for e in one.empty for t, d in two.first],
            two.last + [(s, d.also(e)) for e in two.empty for s, d in one.last],
        )

    def _sequence(self, items: object, flags: int) -> Part:
        part = self._nothing()
        for kind, value in items:
            part = self._then(part, self._item(kind, value, flags))
        return part

    def _item(self, kind: object, value: object, flags: int) -> Part:
        if kind in (op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY):
            return self._letter(self._mask(kind, value, flags))
        if kind is op.SUBPATTERN:
            _, more, fewer, inner = value
            return self._sequence(inner, (flags | more) & ~fewer)
        if kind is op.BRANCH:
            return self._either([self._sequence(one, flags) for one in value[1]])
        if kind is op.ATOMIC_GROUP:
            return self._atomic(value, flags)
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            return self._repeat(value, flags)
        if kind is op.POSSESSIVE_REPEAT:
            return self._atomic([(op.MAX_REPEAT, value)], flags)
        if kind is op.AT:
            return self._at(str(value), flags)
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return self._assertion(value[0], value[1], kind is op.ASSERT_NOT, flags)
        if kind is op.GROUPREF:
            return self._nothing(replace(self.free, may_fail=True))
        if kind is op.GROUPREF_EXISTS:
            _, yes, no = value
            return self._either([self._sequence(yes, flags), self._sequence(no or [], flags)])
        raise ValueError(kind)

    def _either(self, parts: list[Part]) -> Part:
        return Part(
            _few([d for part in parts for d in part.empty]),
            [one for part in parts for one in part.first],
            [one for part in parts for one in part.last],
        )

    def _repeat(self, value: tuple[int, int, object], flags: int) -> Part:
        self.rounds += 1
        part = self._rounds(value, flags)
        self.rounds -= 1
        return part

    def _rounds(self, value: tuple[int, int, object], flags: int) -> Part:
        low, high, body = value
        part = self._nothing()
        if high is op.MAXREPEAT or high > LONG:
            for _ in range(min(low, COPIES) - 1):
                part = self._then(part, self._sequence(body, flags))
            loop = self._sequence(body, flags)
            for source, left in loop.last:
                for target, right in loop.first:
                    self._join(source, target, left.also(right), again=True)
            if low == 0:
                loop = Part([self.free], loop.first, loop.last)
            return self._then(part, loop)
        for _ in range(min(low, COPIES)):
            part = self._then(part, self._sequence(body, flags))
        if high > low:
            maybe = self._sequence(body, flags)
            part = self._then(part, Part([self.free], maybe.first, maybe.last))
        return part

    def _atomic(self, body: object, flags: int) -> Part:
        """It is left only where it cannot read further."""
        before = len(self.sets)
        part = self._sequence(body, flags)
        if not self.rounds:
            self.sealed.append(range(before, len(self.sets)))
        if _contains_bounded_only(body):
            return part
        last: Ends = []
        for state, demand in part.last:
            further = 0
            for target in self.edges[state]:
                if target >= before:
                    further |= self.sets[target]
            last.append((state, demand.also(Demand(self.every, self.every & ~further))))
        starts = 0
        for target, _ in part.first:
            starts |= self.sets[target]
        empty = [d.also(Demand(self.every, self.every & ~starts)) for d in part.empty]
        return Part(_few(empty), part.first, last)

    def _at(self, name: str, flags: int) -> Part:
        line = 1 << self.letters.index("\n")
        if name == "AT_BEGINNING":
            lines = line if flags & MULTILINE else 0
            return self._nothing(Demand(self.ending | lines, self.every))
        if name == "AT_BEGINNING_STRING":
            return self._nothing(Demand(self.ending, self.every))
        if name == "AT_END":
            lines = line if flags & MULTILINE else 0
            return self._nothing(Demand(self.every, self.ending | lines))
        if name == "AT_END_STRING":
            return self._nothing(Demand(self.every, self.ending))
        word = self._mask(op.CATEGORY, "CATEGORY_WORD", flags)
        other = self.every & ~word
        if name == "AT_BOUNDARY":
            return Part([Demand(word, other), Demand(other, word)])
        return Part([Demand(word, word), Demand(other, other)])

    def _assertion(self, way: int, body: object, negative: bool, flags: int) -> Part:
        low, high = body.getwidth()
        inside = self._sequence(body, flags)
        ends = inside.last if way < 0 else inside.first
        mask = 0
        for state, demand in ends:
            mask |= self.sets[state] & (demand.before if way < 0 else demand.after)
        for demand in inside.empty:
            mask |= demand.before if way < 0 else demand.after
        exact = high <= 1 and not any(
            d.before != self.every or d.after != self.every for _, d in ends
        )
        if negative:
            mask = self.every & ~mask if exact else self.every
        elif low == 0 and not inside.empty:
            mask = self.every
        demand = Demand(mask, self.every) if way < 0 else Demand(self.every, mask)
        demand = replace(demand, may_fail=not exact)
        part = self._nothing(demand)
        if way > 0 and high > LONG:
            # What a lookahead reads is read at every place where it is tried.
            part.first = list(inside.first)
        return part

    def _can_fail(self, state: int) -> bool:
        return not any(
            demand.after == self.every
            and not demand.may_fail
            and not self.sets[state] & ~demand.before
            for demand in self.accepts.get(state, [])
        )


def _few(demands: list[Demand]) -> list[Demand]:
    return list(dict.fromkeys(d for d in demands if d.possible))[:16]


def bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _contains_bounded_only(body: object) -> bool:
    """A possessive repeat with a bound is left even where it could read further."""
    items = list(body)
    if len(items) != 1 or items[0][0] is not op.MAX_REPEAT:
        return False
    return items[0][1][1] is not op.MAXREPEAT


def _category(letter: str, name: str, ascii_only: bool) -> bool:
    name = name.removeprefix("CATEGORY_")
    negated = name.startswith("NOT_")
    kind = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[name.removeprefix("NOT_")]
    hit = re.match(kind, letter, ASCII if ascii_only else 0) is not None
    return hit != negated
