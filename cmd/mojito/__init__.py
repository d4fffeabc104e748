"""The program: puts the folders of this repository, or of the wheel, on the path."""

import sys
from pathlib import Path

_bundled = Path(__file__).parent / "_root"
_checkout = Path(__file__).parents[2]
ROOT = _bundled if _bundled.is_dir() else _checkout
for folder in (str(ROOT / "cmd"), str(ROOT)):
    if folder not in sys.path:
        sys.path.insert(0, folder)
