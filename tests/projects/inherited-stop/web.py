import threading

from base import Service, Unstopped


class Web(Service):
    def serve(self):
        answer()

    def restart(self):
        self._thread = threading.Thread(target=self.serve)
        self._thread.start()

    def count(self):
        self._lock.acquire()  # CNC101
        answer()
        self._lock.release()


class Mail(Unstopped):
    def serve(self):
        answer()

    def watch(self):
        self._watcher = threading.Thread(target=self.serve)  # CNC301
        self._watcher.start()
