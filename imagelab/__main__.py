"""`python -m imagelab` is `imagelab`."""

import sys

from imagelab.cli.main import main

sys.exit(main())
