"""Runs a command to its end and writes what it cost, as JSON, to a file: status, cpu, seconds, peak_kib.

A program begins with the peak memory of the process that started it, says the kernel (`ru_maxrss` outlives exec). So a
small process must start what is to be measured: `python -I -S launcher.py RESULT COMMAND…`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time


def main() -> None:
    """Writes the cost of the command and all processes that it waited for."""
    result, *command = sys.argv[1:]
    began = time.monotonic()
    status = subprocess.call(command)
    seconds, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = {"status": status, "cpu": used.ru_utime + used.ru_stime, "seconds": seconds, "peak_kib": used.ru_maxrss}
    with open(result, "w") as file:
        json.dump(cost, file)


if __name__ == "__main__":
    main()
