"""Makes the generated code from coordination.proto: `python -m protos.generate`, or `--check` whether it is fresh."""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = "protos/coordination.proto"
GENERATED = tuple(f"protos/coordination_pb2{end}" for end in (".py", ".pyi", "_grpc.py", "_grpc.pyi"))


def generate(target: Path) -> None:
    """Writes the generated files below target. Raises CalledProcessError when the contract has an error."""
    scripts = Path(sysconfig.get_path("scripts"))
    plugins = [f"--plugin=protoc-gen-{name}={scripts / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")]
    outputs = [f"--{kind}_out={target}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", *plugins, *outputs, PROTO]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 (our own argument list)


def stale() -> list[str]:
    """The generated files that are not what the contract gives."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        return [name for name in GENERATED if (Path(folder) / name).read_bytes() != (ROOT / name).read_bytes()]


def main() -> int:
    """Returns the exit status: 1 when `--check` found stale files."""
    parser = argparse.ArgumentParser(prog="python -m protos.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; status 1 when files are stale")
    if not parser.parse_args().check:
        generate(ROOT)
        return 0
    found = stale()
    if found:
        sys.stderr.write(f"stale: {', '.join(found)}: run python -m protos.generate\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
