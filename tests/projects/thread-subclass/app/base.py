import threading


class Worker(threading.Thread):
    """What other files derive from."""


class Helper:
    def start(self):
        return self


def make_worker():
    return Worker()
