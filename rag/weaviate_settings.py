"""Define the settings of the recipe section `rag.weaviate`: the server that searches."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["WeaviateSettings"]


class WeaviateSettings(BaseModel):
    """The server behind `store: weaviate`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = Field(
        None, description="http://host:port of the server; none: the variable WEAVIATE_URL"
    )
    grpc_port: int = Field(50051, ge=1, le=65535, description="the server's gRPC port")
    api_key_variable: str = Field(
        "WEAVIATE_API_KEY",
        min_length=1,
        description="environment variable with the server's API key; unset: no key is sent",
    )
    collection: str = Field(
        "Kofinlaw",
        pattern=r"^[A-Z][A-Za-z0-9_]*$",
        description="name of the collection; the index's fingerprint is added to it",
    )
    tokenization: Literal["whitespace", "kagome_kr"] = Field(
        "whitespace",
        description="who splits Korean text into words: the tokens made here, sent with blanks "
        "between them, or the server's kagome_kr (it must be started with "
        "ENABLE_TOKENIZER_KAGOME_KR=true; it found 6 points less of R@10)",
    )
    batch_passages: int = Field(200, ge=1, description="passages sent in one batch")
    call_seconds: float = Field(
        8.0,
        gt=0,
        le=600,
        description="longest time of a search on the server, with its retries; the time that "
        "answering has left shortens it",
    )
    import_seconds: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="how long an import waits for a server that does not answer (it may be "
        "starting again)",
    )
    concurrent_calls: int = Field(
        16, ge=1, le=256, description="searches that are sent to the server at the same time"
    )
    when_unavailable: Literal["local", "error"] = Field(
        "local",
        description="while questions are answered and the server does not answer: search the "
        "index folder instead and say so (local), or stop with an error (error)",
    )
