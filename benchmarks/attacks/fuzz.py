"""Give every reader changed copies of small valid files.

Allowed endings are success, a rejection with a reason, and one UserError that names the file. A
document may not vanish: each file is in the corpus or among the rejects.
"""

from __future__ import annotations

import json
import random
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from office_files import write_folder

from attacks.cases import Case, Ending, run_cases
from attacks.mutations import mutated
from attacks.small_run import RECIPE, write_documents, write_questions

__all__ = ["Form", "document_forms", "fuzz", "other_forms", "preload"]

ROOT = Path(__file__).parents[2]
SECONDS = 30.0  # that one changed file may take
BATCH = 12  # changed documents that are built into one corpus


@dataclass(frozen=True)
class Form:
    """A form of input: a valid file, and what reads it. `read` gets the path of a changed copy."""

    name: str
    valid: Path
    read: Callable[[Path], str]


def document_forms(work: Path) -> list[Path]:
    """Write a small valid document of each form that has a reader; return the files."""
    folder = work / "valid"
    write_folder(folder)
    write_documents(folder / "more")
    for path in (ROOT / "data" / "sample" / "corpus").glob("*.[hp][twd]*"):
        shutil.copy(path, folder / path.name)
    article = "제1조(목적) 이 규정은 점검에 필요한 사항을 정한다."
    rows = [{"title": "점검 규정", "text": article}, {"title": "보관 규정", "text": article}]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(lines, encoding="utf-8")
    (folder / "rows.csv").write_text(f"title,text\n점검 규정,{article}\n", encoding="utf-8")
    (folder / "portal.xml").write_text(PORTAL, encoding="utf-8")
    units = [{"조문번호": "1", "조문제목": "목적", "조문내용": article, "항": {"항내용": "① 항"}}]
    basic = {"법령명_한글": "점검법", "시행일자": "20250101"}
    act = {"법령": {"기본정보": basic, "조문": {"조문단위": units}}}
    (folder / "portal.json").write_text(json.dumps(act, ensure_ascii=False), encoding="utf-8")
    first = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        first.setdefault((path.suffix.lower(), path.name.startswith("rows")), path)
    return list(first.values())


PORTAL = """<?xml version="1.0" encoding="UTF-8"?>
<법령 법령키="1"><기본정보><법령명_한글>점검법</법령명_한글><시행일자>20250101</시행일자></기본정보>
<조문><조문단위 조문키="0001001"><조문번호>1</조문번호><조문여부>조문</조문여부>
<조문제목>목적</조문제목><조문내용>제1조(목적) 이 법은 점검을 정한다.</조문내용>
<항><항번호>①</항번호><항내용>① 은행은 점검한다.</항내용><호><호번호>1.</호번호>
<호내용>1. 전산</호내용><목><목번호>가.</목번호><목내용>가. 장비</목내용></목></호></항>
</조문단위></조문>
<부칙><부칙단위><부칙내용>이 법은 2025년 1월 1일부터 시행한다.</부칙내용></부칙단위></부칙></법령>
"""


def other_forms(work: Path) -> list[Form]:
    """Write small valid files of every other form that a user gives; return them with readers."""
    folder = work / "forms"
    folder.mkdir(parents=True, exist_ok=True)
    write_questions(folder)
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (folder / "questions.csv").write_text(
        'ID,Question\nT1,"기한은?\n1 1일\n2 3일\n3 7일\n4 10일"\nT2,목적을 설명하시오.\n',
        encoding="utf-8",
    )
    (folder / "submission.csv").write_text("ID,Answer\nT1,2\nT2,점검\n", encoding="utf-8")
    chat = [{"role": "user", "content": "기한은?"}, {"role": "assistant", "content": "3일"}]
    rows = [{"id": "a", "messages": chat}, {"id": "b", "prompt": "기한은?", "completion": "3일"}]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "examples.jsonl").write_text(lines, encoding="utf-8")
    return [
        Form("recipe", folder / "recipe.yaml", _read_recipe),
        Form("questions.csv", folder / "questions.csv", _read_questions),
        Form("questions.jsonl", folder / "questions.jsonl", _read_questions),
        Form("key.jsonl", folder / "key.jsonl", _read_exam(folder / "questions.jsonl")),
        Form("examples.jsonl", folder / "examples.jsonl", _read_examples),
        Form("submission.csv", folder / "submission.csv", _read_submission),
        *_model_forms(folder / "model"),
        *_adapter_forms(folder / "adapter"),
    ]


