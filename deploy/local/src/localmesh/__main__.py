"""`python -m localmesh up --data DIR`: the whole mesh on this machine, until told to end."""

import argparse
import sys
from pathlib import Path

from localmesh import up


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m localmesh")
    commands = parser.add_subparsers(required=True)
    up_command = commands.add_parser("up", help="start the mesh and keep it running")
    up_command.add_argument("--data", type=Path, default=Path("build/mesh"), help="its folder")
    arguments = parser.parse_args()
    return up.run(arguments.data)


if __name__ == "__main__":
    sys.exit(main())
