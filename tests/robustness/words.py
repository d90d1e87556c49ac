"""The names by which rules wake up, and beginnings of a file that give them their meaning."""

from __future__ import annotations

import keyword

NAME = r"(?<![\w'\"])[^\W\d]\w*"

KEYWORDS = frozenset(keyword.kwlist) | {"self"}

OBJECTS = (
    *("lock", "rlock", "alock", "sem", "cond", "event", "barrier", "jobs", "ajobs", "thread", "timer", "process"),
    *("pool", "executor", "future", "task", "loop", "shared", "manager", "popen", "Worker", "work", "self", "done"),
    *("threading", "asyncio", "multiprocessing", "queue", "subprocess", "os", "sys", "time", "print", "range", "super"),
    *("Lock", "Thread", "Process", "Queue", "ThreadPoolExecutor", "Exception", "ValueError", "Empty", "suppress"),
)

METHODS = (
    *("acquire", "release", "locked", "wait", "wait_for", "notify", "notify_all", "set", "is_set", "put", "get"),
    *("get_nowait", "empty", "qsize", "task_done", "join", "start", "run", "is_alive", "daemon", "exitcode", "name"),
    *("submit", "map", "apply_async", "imap", "shutdown", "close", "terminate", "kill", "result", "exception"),
    *("cancel", "cancelled", "add_done_callback", "create_task", "gather", "run_in_executor", "call_soon", "abort"),
    *("Lock", "RLock", "Condition", "Thread", "Timer", "Process", "Pool", "Queue", "sleep", "value", "communicate"),
    *("lock", "jobs", "thread", "pool", "__enter__", "__exit__", "__init__", "setDaemon", "excepthook", "append"),
)

_IMPORTS = """\
import asyncio, multiprocessing, os, queue, subprocess, sys, threading, time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from multiprocessing import Process
from queue import Empty, Queue
from threading import Lock, Thread

lock, rlock, sem, cond = threading.Lock(), threading.RLock(), threading.Semaphore(2), threading.Condition()
alock, ajobs = asyncio.Lock(), asyncio.Queue()
event, barrier, jobs = threading.Event(), threading.Barrier(2), queue.Queue()
shared = multiprocessing.Value("i", 0)
"""

MADE = f"""{_IMPORTS}

class Worker(threading.Thread):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
        self.jobs = Queue()

    def run(self):
        with self.lock:
            work(self.jobs.get())


def work(item):
    with lock:
        item.work()


thread, timer, process = Worker(), threading.Timer(1, work), Process(target=work)
pool, executor = multiprocessing.Pool(), ThreadPoolExecutor()
future = executor.submit(work, 1)
popen = subprocess.Popen(["x"], stdout=subprocess.PIPE)
loop = asyncio.new_event_loop()
task = loop.create_task(work(1))
"""
"""All are made where the file begins, and the first things to say are about that."""

TYPED = f"""{_IMPORTS}
thread: threading.Thread
timer: threading.Timer
process: multiprocessing.Process
pool: multiprocessing.pool.Pool
executor: ThreadPoolExecutor
future: Future[int]
popen: subprocess.Popen[bytes]
loop: asyncio.AbstractEventLoop
task: asyncio.Task[None]
"""
"""The file begins with nothing to say."""