def _read_recipe(path: Path) -> str:
    from kofinlaw.recipes.pipeline.schema import load_recipe

    return load_recipe(str(path))[0].name


def _read_questions(path: Path) -> str:
    from kofinlaw.rag.questions.question_files import read_questions

    return f"{len(read_questions(path).questions)} questions"


def _read_exam(questions: Path) -> Callable[[Path], str]:
    def read(path: Path) -> str:
        from kofinlaw.rag.questions.exam_files import read_exam

        return f"{len(read_exam(questions, path).keys)} keys"

    return read


def _read_examples(path: Path) -> str:
    from kofinlaw.recipes.pipeline.ready_examples import copy_examples

    return str(copy_examples(path, ["보호된 질문"], path.with_suffix(".out")).to_record())


def _read_submission(path: Path) -> str:
    from kofinlaw.scoring.answers import read_answers

    return f"{len(read_answers(path).answers)} answers"


def _model_forms(folder: Path) -> Iterator[Form]:
    """Yield the files of a model folder, each with the check of the whole folder."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models

    folder.mkdir(exist_ok=True)
    config = {
        **{"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, "vocab_size": 12},
        **{"num_attention_heads": 2, "intermediate_size": 16},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "generation_config.json").write_text('{"eos_token_id": 2}', encoding="utf-8")
    template = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}"
    words = {"chat_template": template, "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(words), encoding="utf-8")
    tokens = {"<unk>": 0, "가": 1, "</s>": 2}
    Tokenizer(models.WordLevel(tokens, unk_token="<unk>")).save(str(folder / "tokenizer.json"))
    tensors = {
        "model.embed_tokens.weight": np.zeros((12, 8), np.float32),
        "model.layers.0.mlp.gate_proj.weight": np.zeros((16, 8), np.float32),
    }
    save_file(tensors, folder / "model.safetensors")

    def read(path: Path) -> str:
        from kofinlaw.models.catalogue import card_from_config
        from kofinlaw.models.folder_checks import check_folder
        from kofinlaw.models.templates import template_for
        from kofinlaw.models.tokenizer import Tokenizer as OwnTokenizer

        check_folder(path.parent)
        card_from_config(path.parent)
        OwnTokenizer(path.parent).encode("가")
        template_for(path.parent).render([{"role": "user", "content": "가"}])
        return "read"

    for name in sorted(path.name for path in folder.iterdir()):
        yield Form(f"model/{name}", folder / name, read)


def _adapter_forms(folder: Path) -> Iterator[Form]:
    """Yield the files of an adapter folder, each with what the merge reads of the folder."""
    from safetensors.numpy import save_file

    folder.mkdir(exist_ok=True)
    config = {
        **{"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"]},
        **{"bias": "none", "task_type": "CAUSAL_LM", "base_model_name_or_path": "a"},
    }
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "kofinlaw.json").write_text('{"base_id": "a"}', encoding="utf-8")
    name = "base_model.model.model.layers.0.self_attn.q_proj"
    tensors = {
        f"{name}.lora_A.weight": np.zeros((2, 8), np.float32),
        f"{name}.lora_B.weight": np.zeros((8, 2), np.float32),
    }
    save_file(tensors, folder / "adapter_model.safetensors")

    def read(path: Path) -> str:
        from kofinlaw.trainer.merge.adapter_files import read_adapter

        return f"{len(read_adapter(path.parent).tensors)} tensors"

    for file in sorted(path.name for path in folder.iterdir()):
        yield Form(f"adapter/{file}", folder / file, read)


def fuzz(work: Path, seed: int, times: int) -> tuple[dict[str, int], list[Ending], list[str]]:
    """Return (changed files by form, how each case ended, names of lost documents).

    Args:
        work: A folder for the files.
        seed: Decides every change.
        times: Changed copies of each form.
    """
    preload()
    tried: dict[str, int] = {}
    endings: list[Ending] = []
    for form in other_forms(work):
        choice = random.Random(f"{seed} {form.name}")
        data = form.valid.read_bytes()
        cases = [
            Case(f"{form.name} #{number}", _changed_folder(work, form, mutated(data, choice)))
            for number in range(times)
        ]
        endings += run_cases(cases, SECONDS)
        tried[form.name] = times
    files: dict[str, bytes] = {}
    for place, path in enumerate(document_forms(work)):
        choice = random.Random(f"{seed} {path.name}")
        data = path.read_bytes()
        form_name = f"document {path.suffix}"
        tried[form_name] = tried.get(form_name, 0) + times
        for number in range(times):
            files[f"{number:04d}-{place:02d}{path.suffix}"] = mutated(data, choice)
    names, lost = sorted(files), []
    for start in range(0, len(names), BATCH):
        some, gone = _build(work, {name: files[name] for name in names[start : start + BATCH]})
        endings += some
        lost += gone
    return tried, endings, lost


def preload() -> None:
    """Import what the readers need, so that each child process does not import it again."""
    import bs4  # noqa: F401
    import kiwipiepy  # noqa: F401
    import openpyxl  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import pypdfium2  # noqa: F401
    import tokenizers  # noqa: F401

    from kofinlaw.data import build_corpus  # noqa: F401
    from kofinlaw.models.templates import template_for  # noqa: F401
    from kofinlaw.rag.questions.exam_files import read_exam  # noqa: F401
    from kofinlaw.recipes.pipeline.schema import load_recipe  # noqa: F401
    from kofinlaw.scoring.answers import read_answers  # noqa: F401
    from kofinlaw.trainer.merge.adapter_files import read_adapter  # noqa: F401


def _changed_folder(work: Path, form: Form, data: bytes) -> Callable[[], str]:
    """Return what reads a copy of the form's folder in which one file has this content."""

    def read() -> str:
        folder = work / "changed"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(form.valid.parent, folder)
        path = folder / form.valid.name
        path.write_bytes(data)
        return form.read(path)

    return read


