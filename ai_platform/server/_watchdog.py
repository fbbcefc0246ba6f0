"""A program that waits for the end of another, and sweeps up where it was killed.

Its arguments are the folder of its server and that of our package; the pipe that it
reads from ends with the other, however that ends.
"""

from __future__ import annotations

import os
import sys

__all__: list[str] = []

if __name__ == "__main__":
    while os.read(0, 1):
        pass
    # whoever ended in order has removed it
    if os.path.exists(sys.argv[1]):  # noqa: PTH110 - no imports while nothing is wrong
        from pathlib import Path

        sys.path.insert(0, sys.argv[2])
        from ai_platform.server.temporary import sweep_folder

        sweep_folder(Path(sys.argv[1]))
