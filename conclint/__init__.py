"""conclint: a static analyser for concurrency error-handling bugs in Python."""

import os

__version__ = "0.1.0"

HOME = "https://example.com/conclint"
"""The address of the project, below which ``rules/NAME`` is the page of a rule; the README names the same."""

# A wheel holds the rules inside the package; a source checkout keeps rules/ beside conclint/.
_here = os.path.dirname(os.path.abspath(__file__))
if not os.path.isdir(os.path.join(_here, "rules")):
    __path__.append(os.path.dirname(_here))
