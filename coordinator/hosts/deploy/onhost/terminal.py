"""Runs a command with its own terminal, but our input and output: sudo may require one (`requiretty`)."""

from __future__ import annotations

import fcntl
import os
import pty
import sys
import termios


def main(command: list[str]) -> int:
    """The command's exit status."""
    _master, slave = pty.openpty()
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        os.set_inheritable(slave, True)  # a terminal that no process has open does not count
        os.execvp(command[0], command)  # noqa: S606 (an argument list, no shell)
    os.close(slave)
    status = os.waitpid(child, 0)[1]
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
