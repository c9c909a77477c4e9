"""Define the result of a training run: the figures of the stage `train`."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["TrainingResult"]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """The figures of a training run.

    Counts are over all processes and over the whole run, including the part before a resume.
    """

    examples: int
    """Examples that were trained on, with the repetitions of the mixture."""
    held_out: int
    """Examples that were only evaluated."""
    rejected: int
    """Examples that could not be trained on, see `rejected.jsonl`."""
    steps: int
    """Optimizer steps."""
    tokens: int
    """Real tokens of all steps."""
    supervised_tokens: int
    """Tokens that counted in the loss."""
    padding: float
    """Share of the computed tokens that were padding."""
    choices: int
    """Items to choose from, in all steps."""
    choice_accuracy_first: float | None
    """Share of the items of the first tenth of the steps that were right before their update."""
    choice_accuracy_last: float | None
    """The same share in the last tenth of the steps; None without items."""
    loss_first: float
    """Loss of the first step; without items, in nats per supervised token."""
    loss_last: float
    """Mean loss of the last tenth of the steps."""
    evaluation_loss: float | None
    """Best loss on the held-out examples; None without evaluations."""
    evaluation_accuracy: float | None
    """Share of the held-out items that were right in the best evaluation; None without items."""
    best_step: int | None
    """Step of the best evaluation, whose weights are saved; None without evaluations."""
    tokens_per_second: float
    """Real tokens per second of the steps."""
    train_seconds: float
    """Seconds of all steps."""
    resumed_from: int | None
    """Step of the checkpoint that the run resumed from; None if it started from step 0."""
    out_of_memory: int
    """How often memory ran out: a step was repeated, or the previous run ended by it."""
    seconds: float
    """Seconds from the call until the last step, without earlier runs."""
    peak_memory_gib: float
    """Maximum of the memory in use, in GiB."""
    budget_tokens: int
    """Padded tokens per forward pass at the end of the run."""
    trainable_parameters: int
    """Numbers in the trained tensors."""
    unmoved_tensors: int
    """Trained tensors that are equal to their start."""
    frozen_changed: int
    """Frozen tensors that changed; always 0, because a change raises an error."""
    processes: int
    """Processes that shared the work."""
    base_sha256: str
    """SHA-256 of the base model, see `base_identity.base_sha256`."""
    template_sha256: str
    """SHA-256 of the source of the chat template."""

    def to_record(self) -> dict[str, object]:
        """Return the figures by name, as `stage.json` keeps them."""
        return asdict(self)
