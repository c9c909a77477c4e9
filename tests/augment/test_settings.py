import pytest
from pydantic import ValidationError

from kofinlaw.augment.settings import AugmentSettings, TeacherSettings


def test_an_unknown_generator_and_held_items_without_documents_are_errors():
    with pytest.raises(ValueError, match="quantitty"):
        AugmentSettings(generators={"quantitty": 1})
    with pytest.raises(ValueError, match="holdout_documents"):
        AugmentSettings(holdout_items=5)


def test_an_unknown_task_is_an_error():
    with pytest.raises(ValidationError, match="summery"):
        TeacherSettings.model_validate({"model": {"id": "m"}, "tasks": {"summery": 1}})
