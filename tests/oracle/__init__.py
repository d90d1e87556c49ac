"""An oracle for the control-flow graph: small functions (``shapes``), run (``execute``) and walked (``walk``).

Both sides tell what a function may do as a set of traces. A trace is a tuple of events (what, which, how it went),
cut off after a number of them, and its last event says how the function was left.
"""

from __future__ import annotations

Event = tuple[str, int, str]
"""Such as ``("step", 3, "ok")``, ``("step", 3, "KeyError")``, ``("cond", 1, "true")``, ``("left", 0, "return")``."""

Trace = tuple[Event, ...]

FALLIBLE = {
    **dict.fromkeys(("step", "items", "manager", "value", "get", "set", "del", "div", "yield"), ("ok",)),
    **dict.fromkeys(("wait", "await", "aitems", "amanager", "aenter", "aleft"), ("ok",)),
    "cond": ("true", "false"),
    "next": ("false", "true"),
}
"""What may raise, each with the ways in which it may go well."""

CUT: Event = ("left", 0, "...")
"""The last event of a trace that would go on beyond the bound."""
