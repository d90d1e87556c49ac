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
IN_HANDLER = ("raise", "raise KeyError from cause(step(#))")

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
    (
        "match value(#):\n    case 0:\n        step(#)\n"
        "    case 1 if cond(#):\n        step(#)\n    case _:\n        return"
    ),
    "match value(#):\n    case 0 | 1:\n        step(#)",
    "match value(#):\n    case 0:\n        pass\n    case other if cond(#):\n        step(#)",
    "match value(#):\n    case (1 | 2) as x:\n        pass\n    case other if not cond(#):\n        step(#)",
    "x = value(#) < value(#) < value(#)",
    "if value(#) < value(#) < value(#):\n    step(#)",
    "while value(#) < value(#) < value(#):\n    step(#)",
    "x = cond(#) and value(#) < value(#) < value(#)",
    "x = box()[step(#)]",
    "box()[step(#)] = step(#)",
    "x = y = box()[step(#)] = step(#)",
    "box()[step(#)] += step(#)",
    "keep(step(#)).x = step(#)",
    "keep(step(#)).x += step(#)",
    "del box()[step(#)], box()[step(#)]",
    "del keep(step(#)).x",
    "for box()[step(#)] in items(#):\n    step(#)",
    "with manager(#) as box()[step(#)]:\n    step(#)",
    "with manager(#) as x, manager(#, step(#)):\n    step(#)",
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
    (
        "for x in items(#):\n    for y in items(#):\n        if cond(#):\n"
        "            break\n    else:\n        continue\n    break"
    ),
    "while True:\n    step(#)\n    if cond(#):\n        break",
    "while True:\n    step(#)",
    "while 0:\n    step(#)\nelse:\n    step(#)",
    "if 1:\n    step(#)\nelse:\n    step(#)",
)

SUSPENDING = (
    "x = await wait(#)",
    "return await wait(#)",
    "x = cond(#) and await wait(#)",
    "async with amanager(#):\n    step(#)",
    "async with amanager(#) as x, amanager(#):\n    return step(#)",
    "async with amanager(#):\n    with suppress(Exception):\n        await wait(#)",
    "async for x in aitems(#):\n    step(#)\nelse:\n    step(#)",
    "async for x in aitems(#):\n    async with amanager(#):\n        break",
    "x = [step(#) async for _ in aitems(#) if cond(#)]",
    "yield",
    "x = yield step(#)",
    "while cond(#):\n    yield step(#)",
    "with manager(#):\n    yield\n    step(#)",
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
    define = "async def" if re.search(r"\b(await|async) ", text) else "def"
    return f"{define} {name}():\n{textwrap.indent(text, '    ')}\n"


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


def _fillings(construct: Construct, handled: bool = False) -> Iterator[list[str]]:
    """What to put in the blocks of ``construct``: steps, and once each way of leaving in each block."""
    blocks = construct.blocks()
    yield [STEP] * len(blocks)
    for index, block in enumerate(blocks):
        for leaf in (*ABRUPT, *(IN_HANDLER if block == "handler" or (handled and block != "final") else ())):
            yield [*[STEP] * index, leaf, *[STEP] * (len(blocks) - index - 1)]


def flat() -> Iterator[str]:
    """Bodies of one compound statement, with each way of leaving in each block, and expressions."""
    for construct in CONSTRUCTS:
        yield from map(construct.filled, _fillings(construct))
        if len(construct.blocks()) > 1:
            abrupt = construct.filled(["return step(#)"] * len(construct.blocks()))
            yield abrupt
            yield abrupt.replace("return step(#)", "raise KeyError(step(#))", 1)
    yield from EXPRESSIONS
    yield from SUSPENDING
    around = (TRIES[0], TRIES[8], WITHS[0], WITHS[2], LOOPS[3])
    for construct, expression in product(around, (*EXPRESSIONS, *SUSPENDING)):
        yield construct.filled([expression, *[STEP] * (len(construct.blocks()) - 1)])


def nested(every: int = 1, start: int = 0) -> Iterator[str]:
    """Bodies of one compound statement in each block of another, with each way of leaving in each block of it.

    There are about 200,000; with ``every`` only each so manieth is made.
    """
    number = -start
    for outer in CONSTRUCTS:
        blocks = outer.blocks()
        for index, inner in product(range(len(blocks)), CONSTRUCTS):
            for filling in _fillings(inner, handled=blocks[index] == "handler"):
                if number % every == 0:
                    text = f"{inner.filled(filling)}\n{STEP}"
                    yield outer.filled([*[STEP] * index, text, *[STEP] * (len(blocks) - index - 1)])
                number += 1


def deep() -> Iterator[str]:
    """Three levels: a loop or ``try`` around two that clean up."""
    for outer, middle in product((LOOPS[0], LOOPS[3], TRIES[0], TRIES[4], WITHS[2]), (TRIES[0], TRIES[3], WITHS[0])):
        for text in map(TRIES[0].filled, _fillings(TRIES[0])):
            for at in range(len(middle.blocks())):
                blocks = [text if index == at else STEP for index in range(len(middle.blocks()))]
                rest = [STEP] * (len(outer.blocks()) - 1)
                yield outer.filled([middle.filled(blocks), *rest])
