import pytest

from kofinlaw.augment.settings import TeacherSettings
from kofinlaw.augment.teacher.teacher_model import uses_chat_template


@pytest.mark.parametrize(
    ("name", "chat"),
    [
        ("LGAI-EXAONE/EXAONE-3.5-7.8B-Instruct", True),
        ("Qwen/Qwen2.5-7B-Instruct", True),
        ("upstage/SOLAR-10.7B-v1.0", False),
        ("google/gemma-3-270m", False),
    ],
)
def test_base_models_are_prompted_by_completion(name, chat):
    assert uses_chat_template(TeacherSettings.model_validate({"model": {"id": name}})) is chat
