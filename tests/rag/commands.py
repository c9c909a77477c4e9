"""A run's folder that `kofinlaw ask` and `kofinlaw answer` work in, with the dummy engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.settings import RagSettings

# A command's words → its exit status and its output.
Typed = Callable[..., tuple[int, str]]
TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def finish_run(folder: Path, *, recipe: str = "", answer: str = "") -> Path:
    """Make a run of a folder with `data/chunks.jsonl`: its index, a model that is only a template,
    and its recipe, to which `recipe` adds lines, and `answer` keys of that section."""
    rag = RagSettings(lexical="bigram")
    build_index(folder / "data" / "chunks.jsonl", folder / "index", rag, cache=None)
    model = folder / "merge" / "model"
    model.mkdir(parents=True)
    (model / "tokenizer_config.json").write_text('{"eos_token": "</s>"}', encoding="utf-8")
    (model / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    (folder / "recipe.yaml").write_text(
        "name: small\nmodel: {id: google/gemma-3-270m}\ndata: {sources: [{path: .}]}\n"
        "rag: {lexical: bigram}\n"
        f"answer: {{votes: 2, {answer} engine: {{engine: dummy}}}}\n"
        "evaluate: {heldout: false, questions: q.csv, key: k.jsonl, systems: [trained-rag]}\n"
        + recipe,
        encoding="utf-8",
    )
    return folder
