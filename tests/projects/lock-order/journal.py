import threading

import accounts

journal_lock = threading.Lock()
entries = []


def write(name):
    with journal_lock:
        entries.append(name)


def audit():
    with journal_lock:
        for name in entries:
            print(name, accounts.read(name))
