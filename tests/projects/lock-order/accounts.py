import threading

import journal

accounts_lock = threading.Lock()
accounts = {}


def deposit(name, amount):
    with accounts_lock:
        accounts[name] += amount
        journal.write(name)


def read(name):
    with accounts_lock:
        return accounts[name]
