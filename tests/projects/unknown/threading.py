"""Has the name of a module of the standard library, and is never taken for it."""


class Lock:
    def acquire(self):
        pass
