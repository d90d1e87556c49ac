from ns.deep.locks import lock

from . import locks


def f():
    lock.acquire()  # CNC101
    work()
    lock.release()


def g():
    locks.lock.acquire()  # CNC101
    work()
    locks.lock.release()
