import asyncio


class Stream:
    def write(self, data):
        future = asyncio.get_running_loop().create_future()
        self._pending = future
        return future


def make():
    return asyncio.get_running_loop().create_future()
