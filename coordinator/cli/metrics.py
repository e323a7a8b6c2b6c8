"""`coord metrics`, and --metrics of the commands that export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from coordinator.cli.options import Settings, inventory_argument
from coordinator.errors import OperationFailed
from inventory.network import Network
from support.endpoint import Endpoint

if TYPE_CHECKING:
    _Base = click.ParamType[Endpoint]
else:
    _Base = click.ParamType

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT = "127.0.0.1:9464"
"""Where Prometheus looks for coord serve --metrics by default; 9464 is the port of OpenTelemetry's exporters."""


class _Address(_Base):
    """HOST:PORT."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Endpoint:
        """Fails on anything else."""
        if isinstance(value, Endpoint):
            return value
        try:
            found = Endpoint.parse(str(value))
            if not found.port:
                raise ValueError(f"{value}: a port is missing")
            return found
        except ValueError as error:
            self.fail(str(error), param, ctx)


def metrics_option(command: F) -> F:
    """--metrics; the command gets `metrics`."""
    return click.option(
        "--metrics", type=_Address(), metavar="HOST:PORT",
        help="Export values for Prometheus there, at /metrics. Everybody who can reach the port can read them.",
    )(command)  # fmt: skip


@click.command("metrics")
@inventory_argument
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), default=Path("monitoring"), show_default=True,
    metavar="FOLDER", help="Where the files are written.",
)  # fmt: skip
@click.option(
    "--coordinator", type=_Address(), default=DEFAULT, show_default=True, metavar="HOST:PORT",
    help="Where coord serve --metrics listens.",
)  # fmt: skip
@click.option(
    "--agent", "agents", type=_Address(), multiple=True, metavar="HOST:PORT",
    help="Where a party's agent listens (agent serve --metrics). May be repeated.",
)  # fmt: skip
@click.pass_obj
def command(
    settings: Settings, network: Network, output: Path, coordinator: Endpoint, agents: tuple[Endpoint, ...]
) -> None:
    """Writes what Prometheus and Grafana need to watch the network.

    prometheus.yml lists the targets: the coordinator, the agents of hosts for which the inventory says `metrics`, and
    nodes with `nodeos.prometheus`. alerts.yml has the alerts (a stalled chain or LIB, silent producers, two signers,
    clocks, disks, certificates); dashboard.json is for import into Grafana. docs/monitoring.md lists the values.

    \b
    coord metrics inventory/testnet.toml -o monitoring
    coord serve inventory/testnet.toml --metrics 127.0.0.1:9464
    """
    from coordinator.report.monitoring.alerts import alerts, rules_file
    from coordinator.report.monitoring.dashboard import dashboard
    from coordinator.report.monitoring.scrape import RULES, jobs, scrape_file

    files = {
        "prometheus.yml": scrape_file(network, jobs(network, str(coordinator), [str(agent) for agent in agents])),
        RULES: rules_file(network, alerts(network)),
        "dashboard.json": dashboard(network),
    }
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (output / name).write_text(text)
    except OSError as error:
        raise OperationFailed(f"{error.filename or output}: {error.strerror}") from error
    click.echo(f"written to {output}: {', '.join(files)}")
