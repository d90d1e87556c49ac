from tool.cli import main

main([1, 2])  # CNC401
