"""The process of `support.cage`: sets its own limits, reads one request, does the job, answers, and ends.

python -m support.caged MODULE:FUNCTION BYTES SECONDS < request.json > answer.json
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from typing import Any

PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Raises nothing: a failure is part of the answer, or ends the process."""
    name, memory, cpu = sys.argv[1:4]
    module, _, function = name.partition(":")
    job = getattr(importlib.import_module(module), function)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library's output must not mix with the answer
    _limit(int(memory), int(cpu))
    try:
        answer: dict[str, Any] = {"value": job(json.loads(sys.stdin.buffer.read()))}
        text = json.dumps(answer).encode()
    except MemoryError:
        text = _error(f"it takes more than {int(memory) >> 20} MiB of memory")
    except RecursionError:
        text = _error("it is nested too deeply")
    except ValueError as error:
        text = _error(" ".join(str(error).split())[:2000])
    except Exception as error:
        text = _error(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}")
    out.write(text)
    out.flush()
    os._exit(0)  # nothing needs cleaning up, and freeing gigabytes takes seconds


def _error(text: str) -> bytes:
    return json.dumps({"error": text}).encode()


def _limit(memory: int, cpu: int) -> None:
    """Limits this process's further memory and CPU, and forbids writing files."""
    with open("/proc/self/statm", encoding="ascii") as file:
        held = int(file.read().split()[0]) * PAGE
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + cpu
    resource.setrlimit(resource.RLIMIT_AS, (held + memory, held + memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)


if __name__ == "__main__":
    main()
