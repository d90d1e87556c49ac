"""# shared-memory-leak (CNC411)

## What it finds

A block of shared memory, made by `SharedMemory(create=True)`, on which nothing in the file calls `unlink()`.

## Why it matters

`close()` only detaches this process. The block itself is a file in memory that belongs to nobody: it takes up memory
until the last program that used it ends, and then Python's resource tracker warns of the leak and removes it. With
`track=False`, or after a hard kill, it stays until the machine is restarted.

## Bad

```python
from multiprocessing import shared_memory


def total(data):
    block = shared_memory.SharedMemory(create=True, size=len(data))
    block.buf[: len(data)] = data
    result = sum(block.buf)
    block.close()
    return result
```

## Good

```python
from multiprocessing import shared_memory


def total(data):
    block = shared_memory.SharedMemory(create=True, size=len(data))
    try:
        block.buf[: len(data)] = data
        return sum(block.buf)
    finally:
        block.close()
        block.unlink()
```

## When it stays silent

- Some code of the file unlinks a block, be it another one: which is which cannot be told.
- The block, or its name, is returned, passed to code in other files, or stored where they find it.
- It was created under a name of its own, which others know.
- Blocks of a `SharedMemoryManager`, which removes them; blocks only attached to.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report


def check(module: ModuleContext) -> Iterator[Report]:
    for made in module.facts.shared_memory.leaked():
        message = (
            "nothing calls `unlink()` for this block of shared memory; "
            "it takes up memory after `close()`, and after the program where the resource tracker does not see it"
        )
        yield Report(made, message)


RULE = Rule(
    code="CNC411",
    name="shared-memory-leak",
    summary="A block of shared memory is created and never unlinked",
    severity=Severity.WARNING,
    check=check,
)
