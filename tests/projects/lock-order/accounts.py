import threading

import journal

accounts_lock = threading.Lock()
accounts = {}


def deposit(name, amount):
    with accounts_lock:
        accounts[name] += amount
        journal.write(name)  # CNC107


def read(name):
    with accounts_lock:
        return accounts[name]
