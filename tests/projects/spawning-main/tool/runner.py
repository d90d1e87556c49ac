from .workers import start


def run_all(arguments):
    for argument in arguments:
        start(argument)
