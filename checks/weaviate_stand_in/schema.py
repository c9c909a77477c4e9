"""Complete a class as a server does: the defaults of what the client leaves out."""

from __future__ import annotations

from typing import Any

__all__ = ["complete"]

_HNSW: dict[str, Any] = {
    "cleanupIntervalSeconds": 300,
    "distance": "cosine",
    "dynamicEfMin": 100,
    "dynamicEfMax": 500,
    "dynamicEfFactor": 8,
    "ef": -1,
    "efConstruction": 128,
    "flatSearchCutoff": 40000,
    "maxConnections": 32,
    "skip": False,
    "vectorCacheMaxObjects": 1000000000000,
}


def complete(given: dict[str, Any]) -> dict[str, Any]:
    """Return the class with every key that the client reads."""
    made = dict(given)
    inverted = {
        "cleanupIntervalSeconds": 60,
        "bm25": {"b": 0.75, "k1": 1.2},
        **{key: value for key, value in given.get("invertedIndexConfig", {}).items() if value},
    }
    stopwords = {"preset": "en", "additions": None, "removals": None}
    inverted["stopwords"] = {**stopwords, **inverted.get("stopwords", {})}
    made["invertedIndexConfig"] = inverted
    made["properties"] = [
        {"indexFilterable": True, "indexSearchable": one["dataType"] == ["text"], **one}
        for one in given.get("properties") or []
    ]
    for one in made["properties"]:
        one.setdefault("tokenization", "word" if one["dataType"] == ["text"] else None)
    made.setdefault("replicationConfig", {"factor": 1, "asyncEnabled": False})
    made.setdefault("multiTenancyConfig", {"enabled": False})
    made["shardingConfig"] = {
        "virtualPerPhysical": 128,
        "desiredCount": 1,
        "actualCount": 1,
        "desiredVirtualCount": 128,
        "actualVirtualCount": 128,
        "key": "_id",
        "strategy": "hash",
        "function": "murmur3",
    }
    if "vectorConfig" in made:
        for one in made["vectorConfig"].values():
            one["vectorIndexType"] = one.get("vectorIndexType", "hnsw")
            one["vectorIndexConfig"] = {**_HNSW, **one.get("vectorIndexConfig", {})}
    else:
        made.setdefault("vectorizer", "none")
        made.setdefault("vectorIndexType", "hnsw")
        made["vectorIndexConfig"] = {**_HNSW, **made.get("vectorIndexConfig", {})}
    return made
