"""Lazy exports of packages."""

import sys
import types

import pytest

from kofinlaw.lazy import lazy_exports


def test_a_name_is_imported_when_it_is_used_and_may_have_another_name_there():
    package = types.ModuleType("some_package")
    package.__all__ = ["sqrt", "root"]
    sys.modules["some_package"] = package
    get, names = lazy_exports("some_package", {"sqrt": "math", "root": "math:sqrt"})
    assert get("sqrt")(9.0) == 3.0
    assert get("root")(4.0) == 2.0
    assert names() == ["root", "sqrt"]
    with pytest.raises(AttributeError, match="module 'some_package' has no attribute 'cube'"):
        get("cube")
    del sys.modules["some_package"]
