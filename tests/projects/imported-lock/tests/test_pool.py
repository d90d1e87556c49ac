from pool.state import lock


def test_it():
    lock.acquire()  # CNC101
    check()
    lock.release()


def test_its_release():
    lock.acquire()  # CNC103
    try:
        check()
    finally:
        lock.release()
