"""Check that base, tokenizer and chat template of a merge are those of the trained model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kofinlaw.files import sha256_file, sha256_text
from kofinlaw.models.rendering.control_tokens import own_template
from kofinlaw.models.templates import ChatTemplate, template_for
from kofinlaw.records import Message
from kofinlaw.results import JsonValue
from kofinlaw.trainer.base_identity import base_sha256
from kofinlaw.trainer.merge.adapter_files import Adapter
from kofinlaw.trainer.merge.merged_tokenizer import chat_template, own_vocabulary
from kofinlaw.trainer.proof.proof_result import Check

__all__ = ["RENDERED", "SAME_TEXTS", "identity_checks"]

SAME_TEXTS = ("tokenizer", "chat template")  # without these, two models would not read one text
RENDERED: list[Message] = [
    {"role": "user", "content": "제1조의 목적을 쓰시오."},
    {"role": "assistant", "content": "이용자 보호이다."},
]


def identity_checks(
    merged: Path,
    adapter: Adapter,
    base: Path,
    record: Mapping[str, JsonValue],
    template: ChatTemplate | None,
) -> list[Check]:
    """Check by hash that base, tokenizer, chat template and its rendering are the trained ones.

    Args:
        merged: the merged checkpoint.
        adapter: the adapter it was made from.
        base: the base model's folder.
        record: the merged folder's kofinlaw.json, empty where there is none.
        template: the template used in training; None takes the adapter's record of it.
    """
    digest = base_sha256(base)
    claimed = {adapter.record.get("base_sha256", digest), record.get("base_sha256", digest)}
    checks = [Check("base", digest[:16], "the adapter's and the merge's", claimed == {digest})]
    owner = adapter.folder if own_vocabulary(adapter.folder, base) else base
    wanted = owner / "tokenizer.json"
    stored = merged / "tokenizer.json"
    found = sha256_file(stored) if stored.exists() else "absent"
    same = wanted.exists() and found == sha256_file(wanted)
    of = "adapter's, which has other tokens" if owner == adapter.folder else "base's"
    checks.append(Check("tokenizer", found[:16], f"the {of}", same))
    recorded = str(adapter.record.get("template_sha256") or "")
    trained = template
    if trained is None and not recorded:
        trained = chat_template(adapter, base)
    expected = trained.sha256 if trained else recorded
    own = own_template(merged)  # as another reader finds it, without kofinlaw's catalogue
    found = sha256_text(own) if own is not None else "absent"
    checks.append(Check("chat template", found[:16], f"{expected[:16]}", found == expected))
    if found == expected:
        rendered = sha256_text(template_for(merged).render(RENDERED))
        marks = template_for(base)
        trained = trained or ChatTemplate(own or "", marks.bos, marks.eos)
        turns = sha256_text(trained.render(RENDERED))
        checks.append(Check("rendered turns", rendered[:16], turns[:16], rendered == turns))
    return checks
