"""What ssh, sudo, Python, systemd and the system's tools write when they fail, and the words that a person gets.

The outputs in corpus/ were provoked one by one on Debian 12 (OpenSSH 9.2, sudo 1.9.13, Python 3.11, systemd 252).
corpus/expected.tsv has a line for each: its name, and the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from coordinator.hosts.deploy.connection import Completed, HostConnection
from coordinator.hosts.deploy.errors import DeployError, LoginRefused, PythonMissing
from coordinator.hosts.deploy.onhost.words import MOST, ended, last_words
from coordinator.hosts.deploy.privileged import Privileged, answer
from inventory.network import Ssh, Sudo

CORPUS = Path(__file__).parent / "corpus"
EXPECTED = dict(line.split("\t") for line in (CORPUS / "expected.tsv").read_text().splitlines())


def test_every_output_has_its_words() -> None:
    """Every file of the corpus has an expectation, and every expectation a file."""
    assert {path.stem for path in CORPUS.glob("*.txt")} == set(EXPECTED)
    assert len(EXPECTED) > 40


@pytest.mark.parametrize("name", EXPECTED)
def test_the_lines_that_explain_it_reach_the_user(name: str) -> None:
    """Only those: no traceback, no hints where else to look, nothing about the shell's locale."""
    assert last_words((CORPUS / f"{name}.txt").read_bytes()) == EXPECTED[name]


def test_long_outputs_are_told_by_their_errors() -> None:
    """A few lines are shown whole; of longer outputs the lines with errors, up to a limit."""
    many = "".join(f"step {number}\n" for number in range(50))
    assert last_words(f"{many}cannot open /x\n{many}".encode()) == "cannot open /x"
    assert last_words(many.encode()) == "; ".join(f"step {number}" for number in range(44, 50))
    assert last_words(b"x" * 9000) == "x" * MOST + " …"
    assert (ended(-9), ended(137), ended(3)) == ("it was killed", "it was killed", "it ended with status 3")


class Played(HostConnection):
    """A connection on which commands end as in the corpus, one after the other; the commands are kept."""

    def __init__(self, sudo: Sudo, *names: str) -> None:
        self.ssh = Ssh("10.0.0.1", user="careful", sudo=sudo)
        self.commands: list[Sequence[str]] = []
        self._names = list(names)

    def command(self, arguments: Sequence[str], stdin: bytes = b"", *, seconds: float) -> Completed:
        """What the next one of the corpus says; an empty name is success."""
        self.commands.append(arguments)
        name = self._names.pop(0)
        return Completed(1, b"", (CORPUS / f"{name}.txt").read_bytes()) if name else Completed(0, b"", b"")


@pytest.mark.parametrize(
    ("sudo", "names", "says"),
    [
        (
            Sudo.PASSWORDLESS,
            ["sudo-password-required"],
            r'without a password \(sudo: a password is .*write sudo = "pass',
        ),
        (Sudo.PASSWORD, ["sudo-unknown-host", "sudo-wrong-password"], r"rejected the password \(sudo: 1 incorrect"),
        (Sudo.PASSWORD, ["sudo-password-required", "sudo-lecture"], r"rejected the password \(sudo: 1 incorrect"),
        (Sudo.PASSWORD, ["sudo-password-required", "sudo-not-in-sudoers"], r"does not work \(plain is not in the sudo"),
        (
            Sudo.PASSWORD,
            ["sudo-password-required", "sudo-other-command"],
            r"does not work \(Sorry, user limited is",
        ),
        (Sudo.PASSWORD, ["sudo-no-setuid"], r"does not work \(sudo: /usr/bin/sudo must be owned by uid 0"),
        (Sudo.PASSWORD, ["sudo-writable"], r"does not work \(sudo: /etc/sudoers is world writable"),
        (Sudo.PASSWORD, ["sudo-no-new-privs"], r'does not work \(sudo: The "no new privileges" flag is set'),
    ],
)
def test_sudo_says_why_it_lets_nobody_in(sudo: Sudo, names: list[str], says: str) -> None:
    """A password is asked for only if it may help, and called wrong only if it was."""
    connection = Played(sudo, *names)
    with pytest.raises(LoginRefused, match=says):
        Privileged(connection, lambda: "password").sudo()
    assert ["-S" in command for command in connection.commands] == [False, True][: len(names)]


def test_where_sudo_wants_a_terminal_it_gets_one() -> None:
    """From then on every time, with and without a password."""
    connection = Played(Sudo.PASSWORDLESS, "sudo-requiretty", "")
    command, stdin = Privileged(connection, str).sudo()
    assert (command[:4], command[5:], stdin) == (("python3", "-I", "-B", "-c"), ("sudo", "-n", "-k", "--"), b"")
    connection = Played(Sudo.PASSWORD, "sudo-requiretty", "sudo-password-required", "")
    command, stdin = Privileged(connection, lambda: "secret").sudo()
    assert (command[0], command[-6:], stdin) == ("python3", ("sudo", "-S", "-k", "-p", "", "--"), b"secret\n")


@pytest.mark.parametrize("name", ["python-library", "python-home", "python-partial", "sudo-command-missing"])
def test_a_python_that_does_not_work_is_told_with_what_to_install(name: str) -> None:
    """Whatever it lacks."""
    said = (CORPUS / f"{name}.txt").read_bytes().replace(b"python9", b"python3")
    with pytest.raises(PythonMissing, match=r"install Python 3\.11 or newer"):
        answer(1, b"", said)


def test_what_modules_of_sudo_print_is_no_answer() -> None:
    """The answer is on a line of its own."""
    assert answer(0, b'Last login: today\n{"done": 7}\nbye\n', b"") == 7
    with pytest.raises(DeployError, match=r"^python3 on the host: MemoryError$"):
        answer(1, b"Last login: today\n", (CORPUS / "python-memory.txt").read_bytes())
