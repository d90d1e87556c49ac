"""Who makes a future in another file knows who cancels it."""

import asyncio

from stream import make


def on_written(future):
    if future.exception() is not None:
        close()
    finish()


def on_done(task):
    if task.exception() is not None:  # CNC508
        close()
    finish()


def write():
    make().add_done_callback(on_written)


async def fetch():
    task = asyncio.create_task(load())
    task.add_done_callback(on_done)
    await asyncio.sleep(1)
    await task
