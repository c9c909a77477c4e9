"""A small stand-in for a Weaviate server on loopback, for tests and benchmarks without a server.

It speaks HTTP and gRPC to the real client, with the client's own message types, and follows what
was measured on real servers: BM25 takes the number of distinct words of a passage as its length, a
server without the Korean tokenizer refuses such a property, and an answer has at most 10,000
results. Search by vector is exact.
"""

from checks.weaviate_stand_in.server import StandIn

__all__ = ["StandIn"]
