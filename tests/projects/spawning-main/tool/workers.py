import multiprocessing


def start(argument):
    process = multiprocessing.Process(target=print, args=(argument,))
    process.start()
    process.join()  # CNC407
