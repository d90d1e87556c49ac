from tool.workers import start

start(1)  # CNC401
