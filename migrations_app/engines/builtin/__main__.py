"""`python -m migrations_app.engines.builtin`, or this file's path from any directory."""

import sys
from pathlib import Path

if not __package__:
    root = str(Path(__file__).resolve().parents[3])
    sys.path[:] = [root, *(path for path in sys.path if path != str(Path(__file__).parent))]

from migrations_app.engines.builtin.main import main
from purelymanage.core import private_memory

private_memory.keep()
sys.exit(main(sys.argv[1:]))
