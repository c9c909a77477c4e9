"""Search and filter the objects of the stand-in's collections."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kofinlaw.data.korean.words import content_morphemes

__all__ = ["Collection", "StandInError", "StoredObject", "passes"]

Scored = list[tuple["StoredObject", float]]


class StandInError(Exception):
    """A call that a real server refuses."""


@dataclass
class StoredObject:
    """An object: its id, its properties and its vector."""

    id: str
    properties: dict[str, Any]
    vector: np.ndarray[Any, Any] | None


class _WordLists:
    """Word → object → how often, and the distinct words of each object."""

    def __init__(self, words: dict[str, Counter[str]], count: int) -> None:
        self.count = count
        self.lengths = {identity: len(own) for identity, own in words.items()}
        self.mean = sum(self.lengths.values()) / max(len(words), 1)
        self.objects: dict[str, dict[str, int]] = {}
        for identity, own in words.items():
            for word, times in own.items():
                self.objects.setdefault(word, {})[identity] = times


@dataclass
class Collection:
    """A collection: its class (as the schema holds it) and its objects by id."""

    schema: dict[str, Any]
    objects: dict[str, StoredObject] = field(default_factory=dict)
    _split: dict[str, _WordLists] = field(default_factory=dict)

    def tokenizer(self, name: str) -> Callable[[str], list[str]]:
        """Return how a text property is split into words."""
        for one in self.schema["properties"]:
            if one["name"] == name:
                if not one.get("indexSearchable", True):
                    raise StandInError(f"property {name} is not searchable")
                korean = one["tokenization"] == "kagome_kr"
                return (lambda text: content_morphemes([text])[0]) if korean else str.split
        raise StandInError(f"no such prop with name '{name}' found in class")

    def words(self, query: str, name: str, allowed: Callable[[StoredObject], bool]) -> Scored:
        """Return the objects that share words with the query, by BM25, best first.

        The length of an object is its number of distinct words, as on the servers measured.
        """
        split = self.tokenizer(name)
        if not query.strip():
            raise StandInError("bm25 search: query is empty")
        lists = self._word_lists(name, split)
        bm25 = self.schema["invertedIndexConfig"]["bm25"]
        k1, b = bm25["k1"], bm25["b"]
        scores: dict[str, float] = {}
        for word, weight in Counter(split(query)).items():
            within = lists.objects.get(word, {})
            rarity = math.log(1 + (lists.count - len(within) + 0.5) / (len(within) + 0.5))
            for identity, times in within.items():
                length = 1 - b + b * lists.lengths[identity] / lists.mean
                value = weight * rarity * times * (k1 + 1) / (times + k1 * length)
                scores[identity] = scores.get(identity, 0.0) + value
        found = [(self.objects[one], score) for one, score in scores.items()]
        kept = [(one, score) for one, score in found if allowed(one)]
        return sorted(kept, key=lambda one: (-one[1], one[0].id))

    def _word_lists(self, name: str, split: Callable[[str], list[str]]) -> _WordLists:
        """Return the words of all objects, split again only after an object was stored."""
        held = self._split.get(name)
        if held is None or held.count != len(self.objects):
            held = self._split[name] = _WordLists(
                {
                    one.id: Counter(split(text))
                    for one in self.objects.values()
                    if (text := one.properties.get(name)) is not None
                },
                len(self.objects),
            )
        return held

    def nearest(self, vector: Any, allowed: Callable[[StoredObject], bool]) -> Scored:
        """Return the objects with a vector and their cosine distances, nearest first."""
        found = [
            (one, 1 - _cosine(one.vector, vector))
            for one in self.objects.values()
            if one.vector is not None and allowed(one)
        ]
        return sorted(found, key=lambda one: (one[1], one[0].id))

    def hybrid(self, by_words: Scored, by_vector: Scored, alpha: float, ranked: bool) -> Scored:
        """Return both lists fused; the second one holds distances."""
        lists = [(by_words, 1 - alpha)]
        lists.append(([(one, 1 - distance) for one, distance in by_vector], alpha))
        scores: dict[str, float] = {}
        for found, weight in lists:
            if not found or weight == 0:
                continue
            values = [score for _, score in found]
            low, high = min(values), max(values)
            for rank, (one, score) in enumerate(found):
                value = 1.0 if high == low else (score - low) / (high - low)
                value = 1 / (60 + rank + 1) if ranked else value
                scores[one.id] = scores.get(one.id, 0.0) + weight * value
        order = sorted(scores, key=lambda one: (-scores[one], one))
        return [(self.objects[one], scores[one]) for one in order]


def _cosine(one: Any, other: Any) -> float:
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.dot(one, other)) / norms if norms else 0.0


def passes(filters: Any, schema: dict[str, Any], one: StoredObject) -> bool:
    """Return whether an object passes a filter (the client's protobuf message)."""
    name = filters.Operator.Name(filters.operator).removeprefix("OPERATOR_")
    if name in ("AND", "OR"):
        parts: Iterable[bool] = (passes(part, schema, one) for part in filters.filters)
        return all(parts) if name == "AND" else any(parts)
    prop = filters.target.property
    known = {row["name"]: row for row in schema["properties"]}
    if prop not in known:
        raise StandInError(f"no such prop with name '{prop}' found in class")
    if not known[prop].get("indexFilterable", True):
        raise StandInError(f"property '{prop}' is not filterable")
    held, wanted = one.properties.get(prop), _value(filters)
    if held is None:
        return False
    compare: dict[str, Callable[[], bool]] = {
        "EQUAL": lambda: bool(held == wanted),
        "NOT_EQUAL": lambda: bool(held != wanted),
        "GREATER_THAN": lambda: bool(held > wanted),
        "GREATER_THAN_EQUAL": lambda: bool(held >= wanted),
        "LESS_THAN": lambda: bool(held < wanted),
        "LESS_THAN_EQUAL": lambda: bool(held <= wanted),
        "CONTAINS_ANY": lambda: held in wanted,
    }
    if name not in compare:
        raise StandInError(f"the stand-in knows no operator {name}")
    return compare[name]()


def _value(filters: Any) -> Any:
    name = filters.WhichOneof("test_value")
    value = getattr(filters, name)
    return set(value.values) if name.endswith("_array") else value
