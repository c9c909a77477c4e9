"""Settings of all tests: no property test fails because a machine is slow."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("kofinlaw", deadline=None)
hypothesis.settings.load_profile("kofinlaw")
