"""Answers before the deadline.

In: chunks, an engine and a file of questions. Out: an index, `answers.jsonl`,
`timings.jsonl` and a submission that is complete and valid at every moment.
"""
