"""A pytest plugin: `antelope_network`, a booted network of real nodeos for a project's tests.

    def test_transfer(antelope_network):
        antelope_network.act("eosio.token", "transfer", {...}, actor="useraaaaaaaa")

It is installed with bootcoord, and costs nothing if no test asks for a network. By default the network is a devnet:
one node, up in seconds. Options, which can also be set in pytest's ini file (without leading dashes, with underscores):

    --antelope-inventory FILE   a network of your own instead, booted to its end
    --antelope-state DIR        where its state is kept (default: a temporary folder)
    --antelope-keep             it keeps running after the session, and the next session uses it as it is

Under xdist each worker has its own network: a devnet on free ports. An inventory has fixed ports, so tests with one
must run in a single process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from bootcoord.testing import BootedNetwork

_OPTIONS = (
    ("inventory", "FILE", "inventory of the network that antelope_network boots; a devnet without one"),
    ("state", "DIR", "folder for its state; a temporary one by default"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, which are ini keys as well."""
    group = parser.getgroup("antelope", "Antelope networks (bootcoord)")
    for name, metavar, text in _OPTIONS:
        group.addoption(f"--antelope-{name}", metavar=metavar, help=text)
        parser.addini(f"antelope_{name}", text)
    keep = "let the network run on after the session, for the next one"
    group.addoption("--antelope-keep", action="store_true", default=False, help=keep)
    parser.addini("antelope_keep", keep, type="bool", default=False)


@pytest.fixture(scope="session")
def antelope_network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BootedNetwork]:
    """A booted network, one for the session. `antelope_network.reset()` restores its first state."""
    from bootcoord.testing import open_network
    from support.errors import Explained, explanation

    config = request.config
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    inventory, state = _setting(config, "inventory"), _setting(config, "state")
    if inventory and worker:
        _refuse(
            "an inventory has fixed ports, so its tests are for one process: leave -n out, or leave "
            "--antelope-inventory out for a devnet per worker"
        )
    keep = bool(config.getoption("antelope_keep") or config.getini("antelope_keep"))
    folder = Path(state) if state else tmp_path_factory.mktemp("antelope")
    if keep and not state:
        _refuse("to keep it, say where: --antelope-state DIR")
    with ExitStack() as stack:
        try:
            opened = open_network(folder / worker, Path(inventory) if inventory else None, keep=keep)
            network = stack.enter_context(opened)
        except Exception as error:
            if not isinstance(error, Explained):
                raise
            _refuse(explanation(error))
        yield network


def _refuse(why: str) -> NoReturn:
    """Fails the test that asked, with one line instead of a traceback."""
    pytest.fail(f"antelope_network: {why}", pytrace=False)


def _setting(config: pytest.Config, name: str) -> str:
    """An option, or else its ini key. A path in the ini file is relative to that file."""
    if given := config.getoption(f"antelope_{name}"):
        return str(config.invocation_params.dir / given)
    found = str(config.getini(f"antelope_{name}") or "")
    return str((config.inipath.parent if config.inipath else config.rootpath) / found) if found else ""
