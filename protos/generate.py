"""Generate the Python stubs from the protos.

`python protos/generate.py` makes everything anew; `python protos/generate.py audience` makes one
service's. Output goes to libs/heliograph/gen, which is not in git.
"""

import sys
from importlib.resources import files
from pathlib import Path
from shutil import rmtree

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
OUT = ROOT.parent / "libs" / "heliograph" / "gen"
WELL_KNOWN = str(files("grpc_tools") / "_proto")


def compile_protos(sources: list[str], *outputs: str) -> None:
    """Run protoc over `sources` (paths below protos/) with the given output options."""
    includes = [f"-I{ROOT}", f"-I{ROOT / 'third_party'}", f"-I{WELL_KNOWN}"]
    if protoc.main(["protoc", *includes, *outputs, *sources]) != 0:
        sys.exit("the protos do not compile; the lines above say where")


def main(services: list[str]) -> None:
    """Generate messages, typed stubs and gRPC code."""
    patterns = services or ["*"]
    sources = [
        str(path.relative_to(ROOT))
        for service in patterns
        for path in sorted((ROOT / "heliograph").glob(f"{service}/v1/*.proto"))
    ]
    if not services and OUT.exists():
        rmtree(OUT)
    OUT.mkdir(parents=True, exist_ok=True)
    typed = (f"--python_out={OUT}", f"--mypy_out=quiet:{OUT}")
    compile_protos(["buf/validate/validate.proto"], *typed)
    compile_protos(sources, *typed, f"--grpc_python_out={OUT}", f"--mypy_grpc_out=quiet:{OUT}")
    print(f"generated {len(sources)} protos into {OUT.relative_to(ROOT.parent)}")


if __name__ == "__main__":
    main(sys.argv[1:])
