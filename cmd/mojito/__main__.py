"""`python -m mojito`."""

import sys

from mojito.main import main

sys.exit(main(sys.argv[1:]))
