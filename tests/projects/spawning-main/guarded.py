from tool.cli import main

if __name__ == "__main__":
    main([1, 2])
