from kofinlaw.augment.settings import TASK_WEIGHTS
from kofinlaw.augment.teacher.outputs import parse
from kofinlaw.augment.teacher.prompt_files import read_prompt
from kofinlaw.augment.teacher.tasks import TASKS


def test_every_task_has_its_prompt_with_a_version_and_examples_that_parse():
    assert set(TASKS) == set(TASK_WEIGHTS)
    for task in TASKS.values():
        prompt = read_prompt(task.name)
        assert prompt.version.isdigit()
        outputs = [line for line in prompt.text.split("\n") if line.startswith("출력: {")]
        assert len(outputs) >= 2
        for line in outputs:
            fields = parse(line, task)
            assert fields is not None, line
            for field in task.fields:
                texts = fields[field.name]
                for text in [texts] if isinstance(texts, str) else texts:
                    assert field.shortest <= len(text) <= field.longest, (task.name, text)
