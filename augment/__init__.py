"""Examples that can be trusted.

In: articles and chunks. Out: `examples.jsonl`, held-out questions with their keys,
`rejected.jsonl`, the ledger and a card.
"""