def _build(work: Path, files: Mapping[str, bytes]) -> tuple[list[Ending], list[str]]:
    """Build a corpus of changed documents and a good one; a bad ending is tried file by file."""
    whole = Case(f"{len(files)} files from {min(files)}", lambda: _lost_files(work, files))
    (ending,) = run_cases([whole], SECONDS * 4)
    if ending.how == "done":
        done = [Ending(name, "done", "", ending.seconds / len(files)) for name in files]
        return done, json.loads(ending.detail)

    def alone(name: str, data: bytes) -> Case:
        return Case(name, lambda: _lost_files(work, {name: data}))

    found = run_cases([alone(name, data) for name, data in files.items()], SECONDS)
    gone = [one.name for one in found if one.how == "done" and one.detail != "[]"]
    if not any(one.bad for one in found) and ending.bad:
        found.append(ending)  # only together
    return found, gone


def _lost_files(work: Path, files: Mapping[str, bytes]) -> str:
    """Return, as JSON, the names of files that are neither in the corpus nor among the rejects."""
    from kofinlaw.data import DataSettings, build_corpus
    from kofinlaw.files import read_json_lines

    folder, out = work / "changed", work / "corpus"
    for old in (folder, out):
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    good = next((work / "valid" / "more").glob("*.md"))
    shutil.copy(good, folder / "good.md")
    settings = DataSettings.model_validate(
        {"sources": [{"path": str(folder), "license": "Apache-2.0"}]}
    )
    build_corpus(settings, out, base=work)
    known = set()
    for name in ("chunks", "rejected", "articles", "duplicates"):
        path = out / f"{name}.jsonl"
        for _, row in read_json_lines(path) if path.exists() else ():
            known.add(_file_of(str(row.get("source") or row.get("id") or "")))
            known.add(_file_of(str(row.get("id") or "")))
    card = (out / "card.md").read_text(encoding="utf-8")
    return json.dumps([n for n in [*files, "good.md"] if n not in known and n not in card])


def _file_of(name: str) -> str:
    bare = unicodedata.normalize("NFC", name).split("#")[0]
    return bare.rsplit("/", 1)[-1]
