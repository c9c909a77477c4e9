"""Every field of a request is applied, noted or refused by name."""

import contextlib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.recipes.serving.chat_request import (
    MOST_EMBEDDED,
    MOST_QUESTION,
    chat_request,
    check_question,
    embedding_texts,
)

BODY = {"model": "pico", "messages": [{"role": "user", "content": "질문"}]}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"n": 2}, "n"),
        ({"n": True}, "n"),
        ({"top_p": 0.9}, "top_p"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": -1}, "presence_penalty"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"5": -100}}, "logit_bias"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
        ({"stream_options": {"include_usage": "yes"}}, "include_usage"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
        ({"seed": -1}, "seed"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"nonsense": 1}, "nonsense"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": 10**9}, "max_completion_tokens"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"stream_options": 3}, "stream_options"),
        ({"temperature": 9}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"stop": [1]}, "stop"),
        ({"stop": {}}, "stop"),
        ({"stop": 0}, "stop"),
        ({"stop": False}, "stop"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"as_of": "2026-13-01"}, "as_of"),
        ({"as_of": 20260101}, "as_of"),
        ({"rag": "no"}, "rag"),
        ({"stream": "yes"}, "stream"),
        ({"messages": []}, "messages"),
        ({"messages": "질문"}, "messages"),
        ({"messages": [{"role": "user", "content": "x"}] * 10_000}, "messages"),
        ({"messages": ["x"]}, "messages[0]"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}, BODY["messages"][0]]},
            "messages[0].tool_calls",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
            "messages[0].content",
        ),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"model": None}, "model"),
        ({"model": 3}, "model"),
    ],
)
def test_a_wrong_field_is_named(change, where):
    with pytest.raises(UserError) as caught:
        chat_request({**BODY, **change})
    assert caught.value.where == where


def test_a_request_is_read_with_its_defaults():
    read = chat_request(BODY)
    assert (read.question, read.rag, read.as_of, read.stream) == ("질문", None, None, False)
    assert read.limits.max_tokens == 256


def test_all_fields_are_read():
    parts = [{"type": "text", "text": "보관 "}, {"type": "text", "text": "기간은?"}]
    read = chat_request(
        {
            "model": "pico",
            "messages": [
                {"role": "developer", "content": "짧게"},
                {"role": "user", "content": parts},
            ],
            "as_of": "2025-07-31",
            "max_completion_tokens": 5,
            "stop": "끝",
            "temperature": 1,
            "seed": 7,
            "rag": False,
            "stream": True,
            "stream_options": {"include_usage": True},
            "n": 1,
            "tools": [],
            "user": "me",
        }
    )
    assert read.messages[0] == {"role": "system", "content": "짧게"}
    assert read.question == "보관 기간은?"
    assert read.as_of == date(2025, 7, 31)
    assert (read.limits.max_tokens, read.limits.stop) == (5, ("끝",))
    assert (read.limits.temperature, read.limits.seed) == (1.0, 7)
    assert (read.rag, read.stream, read.usage) == (False, True, True)


def test_what_clients_send_at_its_neutral_value_is_accepted():
    turn = {"role": "assistant", "content": None, "refusal": None}
    messages = [BODY["messages"][0], turn, BODY["messages"][0]]
    neutral = {"tool_choice": "auto", "parallel_tool_calls": True, "prompt_cache_key": "me"}
    neutral |= {"top_logprobs": 0, "modalities": ["text"], "stream_options": None}
    read = chat_request({**BODY, **neutral, "messages": messages})
    assert read.messages[1] == {"role": "assistant", "content": ""}
    assert read.unused == ("prompt_cache_key",)
    assert embedding_texts({"model": "pico", "input": "글", "dimensions": None})[1] == ("글",)


def test_an_answer_that_refused_is_an_earlier_turn():
    turn = {"role": "assistant", "content": None, "refusal": "답할 수 없습니다", "tool_calls": None}
    read = chat_request({**BODY, "messages": [turn, {**BODY["messages"][0], "name": "kim"}]})
    assert read.messages[0]["content"] == "답할 수 없습니다"
    assert read.unused == ("messages[].name",)


def test_token_numbers_are_refused_with_the_remedy():
    with pytest.raises(UserError, match="not numbers of tokens"):
        embedding_texts({"model": "pico", "input": [[1, 2]]})


def test_a_question_longer_than_a_search_takes_is_refused():
    check_question("가" * MOST_QUESTION)
    with pytest.raises(UserError, match="the most is"):
        check_question("가" * (MOST_QUESTION + 1))


def test_decomposed_text_is_composed_and_half_an_emoji_replaced():
    body = {**BODY, "messages": [{"role": "user", "content": "가" + "\ud83d"}]}
    assert chat_request(body).question == "가�"


@pytest.mark.parametrize(
    "change",
    [{"input": []}, {"input": [1, 2]}, {"input": " "}, {"input": ["글", "\u200b"]}, {"input": ["글", None]}, {"input": ["x"] * 257},
     {"encoding_format": "int8"}, {"encoding_format": []}, {"encoding_format": ""}, {"dimensions": 3}, {"model": ""}],
)  # fmt: skip
def test_wrong_embedding_requests_are_refused(change):
    with pytest.raises(UserError):
        embedding_texts({"model": "pico", "input": "글", **change})


def test_the_texts_of_an_embedding_request_have_a_limit_together():
    texts = ["가" * (MOST_EMBEDDED - 1), "나"]
    assert embedding_texts({"model": "pico", "input": texts})[1] == tuple(texts)
    with pytest.raises(UserError, match="32001 characters; the most in one request is 32000"):
        embedding_texts({"model": "pico", "input": [*texts, "다"]})


NAMES = st.sampled_from([*BODY, "stream", "stop", "max_tokens", "seed", "rag", "as_of", "n", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES | st.dictionaries(NAMES, VALUES, max_size=6))
@settings(max_examples=60)
def test_any_json_value_is_a_request_or_one_error(value):
    for read in (chat_request, embedding_texts):
        with contextlib.suppress(UserError):
            read(value)
