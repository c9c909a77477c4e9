"""Write the configuration with which a desktop client starts the tools of a run."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

__all__ = ["client_config"]


def client_config(run: Path) -> str:
    """Return the `mcpServers` JSON of a run, with absolute paths: clients have another folder."""
    script = shutil.which("kofinlaw") or str(Path(sys.executable).with_name("kofinlaw"))
    command = (
        {"command": str(Path(script).absolute()), "args": ["mcp", str(run.resolve())]}
        if Path(script).exists()
        else {"command": sys.executable, "args": ["-m", "kofinlaw", "mcp", str(run.resolve())]}
    )
    return json.dumps({"mcpServers": {"kofinlaw": command}}, ensure_ascii=False, indent=2)
