"""A run with an index over two versions of one rule."""

from __future__ import annotations

from pathlib import Path

import pytest

RULE = """---
제목: 전산점검 규정
시행일자: {day}
라이선스: Apache-2.0
---

# 전산점검 규정

##### 제1조 (목적)

이 규정은 전산장비의 점검에 관하여 필요한 사항을 정함을 목적으로 한다.

##### 제2조 (정의)

이 규정에서 "점검절차"란 전산장비의 점검을 위하여 은행이 정한 절차를 말한다.

##### 제3조 (보고)

**①** 담당부서는 점검절차에 이상이 있으면 {days}일 이내에 은행장에게 보고하여야 한다.

**②** 은행장은 제1항의 보고를 받으면 2주 이내에 조치하여야 한다.

##### {last}
"""
KEPT = "제4조 (보관)\n\n담당부서는 점검표를 5년 동안 보관하여야 한다."
FORBIDDEN = "제5조 (금지)\n\n임직원은 담당부서의 승인 없이 점검절차의 내용을 바꾸어서는 아니 된다."
RECIPE = """
name: dated
description: two versions of one rule
policy: open
model: {{id: pico/pico-llama, path: {model}}}
data: {{sources: [{{path: docs, license: Apache-2.0}}]}}
rag: {{lexical: bigram, k: 3}}
"""


@pytest.fixture(scope="session")
def dated_run(pico: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the run; no test changes it."""
    from kofinlaw.recipes.api import run_recipe

    folder = tmp_path_factory.mktemp("dated")
    (folder / "docs").mkdir()
    for name, day, days, last in (
        ("old", "2023-01-02", 7, KEPT),
        ("new", "2025-01-02", 3, FORBIDDEN),
    ):
        text = RULE.format(day=day, days=days, last=last)
        (folder / "docs" / f"{name}.md").write_text(text, encoding="utf-8")
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(model=pico / "model"), encoding="utf-8")
    return run_recipe(recipe, runs=folder / "runs", until="index", say=lambda _: None).folder
