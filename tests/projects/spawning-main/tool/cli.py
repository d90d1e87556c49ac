from .runner import run_all


def main(arguments):
    print(arguments)
    run_all(arguments)
