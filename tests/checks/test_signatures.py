"""The signature check finds what a library lacks, on a small library written during the test."""

from __future__ import annotations

import pytest

from checks.expected import VALUES, expected_uses, expected_values
from checks.signatures import findings_of, missing_value, project_files
from checks.sources import Sources
from checks.uses import Use, uses_in

FILES = {
    "lib/__init__.py": """
LAZY = {"Engine": ".core.engine:Engine", "Params": ".core.params:Params"}
if True:
    from .core import *
""",
    "lib/core/__init__.py": "from .engine import helper as help_me\nfrom . import params\n",
    "lib/core/engine.py": """
from ..base import Base

class Engine(Base):
    def __init__(self, model: str, *, dtype="auto", **kwargs):
        self.core = object()

    @staticmethod
    def load(path, quick=False): ...

def helper(a, b=1, *, c=2): ...
""",
    "lib/core/params.py": """
from typing import Literal
Formats = Literal["auto", "dummy"]
LIMIT = 128

class Head:
    logprobs: int | None = None

class Params(Head):
    n: int = 1
    stop: list[str] = []
""",
    "lib/base.py": "class Base:\n    def shutdown(self, timeout=None): ...\n",
    "lib/arguments.py": "class Arguments:\n    seed: int = 0\n    gpu_share: float = 0.9\n",
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    root = tmp_path_factory.mktemp("lib")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Sources((root,))


def wrong(sources, text):
    uses = sorted(set(uses_in(text, "a.py", {"lib"})))
    return [f"{f.name} {f.wrong}" for use in uses for f in findings_of(use, sources)]


@pytest.mark.parametrize(
    "text",
    [
        "import lib\nlib.Engine('m', dtype='x', anything=1)\n",
        "from lib import Engine\nEngine.load('p', quick=True)\nEngine.shutdown\nEngine.core\n",
        "from lib.core import help_me\nhelp_me(1, 2, c=3)\n",
        "from lib import help_me, params\nparams.Params(n=2, stop=[], logprobs=1)\n",
        "from lib import Params as P\nP(logprobs=0)\n",
        "import lib.core.engine as e\ne.helper(1)\n",
        "import other\nother.Missing(x=1)\n",
    ],
)
def test_what_exists_is_found(text, sources):
    assert wrong(sources, text) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("from lib import Gone\n", "lib.Gone does not exist"),
        ("from lib.gone import x\n", "lib.gone.x does not exist"),
        ("import lib\nlib.Engine.gone\n", "lib.Engine.gone does not exist"),
        ("import lib\nlib.Params(m=1)\n", "lib.Params takes no keyword m"),
        ("import lib\nlib.Engine.load(1, slow=1)\n", "lib.Engine.load takes no keyword slow"),
        ("from lib import help_me\nhelp_me(1, 2, 3)\n", "lib.help_me takes 2 positional arguments"),
    ],
)
def test_what_does_not_exist_is_reported(text, finding, sources):
    assert finding in wrong(sources, text)


def test_open_keywords_are_checked_against_the_class_that_takes_them(sources):
    def found(keyword):
        use = Use("lib.Engine", "a.py", True, 0, (keyword,), "lib.arguments.Arguments")
        return [f.wrong for f in findings_of(use, sources)]

    assert found("gpu_share") == found("model") == found("dtype") == []
    assert found("gpu_memory") == ["takes no keyword gpu_memory"]


def test_a_value_must_be_in_one_of_its_lists(sources):
    formats, limit = "lib.core.params.Formats", "lib.core.params.LIMIT"
    assert missing_value((formats,), "dummy", sources) == []
    assert missing_value((formats, limit), 128, sources) == []
    (one,) = missing_value((formats,), "bitsandbytes", sources)
    assert one.wrong == "does not hold 'bitsandbytes'"
    (gone,) = missing_value(("lib.Nothing",), 1, sources)
    assert gone.wrong == "does not exist"


def test_the_project_passes_known_arguments_and_listed_values():
    uses = {use.name: use for use in expected_uses()}
    assert {"model", "quantization", "max_lora_rank"} <= set(uses["vllm.LLM"].keywords)
    assert {"regex", "json", "choice"} <= set(
        uses["vllm.sampling_params.StructuredOutputsParams"].keywords
    )
    passed = {value for _, value in expected_values()}
    assert {"bitsandbytes", "safetensors", "raw_logprobs"} <= passed
    assert VALUES["vllm.sampling_params.MAX_LOGPROB_TOKEN_IDS"] == (128,)
    assert {path.name for path in project_files()} >= {"vllm_engine.py", "worker.py"}
