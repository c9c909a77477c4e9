"""Find regular expressions whose time grows faster than their input, from their structure.

A backtracking matcher needs more than linear time on a failing text if two different states p and q
of the pattern's automaton can both read the same words again and again, and q is reached from p by
that word (infinite degree of ambiguity; Weber and Seidl, "On the degree of ambiguity of finite
automata", 1991). A pattern that is searched for starts again at every place of the text. This is
one more state, p, that reads everything.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from attacks.automaton import LONG, Automaton, bits

# For each state and the letter read there: next letter -> next states.
Steps = list[dict[int, dict[int, list[int]]]]


@dataclass(frozen=True)
class Growth:
    """One reason why a pattern grows: texts `prefix + pump * n + a suffix that fails`.

    `kind` is `restart` (every place of the text is tried and read again) or `overlap` (two parts of
    the pattern share the same characters).
    """

    kind: str
    prefix: str
    pump: str


class Ambiguity(Automaton):
    """The loops of a pattern, and those that read the same text in several ways."""

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

    def _cycle(self, steps: Steps, goal: int) -> str:
        """The shortest word from a state back to it."""
        for first in bits(self.sets[goal]):
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

    def _steps(self) -> Steps:
        """For each state and the letter read there: next letter -> next states."""
        table: Steps = []
        for state, mask in enumerate(self.sets):
            rows: dict[int, dict[int, list[int]]] = {}
            lasts = [*bits(mask), *([len(self.letters)] if state == 0 else [])]
            for last in lasts:
                row: dict[int, list[int]] = {}
                for target, demands in self.edges[state].items():
                    allowed = 0
                    for demand in demands:
                        if demand.before >> last & 1:
                            allowed |= demand.after
                    for letter in bits(allowed & self.sets[target]):
                        row.setdefault(letter, []).append(target)
                rows[last] = row
            table.append(rows)
        return table

    def _components(self) -> list[int | None]:  # noqa: C901 - Tarjan's algorithm without recursion
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

    def _pump(  # noqa: C901 - one search over three states
        self,
        steps: Steps,
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
        for last in bits(self.sets[q] & self.sets[p] & keep):
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
        for place in bits(self.sets[0]):
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

    def _way_to(self, steps: Steps, goal: int) -> str:
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
    return list(Ambiguity(pattern, flags, anchored=anchored, whole=whole).growths())


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
