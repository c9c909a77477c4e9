"""Two processes draft questions and ask a teacher, with the same files as one."""

from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.cluster.jobs import HERE
from kofinlaw.cluster.process_pool import LocalProcesses


def test_the_examples_of_two_processes_are_those_of_one(corpus, tmp_path):
    model = {"id": "google/gemma-3-270m"}
    teacher = {"model": model, "engine": {"engine": "dummy"}, "items": 40, "batch": 3}
    settings = AugmentSettings.model_validate({"items": 20, "teacher": teacher})
    for name, workers in (("one", HERE), ("two", LocalProcesses(2, offline=True))):
        generate_examples(settings, corpus, tmp_path / name, seed=1, workers=workers)
    one, two = (
        {p.name: p.read_bytes() for p in (tmp_path / name).iterdir() if p.is_file()}
        for name in ("one", "two")
    )
    # Each of the 12 tasks gets round(40 / 12) = 3 requests, and the acts have that many provisions.
    assert one["asked.jsonl"].count(b"\n") == 36
    assert one == two
