"""The exports of a run."""

import pytest

from kofinlaw.models.cache import build_once
from kofinlaw.recipes.pipeline.exports import gguf_converter_ready
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe
from kofinlaw.trainer.export.environment import GGUF


def write_python(folder):
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()


@pytest.mark.parametrize("named", [True, False])
def test_the_gguf_converter_is_ready_only_if_its_environment_is_complete(tmp_path, named):
    home = tmp_path / "named" if named else tmp_path / "cache" / "environments"
    overrides = [f"export.environments={home}"] if named else []
    recipe, recipe_file = load_recipe("quickstart", overrides)
    run = bind(recipe, recipe_file, tmp_path / "runs", cache=tmp_path / "cache")
    assert not gguf_converter_ready(run)
    write_python(home / GGUF.name)  # what a killed set-up leaves
    assert not gguf_converter_ready(run)
    build_once(home / GGUF.name, write_python, version="an older one")
    assert not gguf_converter_ready(run)
    build_once(home / GGUF.name, write_python, version=GGUF.version)
    assert gguf_converter_ready(run)
