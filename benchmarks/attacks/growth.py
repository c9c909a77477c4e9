"""Find regular expressions whose time grows faster than their input, from their structure.

A pattern becomes a position automaton (Glushkov): one state for each character of the pattern, and
edges that carry what the assertions between two characters demand. A backtracking matcher needs more
than linear time on a failing text if two different states p and q can both read the same words
again and again, and q is reached from p by that word (infinite degree of ambiguity; Weber and Seidl,
"On the degree of ambiguity of finite automata", 1991). A pattern that is searched for starts again
at every place of the text. This is one more state, p, that reads everything.

The check is on the safe side: bounded repeats count as once or twice (they cost a constant factor),
lookaheads of several characters and back references may always fail.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
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
class Growth:
    """One reason why a pattern grows: texts `prefix + pump * n + a suffix that fails`.

    `kind` is `restart` (every place of the text is tried and read again) or `overlap` (two parts of
    the pattern share the same characters).
    """

    kind: str
    prefix: str
    pump: str


@dataclass(frozen=True)
class Demand:
    """What holds between two characters: bit sets of the one before and the one after."""

    before: int
    after: int
    may_fail: bool = False

    def also(self, other: Demand) -> Demand:
        return Demand(
            self.before & other.before, self.after & other.after, self.may_fail or other.may_fail
        )

    @property
    def possible(self) -> bool:
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

    # -- ambiguity ----------------------------------------------------------------------------

    def growths(self) -> Iterator[Growth]:
        """Every loop that grows, once."""
        steps = self._steps()
        component = self._components()
        looping = [s for s in range(1, len(self.sets)) if component[s] is not None]
        for state in looping:
            if state in self.nested:
                letter = self._some(self.sets[state])
                yield Growth("overlap", self._way_to(steps, state), letter)
        for q in looping:
            if q in self.final:
                continue
            for p in [*([] if self.anchored else [0]), *looping]:
                if p == q or any(p in group and q not in group for group in self.sealed):
                    continue
                pump = self._pump(steps, component, p, q)
                if pump is not None:
                    prefix = "" if p == 0 else self._way_to(steps, p)
                    yield Growth("restart" if p == 0 else "overlap", prefix, pump)
                    break

    def loops(self) -> Iterator[tuple[str, str]]:
        """Return (a text that leads into a loop, a text that it reads again) of every loop."""
        steps = self._steps()
        component = self._components()
        for state in range(1, len(self.sets)):
            if component[state] is not None:
                cycle = self._cycle(steps, state)
                if cycle:
                    yield self._way_to(steps, state), cycle

    def _cycle(self, steps: list[dict[int, dict[int, list[int]]]], goal: int) -> str:
        """The shortest word from a state back to it."""
        for first in _bits(self.sets[goal]):
            queue = deque([(goal, first, "")])
            seen: set[tuple[int, int]] = set()
            while queue:
                state, last, word = queue.popleft()
                for letter, targets in steps[state].get(last, {}).items():
                    for target in targets:
                        if target == goal:
                            return word + self.letters[letter]
                        if target and (target, letter) not in seen:
                            seen.add((target, letter))
                            queue.append((target, letter, word + self.letters[letter]))
        return ""

    def _some(self, mask: int) -> str:
        return self.letters[(mask & -mask).bit_length() - 1]

    def _can_fail(self, state: int) -> bool:
        return not any(
            demand.after == self.every
            and not demand.may_fail
            and not self.sets[state] & ~demand.before
            for demand in self.accepts.get(state, [])
        )

    def _steps(self) -> list[dict[int, dict[int, list[int]]]]:
        """For each state and the letter read there: next letter -> next states."""
        table: list[dict[int, dict[int, list[int]]]] = []
        for state, mask in enumerate(self.sets):
            rows: dict[int, dict[int, list[int]]] = {}
            lasts = [*_bits(mask), *([len(self.letters)] if state == 0 else [])]
            for last in lasts:
                row: dict[int, list[int]] = {}
                for target, demands in self.edges[state].items():
                    allowed = 0
                    for demand in demands:
                        if demand.before >> last & 1:
                            allowed |= demand.after
                    for letter in _bits(allowed & self.sets[target]):
                        row.setdefault(letter, []).append(target)
                rows[last] = row
            table.append(rows)
        return table

    def _components(self) -> list[int | None]:
        """The strongly connected component of each state; None outside of every loop."""
        count = len(self.sets)
        index: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        on: set[int] = set()
        result: list[int | None] = [None] * count
        for root in range(count):
            if root in index:
                continue
            work = [(root, iter(self.edges[root]))]
            index[root] = low[root] = len(index)
            stack.append(root)
            on.add(root)
            while work:
                state, targets = work[-1]
                for target in targets:
                    if target not in index:
                        index[target] = low[target] = len(index)
                        stack.append(target)
                        on.add(target)
                        work.append((target, iter(self.edges[target])))
                        break
                    if target in on:
                        low[state] = min(low[state], index[target])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[state])
                    if low[state] == index[state]:
                        members = []
                        while True:
                            member = stack.pop()
                            on.discard(member)
                            members.append(member)
                            if member == state:
                                break
                        if len(members) > 1 or state in self.edges[state]:
                            for member in members:
                                result[member] = state
        return result

    def _pump(
        self,
        steps: list[dict[int, dict[int, list[int]]]],
        component: list[int | None],
        p: int,
        q: int,
    ) -> str | None:
        """A word that p, q and the way from p to q all read, or None.

        A loop through a state where the pattern may end does not fail: the match moves on with it.
        """
        near = self._between(p, q)
        if not near:
            return None
        involved = near | {
            s
            for s in range(len(self.sets))
            if component[s] in (component[p], component[q]) and component[s] is not None
        }
        keep = self._distinct(involved)
        for last in _bits(self.sets[q] & self.sets[p] & keep):
            start = (p, p, q, last)
            seen: dict[tuple[int, int, int, int], tuple[int, int, int, int] | None] = {start: None}
            queue = deque([start])
            while queue:
                here = queue.popleft()
                a, b, c, read = here
                rows = (steps[a].get(read, {}), steps[b].get(read, {}), steps[c].get(read, {}))
                for letter in rows[2]:
                    if not keep >> letter & 1 or letter not in rows[0] or letter not in rows[1]:
                        continue
                    for c2 in rows[2][letter]:
                        if component[c2] != component[q] or c2 in self.final:
                            continue
                        for a2 in rows[0][letter]:
                            if component[a2] != component[p]:
                                continue
                            for b2 in rows[1][letter]:
                                if b2 not in near:
                                    continue
                                there = (a2, b2, c2, letter)
                                if there in seen:
                                    continue
                                seen[there] = here
                                if (a2, b2, c2, letter) == (p, q, q, last):
                                    return self._word(seen, there)
                                queue.append(there)
                if len(seen) > 50_000:
                    return self.letters[last]
        return None

    def _distinct(self, states: set[int]) -> int:
        """One letter of each class that these states and the edges between them distinguish."""
        masks = {self.sets[state] for state in states}
        for state in states:
            for target in self.edges[state].keys() & states:
                for demand in self.edges[state][target]:
                    masks |= {demand.before, demand.after}
        kept: dict[tuple[int, ...], int] = {}
        for place in _bits(self.sets[0]):
            kept.setdefault(tuple(mask >> place & 1 for mask in masks), place)
        return sum(1 << place for place in kept.values())

    def _between(self, p: int, q: int) -> set[int]:
        """States on some way from p to q."""
        if (False, p) not in self.reached:
            self.reached[(False, p)] = _closure(self.edges, p)
        if q not in self.reached[(False, p)]:
            return set()
        if (True, q) not in self.reached:
            self.reached[(True, q)] = _closure(self._back(), q)
        return self.reached[(False, p)] & self.reached[(True, q)]

    def _back(self) -> list[dict[int, object]]:
        if not hasattr(self, "_backward"):
            self._backward: list[dict[int, object]] = [{} for _ in self.sets]
            for source, targets in enumerate(self.edges):
                for target in targets:
                    self._backward[target][source] = None
        return self._backward

    def _word(self, seen: dict, state: tuple[int, int, int, int]) -> str:
        word = []
        while seen[state] is not None:
            word.append(self.letters[state[3]])
            state = seen[state]
        return "".join(reversed(word))

    def _way_to(self, steps: list[dict[int, dict[int, list[int]]]], goal: int) -> str:
        start = (0, len(self.letters))
        seen: dict[tuple[int, int], tuple[int, int] | None] = {start: None}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            if here[0] == goal:
                word = []
                while seen[here] is not None:
                    word.append(self.letters[here[1]])
                    here = seen[here]
                return "".join(reversed(word))
            for letter, targets in steps[here[0]].get(here[1], {}).items():
                for target in targets:
                    if (target, letter) not in seen:
                        seen[(target, letter)] = here
                        queue.append((target, letter))
        return ""


def growths(
    pattern: str | bytes, flags: int = 0, *, anchored: bool = False, whole: bool = False
) -> list[Growth]:
    """Why a pattern grows faster than its input; empty if it does not."""
    if not repeats(pattern):
        return []
    return list(Automaton(pattern, flags, anchored=anchored, whole=whole).growths())


def repeats(pattern: str | bytes) -> bool:
    """Return whether a pattern has a repeat without a bound, or with a bound above `LONG`."""
    text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    bounds = re.findall(r"\{\d*,(\d*)\}", text)
    return bool(re.search(r"[*+]", text)) or any(not b or int(b) > LONG for b in bounds)


def _closure(edges: Sequence[Iterable[int]], start: int) -> set[int]:
    seen, work = {start}, [start]
    while work:
        for target in edges[work.pop()]:
            if target not in seen:
                seen.add(target)
                work.append(target)
    return seen


def _few(demands: list[Demand]) -> list[Demand]:
    return list(dict.fromkeys(d for d in demands if d.possible))[:16]


def _bits(mask: int) -> Iterator[int]:
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
