from . import base, middle
from .base import Helper, Worker, make_worker
from .middle import Middle as M


class Own(M):
    def run(self):
        fetch()


def imported():
    worker = Worker()  # CNC301
    worker.start()


def derived_here():
    worker = Own()  # CNC301
    worker.start()


def by_its_module():
    worker = base.Worker()  # CNC301
    worker.start()


def at_two_removes():
    worker = middle.Middle()  # CNC301
    worker.start()


def from_a_factory():
    worker = make_worker()
    worker.start()


def joined():
    worker = Own()
    worker.start()
    try:
        fetch()
    finally:
        worker.join()


def no_worker():
    helper = Helper()
    helper.start()
