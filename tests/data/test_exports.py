"""The public names of kofinlaw.data."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from kofinlaw import data


@pytest.mark.parametrize("name", data.__all__)
def test_every_public_name_is_the_one_of_its_module(name):
    module = import_module(data._EXPORTS[name])
    assert getattr(data, name) is getattr(module, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        data.nothing  # noqa: B018
    assert dir(data) == sorted(data.__all__)


def test_importing_the_package_loads_no_module_of_it():
    code = "import sys, kofinlaw.data; print([m for m in sys.modules if 'kofinlaw.data.' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
