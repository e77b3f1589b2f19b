"""Docker's verbs and imagelab's own, one module a family: each asks the engine, and writes what `output` makes of the answer."""
