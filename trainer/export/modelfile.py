"""Write what other programs need to serve a GGUF export: Ollama's Modelfile, and a note."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import write_text
from kofinlaw.models.gguf_table import read_gguf_metadata
from kofinlaw.models.templates import ChatTemplate, template_for
from kofinlaw.trainer.export.dialogues import DIALOGUES
from kofinlaw.trainer.export.go_template import go_template, rendered_by_go, surroundings
from kofinlaw.trainer.merge.json_objects import read_object_if_present

__all__ = ["MOST_CONTEXT", "NOTE", "expected_texts", "modelfile_path", "write_modelfile"]

MOST_CONTEXT = 8192  # tokens: Ollama reserves memory for the whole context when it loads the model
NOTE = "SERVING.md"


def modelfile_path(gguf: Path) -> Path:
    """Return where the Modelfile of a GGUF file is: `Modelfile`, or with the file's name behind it
    where `Modelfile` is that of another GGUF file in the folder.
    """
    first = gguf.parent / "Modelfile"
    try:
        other = f"FROM ./{gguf.name}\n" not in first.read_text(encoding="utf-8")
    except FileNotFoundError:
        other = False
    return gguf.parent / f"Modelfile.{gguf.stem}" if other else first


def expected_texts(template: ChatTemplate, *, without_bos: bool) -> list[str | None]:
    """Return the dialogues as the checkpoint's template renders them; None where it refuses one."""
    out: list[str | None] = []
    for dialogue in DIALOGUES:
        try:
            text = template.render(dialogue, add_generation_prompt=True)
        except UserError:
            out.append(None)
            continue
        out.append(text.removeprefix(template.bos) if without_bos else text)
    return out


def write_modelfile(merged: Path, gguf: Path) -> tuple[str, str]:
    """Write the Modelfile of a GGUF file, and the note on the folder's GGUF files.

    Returns the file's name and what was verified. Raises UserError for a damaged GGUF file.
    """
    template = template_for(merged)
    adds_bos = _adds_bos(gguf)
    body, verified = _template(template, adds_bos)
    context = min(_longest(merged), MOST_CONTEXT)
    lines = [
        "# Ollama: ollama create NAME -f " + modelfile_path(gguf).name,
        f"# Template: {verified}",
        f"# Context: {context} tokens; the model can read {_longest(merged)}.",
        "# Answers have no evidence and no citations: `kofinlaw serve RUN` answers from the index.",
        f"FROM ./{gguf.name}",
        *body,
        f"PARAMETER stop {json.dumps(template.stop, ensure_ascii=False)}",
        f"PARAMETER num_ctx {context}",
        "PARAMETER temperature 0",
    ]
    path = modelfile_path(gguf)
    write_text(path, "\n".join(lines) + "\n")
    files = sorted(one for one in gguf.parent.glob("*.gguf"))
    write_text(gguf.parent / NOTE, _note(files, template, context))
    return path.name, verified


def _adds_bos(gguf: Path) -> bool:
    """Return whether llama.cpp writes the BOS token before a prompt of this file."""
    found = read_gguf_metadata(gguf)
    default = found.get("tokenizer.ggml.model") == "llama"
    return bool(found.get("tokenizer.ggml.add_bos_token", default))


def _longest(merged: Path) -> int:
    config = read_object_if_present(merged / "config.json")
    text = config.get("text_config")
    inner = text if isinstance(text, dict) else config
    longest = inner.get("max_position_embeddings")
    return longest if isinstance(longest, int) and longest > 0 else MOST_CONTEXT


def _template(template: ChatTemplate, adds_bos: bool) -> tuple[list[str], str]:
    """Return the lines of the Go template (none if there is no Go form), and what was verified."""
    around = surroundings(template, without_bos=adds_bos)
    if around is None:
        return [], "not written: this chat template has no form in Go; Ollama chooses one itself"
    source = go_template(around)
    rendered = rendered_by_go(source, DIALOGUES)
    expected = expected_texts(template, without_bos=adds_bos)
    if rendered is None:
        texts, by = (
            [around.render(one) for one in DIALOGUES],
            "not verified by Go (no go program)",
        )
    else:
        texts, by = rendered, "verified by Go's text/template"
    wanted = [(ours, right) for ours, right in zip(texts, expected, strict=True) if right]
    same = sum(ours == right for ours, right in wanted)
    verified = f"{by}; {same} of {len(wanted)} dialogues as the checkpoint's template writes them"
    if any(ours != right and _unspaced(ours) == _unspaced(right) for ours, right in wanted):
        verified += "; the checkpoint's template removes blanks around a text, and Go's does not"
    if len(wanted) < len(DIALOGUES):
        verified += f"; it refuses {len(DIALOGUES) - len(wanted)}"
    return [f'TEMPLATE """{source}"""'], verified


def _unspaced(text: str) -> str:
    return "".join(text.split())


def _note(files: Iterable[Path], template: ChatTemplate, context: int) -> str:
    """Return the note: how llama.cpp's server, LM Studio and Ollama serve these files."""
    parts = [
        "# Serve these files",
        "",
        "Each GGUF file holds the chat template, which llama.cpp and LM Studio use. The export's",
        "`proof.md` says whether llama.cpp renders it as the checkpoint does.",
        f"An answer ends with `{template.stop}`. Training and measuring used temperature 0.",
        "",
        "None of these programs reads the index: answers have no evidence and no citations.",
        "`kofinlaw serve RUN` answers from the index, over the same interface.",
    ]
    for file in files:
        parts += [
            "",
            f"## {file.name}",
            "",
            "llama.cpp:",
            "",
            "```text",
            f"llama-server -m {file.name} --jinja -c {context} --temp 0 --host 127.0.0.1",
            "```",
            "",
            "LM Studio (or copy the file to `models/kofinlaw/MODEL/` in LM Studio's folder):",
            "",
            "```text",
            f"lms import {file.name}",
            "```",
            "",
            f"In LM Studio, set the context to {context} tokens and the temperature to 0, and keep",
            "the prompt template of the file.",
            "",
            "Ollama:",
            "",
            "```text",
            f"ollama create {file.stem.lower()} -f {modelfile_path(file).name}",
            "```",
        ]
    return "\n".join(parts) + "\n"
