from threading import Lock

lock = Lock()
table = {}
