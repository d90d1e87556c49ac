"""Small functions: every compound statement in every block of every other, with every way of leaving in it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

STEP = "step(#)"
ABRUPT = (
    "return step(#)",
    "raise ValueError",
    "raise KeyError(step(#))",
    "raise KeyboardInterrupt",
    "sys.exit(1)",
    "break",
    "continue",
    "pass",
)
IN_HANDLER = ("raise", "raise KeyError from keep(step(#))")

HANDLERS = (
    ("bare", ("except:",)),
    ("exception", ("except Exception:",)),
    ("base", ("except BaseException:",)),
    ("value", ("except ValueError:",)),
    ("tuple", ("except (ValueError, KeyboardInterrupt):",)),
    ("named", ("except Exception as error:",)),
    ("value-exception", ("except ValueError:", "except Exception:")),
    ("exception-value", ("except Exception:", "except ValueError:")),
    ("key-bare", ("except LookupError:", "except:")),
)

EXPRESSIONS = (
    "x = cond(#) and step(#)",
    "x = cond(#) or step(#)",
    "x = cond(#) and cond(#) or step(#)",
    "x = (cond(#) or cond(#)) and step(#)",
    "x = step(#) if cond(#) else step(#)",
    "x = (step(#) if cond(#) else step(#)) if not cond(#) else step(#)",
    "x = not (cond(#) and cond(#)) or step(#)",
    "if cond(#) and (cond(#) or not cond(#)):\n    step(#)\nelse:\n    step(#)",
    "if not (cond(#) or cond(#)):\n    step(#)",
    "if (x := cond(#)) and cond(#):\n    step(#)",
    "if (cond(#) if cond(#) else cond(#)):\n    step(#)",
    "while cond(#) or cond(#):\n    step(#)",
    "while not cond(#):\n    step(#)",
    "x = [step(#) for _ in items(#)]",
    "x = {step(#) for _ in items(#) if cond(#)}",
    "x = {step(#): step(#) for _ in items(#)}",
    "x = [step(#) for _ in items(#) if cond(#) if not cond(#)]",
    "x = [step(#) for _ in items(#) if cond(#) for _ in items(#) if cond(#) or cond(#)]",
    "x = [[step(#) for _ in items(#)] for _ in items(#)]",
    "assert cond(#), step(#)",
    "assert cond(#) or cond(#)",
    "match value(#):\n    case 0:\n        step(#)\n    case 1 if cond(#):\n        step(#)\n    case _:\n        step(#)",
    "match value(#):\n    case 0 | 1:\n        step(#)",
    "match value(#):\n    case 0:\n        pass\n    case other if cond(#):\n        step(#)",
    "match value(#):\n    case [_, *_]:\n        pass\n    case int() as x:\n        step(#)",
    "x = value(#) < value(#) < value(#)",
    "if value(#) < value(#) < value(#):\n    step(#)",
    "while value(#) < value(#):\n    step(#)",
    "x = box()[step(#)]",
    "box()[step(#)] = step(#)",
    "x = y = box()[step(#)] = step(#)",
    "box()[step(#)] += step(#)",
    "keep(step(#)).x = step(#)",
    "del box()[step(#)], box()[step(#)]",
    "x = box() / step(#)",
    "x = -step(#) + step(#)",
    'x = f"{step(#)} {step(#)!r:>{step(#)}}"',
    "x = step(#, step(#), step(#))",
    "x = keep(*[step(#)], a=step(#), **{'b': step(#)})",
    "x = (step(#), [step(#), {step(#)}], {step(#): step(#), **{}})",
    "x, y = step(#), step(#)",
    "def g(a=step(#), *, b=step(#)):\n    step(#)",
    "class C:\n    x = step(#)\n    if cond(#):\n        y = step(#)",
    "x = lambda a=step(#): step(#)",
    "for x in items(#):\n    for y in items(#):\n        if cond(#):\n            break\n    else:\n        continue\n    break",
    "while True:\n    step(#)\n    if cond(#):\n        break",
    "while True:\n    step(#)",
    "while 0:\n    step(#)\nelse:\n    step(#)",
    "if 1:\n    step(#)\nelse:\n    step(#)",
)


class Construct(NamedTuple):
    """A compound statement. Its blocks are marked ``<plain>``, ``<handler>`` and so on, each on a line of its own."""

    text: str

    def blocks(self) -> list[str]:
        return re.findall(r"<(\w+)>", self.text)

    def filled(self, blocks: list[str]) -> str:
        parts = iter(blocks)
        return re.sub(r"( *)<\w+>", lambda match: textwrap.indent(next(parts), match[1]), self.text)


def _tries() -> Iterator[Construct]:
    yield Construct("try:\n    <plain>\nfinally:\n    <final>")
    for (_, handlers), orelse, final in product(HANDLERS, (False, True), (False, True)):
        text = "try:\n    <plain>\n" + "\n".join(f"{handler}\n    <handler>" for handler in handlers)
        text += "\nelse:\n    <plain>" if orelse else ""
        yield Construct(text + ("\nfinally:\n    <final>" if final else ""))


TRIES = tuple(_tries())
WITHS = tuple(
    Construct(f"with {items}:\n    <plain>")
    for items in (
        "manager(#)",
        "suppress(ValueError)",
        "suppress(Exception)",
        "suppress(BaseException)",
        "suppress(LookupError, KeyboardInterrupt)",
        "manager(#), manager(#) as x",
        "manager(#), suppress(Exception)",
        "suppress(Exception), manager(#)",
        "suppress(ValueError), suppress(Exception), manager(#)",
    )
)
IFS = (
    Construct("if cond(#):\n    <plain>"),
    Construct("if cond(#):\n    <plain>\nelse:\n    <plain>"),
    Construct("if cond(#):\n    <plain>\nelif cond(#):\n    <plain>\nelse:\n    <plain>"),
)
LOOPS = (
    Construct("while cond(#):\n    <loop>"),
    Construct("while cond(#):\n    <loop>\nelse:\n    <plain>"),
    Construct("for x in items(#):\n    <loop>"),
    Construct("for x in items(#):\n    <loop>\nelse:\n    <plain>"),
    Construct("while True:\n    step(#)\n    <loop>"),
)
CONSTRUCTS = (*TRIES, *WITHS, *IFS, *LOOPS)


def source_of(text: str, name: str = "f") -> str:
    """The function whose body is ``text``, its calls numbered; within a loop where ``break`` needs one."""
    if _leaves_a_loop(text):
        text = f"for x in items(#):\n{textwrap.indent(text, '    ')}\nelse:\n    step(#)"
    text = f"{text}\nstep(#)"
    numbers = iter(range(1, 100))
    text = re.sub("#", lambda _: str(next(numbers)), text)
    return f"def {name}():\n{textwrap.indent(text, '    ')}\n"


def _leaves_a_loop(text: str) -> bool:
    """Whether a ``break`` or ``continue`` of ``text`` stands in no loop of it."""
    loops: list[int] = []
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip())
        loops = [loop for loop in loops if loop < indent]
        word = line.strip()
        if word.startswith(("for ", "while ")):
            loops.append(indent)
        elif word in ("break", "continue") and not loops:
            return True
    return False


def _with_leaves(construct: Construct, leaves: tuple[str, ...], handled: bool = False) -> Iterator[str]:
    """``construct`` with steps in its blocks, and once with each of ``leaves`` in each block."""
    blocks = construct.blocks()
    yield construct.filled([STEP] * len(blocks))
    for index, block in enumerate(blocks):
        for leaf in (*leaves, *(IN_HANDLER if block == "handler" or (handled and block != "final") else ())):
            yield construct.filled([*[STEP] * index, leaf, *[STEP] * (len(blocks) - index - 1)])


def flat() -> Iterator[str]:
    """Bodies of one compound statement, with each way of leaving in each block, and expressions."""
    for construct in CONSTRUCTS:
        yield from _with_leaves(construct, ABRUPT)
        if len(construct.blocks()) > 1:
            abrupt = construct.filled(["return step(#)"] * len(construct.blocks()))
            yield abrupt
            yield abrupt.replace("return step(#)", "raise KeyError(step(#))", 1)
    yield from EXPRESSIONS
    for construct, expression in product((TRIES[0], TRIES[8], WITHS[0], WITHS[2], LOOPS[3]), EXPRESSIONS):
        yield construct.filled([expression, *[STEP] * (len(construct.blocks()) - 1)])


def nested() -> Iterator[str]:
    """Bodies of one compound statement in each block of another, with each way of leaving in each block of it."""
    for outer in CONSTRUCTS:
        blocks = outer.blocks()
        for index, block in enumerate(blocks):
            for inner in CONSTRUCTS:
                for filled in _with_leaves(inner, ABRUPT, handled=block == "handler"):
                    yield outer.filled([*[STEP] * index, f"{filled}\n{STEP}", *[STEP] * (len(blocks) - index - 1)])


def deep() -> Iterator[str]:
    """Three levels: a loop or ``try`` around two that clean up."""
    for outer, middle in product((LOOPS[0], LOOPS[3], TRIES[0], TRIES[4], WITHS[2]), (TRIES[0], TRIES[3], WITHS[0])):
        for text in _with_leaves(TRIES[0], ABRUPT):
            for at in range(len(middle.blocks())):
                blocks = [text if index == at else STEP for index in range(len(middle.blocks()))]
                rest = [STEP] * (len(outer.blocks()) - 1)
                yield outer.filled([middle.filled(blocks), *rest])
