"""The bodies that a task for an agent may have, and the name of each in coordination.proto."""

from __future__ import annotations

from typing import Any

from protos import coordination_pb2 as pb

TaskBody = (  # the bodies that a Task may have
    pb.Collect
    | pb.Hold
    | pb.StartNode
    | pb.StopNode
    | pb.Produce
    | pb.RestartNode
    | pb.Rekey
    | pb.Register
    | pb.Unregister
    | pb.Settle
    | pb.SetPeers
    | pb.RunStep
    | pb.Recount
    | pb.Follow
    | pb.Enlist
    | pb.Endorse
    | pb.Attest
    | pb.Vouch
    | pb.Sponsor
    | pb.Elect
    | pb.Propose
    | pb.Execute
    | pb.Hand
    | pb.Transfer
    | pb.Producers
    | pb.Leases
    | pb.TakeSnapshot
)
FIELDS: dict[type[Any], str] = {
    pb.Collect: "collect",
    pb.Hold: "hold",
    pb.StartNode: "start_node",
    pb.StopNode: "stop_node",
    pb.Produce: "produce",
    pb.RestartNode: "restart_node",
    pb.Rekey: "rekey",
    pb.Register: "register",
    pb.Unregister: "unregister",
    pb.Settle: "settle",
    pb.SetPeers: "set_peers",
    pb.RunStep: "run_step",
    pb.Recount: "recount",
    pb.Follow: "follow",
    pb.Enlist: "enlist",
    pb.Endorse: "endorse",
    pb.Attest: "attest",
    pb.Vouch: "vouch",
    pb.Sponsor: "sponsor",
    pb.Elect: "elect",
    pb.Propose: "propose",
    pb.Execute: "execute",
    pb.Hand: "hand",
    pb.Transfer: "transfer",
    pb.Producers: "producers",
    pb.Leases: "leases",
    pb.TakeSnapshot: "take_snapshot",
}
