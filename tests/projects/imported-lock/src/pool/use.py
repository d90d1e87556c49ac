import pool.state
from pool import state as s
from pool.state import lock, table
from .state import lock as guard


def leaks(key):
    lock.acquire()  # CNC101
    fetch(key)
    lock.release()


def leaks_by_module(key):
    s.lock.acquire()  # CNC101
    fetch(key)
    s.lock.release()


def leaks_in_full(key):
    pool.state.lock.acquire()  # CNC101
    fetch(key)
    pool.state.lock.release()


def one_lock_by_two_names(key):
    guard.acquire()  # CNC101
    fetch(key)
    lock.release()


def takes_it_twice(key):
    with lock:
        with s.lock:  # CNC106
            fetch(key)


def safe(key):
    with lock:
        return table[key]
