"""Compile what `sam build` has built: `python -m tools.bytecode .aws-sam/build`.

Lambda cannot store compiled files, so without this every cold start compiles every module again, which takes as long as
the rest of the start (decision 34). Python does not compare the compiled files with their sources when it loads them,
because a package never changes.
"""

import argparse
import compileall
import re
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

LAYERS, TASK = "/opt/python", "/var/task"


def compile_build(build: Path) -> int:
    """Compile every layer and function below `build`, and return how many. Tracebacks name the paths on Lambda.

    Raises:
        SystemExit: this is not the Python version of the functions, or something does not compile.
    """
    template = (build / "template.yaml").read_text()
    wanted = re.search(r"Runtime: python([0-9.]+)", template)
    if wanted is None or wanted[1] != f"{sys.version_info.major}.{sys.version_info.minor}":
        raise SystemExit(f"The functions run on Python {wanted and wanted[1]}; this is {sys.version.split()[0]}.")
    packages = [folder for folder in sorted(build.iterdir()) if folder.is_dir()]
    for package in packages:
        layer = package / "python"
        folder, path = (layer, LAYERS) if layer.is_dir() else (package, TASK)
        good = compileall.compile_dir(
            folder,
            quiet=1,
            stripdir=str(folder),
            prependdir=path,
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )
        if not good:
            raise SystemExit(f"{package.name} does not compile.")
    return len(packages)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tools.bytecode", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("build", type=Path, help="where `sam build` has put its output: .aws-sam/build")
    print(f"compiled {compile_build(parser.parse_args().build)} packages")
