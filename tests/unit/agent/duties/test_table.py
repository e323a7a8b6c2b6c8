"""What an agent does for a coordinator is exactly one list."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.duties.table import Table, carry_out
from agent.errors import DutyError, PortTaken
from agent.party.settings import PartySettings
from agent.reports import ReportProgress, silent
from antelope.errors import Unreachable
from protos import coordination_pb2 as pb
from tests.unit.agent.duties.test_host import Bench
from tests.unit.agent.party.conftest import ALICE, home, sealed_network

HOST = {
    "collect", "hold", "start_node", "stop_node", "produce", "set_peers", "producers", "run_step", "recount", "sponsor",
    "elect", "propose", "endorse", "execute", "hand", "leases", "transfer", "take_snapshot",
    "restart_node", "rekey", "register", "unregister", "settle",
}  # fmt: skip
PARTY = {"hold", "follow", "set_peers", "producers", "enlist", "endorse", "attest", "run_step", "recount", "vouch"}


def test_hosts_and_parties_have_these_duties_and_no_others(tmp_path: Path) -> None:
    """The list that an auditor reads; every task of the protocol is a duty of some agent."""
    party = home(tmp_path / "party", PartySettings(ALICE, "h:9876"), sealed_network(tmp_path))
    assert set(party.duties.table) == PARTY
    assert set(Bench(tmp_path / "host").duties.table) == HOST
    assert {field.name for field in pb.Task.DESCRIPTOR.oneofs_by_name["body"].fields} == HOST | PARTY


@pytest.mark.parametrize(
    ("error", "line", "retryable"),
    [
        (DutyError("not yet", retryable=True), "not yet", True),
        (PortTaken("port 1 is\ntaken", hint="stop it"), "port 1 is taken; stop it", True),
        (Unreachable("connection refused"), "connection refused", True),
        (ZeroDivisionError("x"), "a fault of this agent (ZeroDivisionError); see its log", False),
    ],
)
async def test_a_failure_is_a_result(
    error: Exception, line: str, retryable: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The error itself says whether to try again; the log has the cause of a fault of the agent's own."""

    async def fails(_: pb.Task, __: ReportProgress) -> None:
        raise error

    result = await _carry_out({"enlist": fails})
    assert (result.ok, result.error, result.retryable) == (False, line, retryable)
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == (
        [error] if isinstance(error, ZeroDivisionError) else []
    )


async def test_what_is_not_in_the_table_is_not_done() -> None:
    """Must never be called."""
    assert (await _carry_out({})).error == "no enlist here"


async def test_what_went_well_without_a_result_is_ok() -> None:
    """And one with a result keeps it."""

    async def quiet(_: pb.Task, __: ReportProgress) -> None:
        """Nothing to return."""

    async def attests(_: pb.Task, __: ReportProgress) -> pb.Result:
        return pb.Result(attestation=pb.Attestation(account="alice"))

    assert await _carry_out({"enlist": quiet}) == pb.Result(ok=True)
    assert (await _carry_out({"enlist": attests})).attestation.account == "alice"


async def _carry_out(table: Table) -> pb.Result:
    task = pb.Task(id="1", epoch=1, enlist=pb.Enlist())
    return await carry_out(table, task, silent, lambda kind: DutyError(f"no {kind} here"))
