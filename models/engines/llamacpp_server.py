"""Start llama.cpp's server in this process, closed to the machine's other programs and to pages."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xllamacpp

__all__ = ["start_server"]


def start_server(parameters: xllamacpp.CommonParams) -> tuple[xllamacpp.Server, str]:
    """Return llama.cpp's server and the key that its HTTP interface wants as `Bearer` token.

    `xllamacpp` always opens a port on 127.0.0.1, without a key and with `Access-Control-Allow-
    Origin` for every page. The key is random and known to this process only; calls inside the
    process need none. Raises RuntimeError as `xllamacpp.Server` does.
    """
    import xllamacpp

    key = secrets.token_hex(32)
    parameters.api_keys = [key]
    parameters.cors_origins = "http://127.0.0.1"  # an origin without a page
    parameters.cors_origins_explicit = True
    return xllamacpp.Server(parameters), key
