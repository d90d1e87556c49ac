import threading

from elsewhere import Worker, lock

own = threading.Lock()


def f():
    worker = Worker()
    worker.start()
    lock.acquire()  # CNC101
    work()
    lock.release()


def g():
    own.acquire()  # CNC101
    work()
    own.release()
