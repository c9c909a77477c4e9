"""List all question generators. A new generator is added here.

**Contract of a generator.** A generator is a function `(law, laws, seed) -> Iterator[Draft]`:

- *Input.* `law` is one act with its clauses, parties and actors; `laws` are all acts of the corpus,
  for checks over the whole corpus; `seed` decides all random choices.
- *Output.* `Draft`s of the kinds that its entry in `GROUNDED_GENERATORS` lists.
- *Invariants.*
    1. The same act and seed give the same drafts in the same order. All randomness comes from
       `source_rng(seed, name, article id, ...)`, so that no draft depends on other acts. Only the
       options of `which_act` are other acts' titles.
    2. The answer is right by the text of `units`, and `focus` holds the phrases that decide it.
    3. No wrong option can be defended as right. Its rule is a function that `falsity` lists.
    4. A generator needs no model, no network and no file.
- *Checks that follow.*
    1. Of two drafts with the same stem and answer only the first counts (`stage`).
    2. `option_choice.build_item` picks three or four wrong options of balanced length.
    3. `option_choice.find_problem` rejects equal or empty options and an answer in the stem.
    4. `falsity.true_elsewhere` rejects false statements that the corpus says.
    5. `protected_questions` rejects stems of evaluation questions.
    6. `selection` takes drafts by the weight of their kind, the limit for each article and the
       least shares of negative and numeric questions.
    7. `examples` rejects an item whose deciding lines do not fit the evidence budget.

To add a generator: write the module, add its entry to `GROUNDED_GENERATORS` and a weight for each
of its kinds to `settings.WEIGHTS`, and increase `VERSION`. Without changing the package, pass a
`QuestionGenerator` with a weight to `generate_examples(extra_generators=…)`; see
`examples/add_a_generator.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kofinlaw import Progress, silent
from kofinlaw.augment.generators import (
    actors,
    definitions,
    enumerations,
    exceptions,
    modality,
    penalties,
    quantities,
    references,
    statements,
)
from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.reading.acts import Law, Laws
from kofinlaw.records import Rejected, until_fault

__all__ = ["GROUNDED_GENERATORS", "VERSION", "QuestionGenerator", "draft_questions"]

# Written to the provenance of every example; increase it when a generator changes what it yields.
VERSION = "17"


@dataclass(frozen=True)
class QuestionGenerator:
    """A generator with the kinds of question that it yields. The module says what it must keep."""

    kinds: tuple[str, ...]
    generate: Callable[[Law, Laws, int], Iterator[Draft]]
    # Of each kind, next to the weights in `settings.WEIGHTS`; only for generators of your own.
    weight: float = 0.0


# The order decides the order of the drafts, and so the items that are drawn from them.
GROUNDED_GENERATORS: tuple[QuestionGenerator, ...] = (
    QuestionGenerator(
        ("definition_term", "term_definition", "definition_mismatch"),
        lambda law, laws, seed: definitions.generate(law, seed),
    ),
    QuestionGenerator(("quantity",), lambda law, laws, seed: quantities.generate(law, seed)),
    QuestionGenerator(("modality",), lambda law, laws, seed: modality.generate(law, seed)),
    QuestionGenerator(("actor", "addressee"), lambda law, laws, seed: actors.generate(law, seed)),
    QuestionGenerator(
        ("enumeration_not", "enumeration"),
        lambda law, laws, seed: enumerations.generate(law, seed),
    ),
    QuestionGenerator(("exception",), lambda law, laws, seed: exceptions.generate(law, seed)),
    QuestionGenerator(
        ("penalty", "violated_article", "penalty_not", "penalty_named"),
        lambda law, laws, seed: penalties.generate(law, seed),
    ),
    QuestionGenerator(("statement_false", "statement_true"), statements.generate),
    QuestionGenerator(
        ("not_of_article",), lambda law, laws, seed: statements.not_of_article(law, seed)
    ),
    QuestionGenerator(("which_article",), lambda law, laws, seed: references.governing(law, seed)),
    QuestionGenerator(("which_act",), references.acts),
    QuestionGenerator(("chain",), lambda law, laws, seed: references.chains(law, seed)),
)


def draft_questions(
    laws: Laws,
    seed: int,
    *,
    titles: frozenset[str] | None = None,
    extra: Sequence[QuestionGenerator] = (),
    rejected: list[Rejected] | None = None,
    progress: Progress = silent,
) -> Iterator[Draft]:
    """Yield all questions that the acts give, act by act in the order of the corpus.

    `titles` limits them to these acts, `extra` adds generators of your own. One act's drafts do not
    depend on the other acts, except for the options of `which_act`. An act on which a generator
    fails gives no more drafts of its kinds; the reason is appended to `rejected`. Errors of your
    own generators are raised.
    """
    chosen = [law for law in laws.acts if titles is None or law.title in titles]
    for done, law in enumerate(chosen):
        progress("augment: generate", done, len(chosen), act=law.title)
        for generator in GROUNDED_GENERATORS:
            yield from _drafts(generator, law, laws, seed, rejected)
        for generator in extra:
            if generator.weight:  # one of the user's
                yield from generator.generate(law, laws, seed)
            else:
                yield from _drafts(generator, law, laws, seed, rejected)
    progress("augment: generate", len(chosen), len(chosen))


def _drafts(
    generator: QuestionGenerator, law: Law, laws: Laws, seed: int, rejected: list[Rejected] | None
) -> Iterator[Draft]:
    """Yield the drafts of one act, until the generator fails."""

    def report(why: str) -> None:
        if rejected is not None:
            kinds, detail = ", ".join(generator.kinds), f"{law.title}: {why}"
            rejected.append(Rejected(law.title, "augment", "failed", detail, kinds))

    for draft in until_fault(generator.generate(law, laws, seed), report):
        if draft.stem:  # empty where no form of words has the right polarity
            yield draft
