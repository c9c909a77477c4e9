"""Build the token ids that a proof runs every model on."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.data.prompting.wording import choice_candidates, choice_messages
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.models.tokenizer import Tokenizer
from kofinlaw.records import Message, Question
from kofinlaw.trainer.proof.fixed_prompts import FIXED_DIALOGUES
from kofinlaw.trainer.proof.measure import Probe, spread_rows
from kofinlaw.trainer.proof.settings import VerifySettings

__all__ = ["build_probe", "texts_only"]


def build_probe(
    tokenizer: Tokenizer,
    template: ChatTemplate,
    prompts: Sequence[str | Sequence[Message]],
    questions: Sequence[Question],
    settings: VerifySettings,
    *,
    passages: Sequence[str] = (),
) -> Probe:
    """Render the fixed dialogues and held-out prompts, then add plain passages and questions.

    Every model runs on the same token ids, so tokenizers and templates are compared separately.

    Args:
        tokenizer: gives the token ids.
        template: the chat template that training used.
        prompts: user turns or whole dialogues, held out from training.
        questions: only multiple-choice questions are used.
        settings: how many of each, and how many tokens of a text.
        passages: texts without a chat template, held out from training.
    """
    dialogues: list[list[Message]] = [
        [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
        for user, assistant in FIXED_DIALOGUES
    ]
    for prompt in list(prompts)[: settings.prompts]:
        if isinstance(prompt, str):
            dialogues.append([{"role": "user", "content": prompt}])
        else:
            dialogues.append(list(prompt))
    texts, starts, openings = [], [], []
    for dialogue in dialogues:
        unanswered = dialogue[-1]["role"] != "assistant"
        ids = tokenizer.encode(template.render(dialogue, add_generation_prompt=unanswered))
        kept = ids[-settings.max_tokens_per_prompt :]
        asked = dialogue if unanswered else dialogue[:-1]
        openings.append(tokenizer.encode(template.render(asked, add_generation_prompt=True)))
        texts.append(kept)
        starts.append(max(1, len(openings[-1]) - len(ids) + len(kept)))
    kl_rows = spread_rows([len(ids) for ids in texts], settings.kl_positions)
    plain = [
        tokenizer.encode(template.bos + template.plain(text))[: settings.max_tokens_per_prompt]
        for text in list(passages)[: settings.passages]
    ]
    texts += plain
    starts += [len(ids) for ids in plain]
    kl_rows += spread_rows([len(ids) for ids in plain], settings.kl_positions)
    stop = tokenizer.id_of(template.stop)
    choices = [
        (
            tokenizer.encode(
                template.render(
                    choice_messages(item.question, item.options), add_generation_prompt=True
                )
            ),
            [tokenizer.encode(template.plain(t)) for t in choice_candidates(item.options)],
        )
        for item in [item for item in questions if item.options][: settings.questions]
    ]
    spread = openings[:: max(1, len(openings) // max(1, settings.greedy_prompts))]
    return Probe(
        texts=texts,
        answer_starts=starts,
        kl_rows=kl_rows,
        openings=spread[: settings.greedy_prompts],
        greedy_tokens=settings.greedy_tokens,
        stops=[] if stop is None else [stop],
        choices=choices,
        passages=len(plain),
    )


def texts_only(probe: Probe) -> Probe:
    """Return the probe without continuations and choices."""
    return Probe(probe.texts, probe.answer_starts, probe.kl_rows, [], 0, [], [])
