"""Lets the tests of this folder import `exam_answers`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
