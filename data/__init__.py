"""Documents in, clean dated corpus out.

In: folders of acts, rules, guidelines, decisions. Out: `chunks.jsonl`, `articles.jsonl`,
`rejected.jsonl`, `citations.jsonl` and a data card; and the lexical index over tokens.
"""
