import app


def main():
    worker = app.Worker()  # CNC301
    worker.start()


if __name__ == "__main__":
    main()
