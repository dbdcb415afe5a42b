"""Refuse a change of the protos that breaks clients of the last release.

`python protos/breaking.py` compares with released.binpb, the contract of that release;
`python protos/breaking.py --release` makes today's contract the one to compare with.
Images are compared with images, as a clone may be shallow and know no earlier commit.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
RELEASED = ROOT / "protos" / "released.binpb"


def buf(*arguments: str | Path) -> int:
    """Run buf in the workspace; its exit status."""
    return subprocess.run(["buf", *arguments], cwd=ROOT, check=False).returncode


def build(image: Path) -> None:
    """Write the workspace's contract as an image."""
    if buf("build", "--exclude-source-info", "-o", image) != 0:
        sys.exit("the protos do not compile; the lines above say where")


def main(arguments: list[str]) -> None:
    """Compare, or release."""
    if arguments == ["--release"]:
        build(RELEASED)
        return
    with TemporaryDirectory() as folder:
        image = Path(folder) / "contract.binpb"
        build(image)
        if buf("breaking", image, "--against", RELEASED) != 0:
            sys.exit("this breaks clients of the last release; the lines above say how")


if __name__ == "__main__":
    main(sys.argv[1:])
