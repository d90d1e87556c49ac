"""# executor-self-wait (CNC505)

## What it finds

A task that submits another one to the executor it runs in, and waits for its result.

## Why it matters

While the task waits it keeps its worker. With one worker nobody is left to run the second task, and both wait for
ever. With more of them the same happens as soon as every worker runs such a task, which is when the program is busy.

## Bad

```python
from concurrent.futures import ThreadPoolExecutor

executor = ThreadPoolExecutor(max_workers=4)


def load_page(url, load):
    image = executor.submit(load, url + "/image")
    return load(url), image.result()


def load_all(urls, load):
    futures = [executor.submit(load_page, url, load) for url in urls]
    return [future.result() for future in futures]
```

## Good

```python
from concurrent.futures import ThreadPoolExecutor

executor = ThreadPoolExecutor(max_workers=4)
images = ThreadPoolExecutor(max_workers=4)


def load_page(url, load):
    image = images.submit(load, url + "/image")
    return load(url), image.result()


def load_all(urls, load):
    futures = [executor.submit(load_page, url, load) for url in urls]
    return [future.result() for future in futures]
```

## When it stays silent

- The second task runs in another executor, or nobody in the first waits for it.
- The wait has a timeout.
- The function that makes the executor submits fewer such tasks than there are workers, and they do not submit
  themselves.
- The code asks in which thread it runs, and so may have another way.
- The executor is made in another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model import Rule, Severity
from conclint.rule import ModuleContext, Report, Step


def check(module: ModuleContext) -> Iterator[Report]:
    for found in module.facts.self_waits.found():
        executor = module.text(found.executor)
        name = "a lambda" if found.task.is_lambda else f"`{found.task.name}`"
        if found.single:
            end = "it is the only worker, so both wait forever"
        else:
            end = "once every worker runs such a task, all of them wait forever"
        message = f"{name} runs in `{executor}` and waits here for another task of `{executor}`: {end}"
        path = [Step(found.submitted, f"{name} is made to run in `{executor}`")]
        path += [Step(site, "the task calls this") for site in found.sites]
        if found.inner is not found.wait.node:
            path.append(Step(found.inner, "the second task is submitted"))
        yield Report(found.wait.node, message, path)


RULE = Rule(
    code="CNC505",
    name="executor-self-wait",
    summary="A task waits for another task of the executor it runs in",
    severity=Severity.ERROR,
    check=check,
)
