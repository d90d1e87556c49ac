import threading


class Service:
    def __init__(self):
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve)
        self._thread.start()

    def serve(self):
        raise NotImplementedError

    def stop(self):
        self._thread.join()


class Unstopped:
    def begin(self):
        self.thread = threading.Thread(target=self.serve)  # CNC301
        self.thread.start()
