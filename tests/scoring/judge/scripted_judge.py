"""A judge whose verdicts a test writes."""

import json
import re

from kofinlaw.models.engines.base import EngineStats, Generation
from kofinlaw.models.engines.dummy_engine import CharacterCounter


class ScriptedJudge:
    """Returns what `script(prompt, request)` returns."""

    name, deterministic = "scripted", True

    def __init__(self, script):
        self.script, self.asked = script, []
        self.stats, self.tokenizer = EngineStats(), CharacterCounter()

    def generate(self, requests):
        self.asked += requests
        return [Generation(self.script(r.prompt, r), 1, 1, "stop", 0.0) for r in requests]


def block(prompt, name):
    return re.search(rf"<{name}>\n(.*?)\n</{name}>", prompt, re.DOTALL).group(1)


def fair(prompt, request):
    """Right when the answer is the reference; the first of two equal answers never wins."""
    if "<답안1>" in prompt:
        gold, one, two = (block(prompt, n) for n in ("모범답", "답안1", "답안2"))
        return json.dumps(
            {"score": {(1, 0): "1", (0, 1): "2"}.get((one == gold, two == gold), "같음")}
        )
    right = "<모범답>" not in prompt or block(prompt, "모범답") == block(prompt, "답안")
    best = max(request.json_schema["properties"]["score"]["enum"])
    worst = min(request.json_schema["properties"]["score"]["enum"])
    return json.dumps({"reasoning": "견주어 보았다.", "score": best if right else worst})
