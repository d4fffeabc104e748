"""python -m sandbox --port 8100 --database FILE"""

import sys

from sandbox.app import main

if __name__ == "__main__":
    sys.exit(main())
