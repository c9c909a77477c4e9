import sys
from pathlib import Path

# Worker processes import the jobs of the tests from here.
sys.path.append(str(Path(__file__).parent))
