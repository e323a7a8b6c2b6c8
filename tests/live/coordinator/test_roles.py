"""Nodes around a network: an API, a history and a seed, booted once; asked by curl, cleos and a websocket's client."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import Any

import aiohttp
import pytest

from antelope.abi import Abi
from support.processes import Process
from support.retry import poll
from tests.live.coordinator.network import MakeNetwork, Network
from tests.ports import free_port

API, TRACES, SHIP, METRICS, MOVED = (f"127.0.0.1:{free_port()}" for _ in range(5))
NODES = f"""
[[hosts]]
name = "local"
local = true
metrics = "{METRICS}"

[[nodes]]
name = "door"
role = "api"
api = "{API}"
p2p_port = {{door[0]}}
http_port = {{door[1]}}

[[nodes]]
name = "past"
role = "history"
history = "{SHIP}"
api = "{TRACES}"
p2p_port = {{past[0]}}
http_port = {{past[1]}}

[[nodes]]
name = "seed"
role = "seed"
p2p_port = {{seed[0]}}
http_port = {{seed[1]}}
"""


@pytest.fixture(scope="module")
def around(make_shared: MakeNetwork) -> Network:
    """One producer, and a node of each of these roles."""
    made = make_shared("around")
    made.ports.update((name, (free_port(), free_port())) for name in ("door", "past", "seed"))
    made.write(NODES.format(**made.ports), producers=1)
    made.boot()
    return made


def curl(at: str, path: str, *options: str) -> tuple[int, str, str]:
    """Status, headers and body of an answer."""
    command = ["curl", "-si", "-m", "10", *options, "--data", "{}", f"http://{at}{path}"]
    head, _, body = subprocess.run(command, capture_output=True, text=True, check=True).stdout.partition("\n\n")
    return int(head.split()[1]), head, body


def test_pages_of_any_origin_may_use_the_api_behind_a_proxy(around: Network) -> None:
    """It answers for a name that it does not know, with a CORS header, and takes transactions from cleos."""
    status, head, body = curl(
        API, "/v1/chain/get_info", "-H", "Host: api.example", "-H", "Origin: https://dapp.example"
    )
    assert (status, "Access-Control-Allow-Origin: *" in head) == (200, True)
    assert json.loads(body)["chain_id"] == around.cleos("get", "info")["chain_id"]
    status, _, body = curl(API, "/v1/chain/send_transaction")
    assert (status, json.loads(body)["error"]["code"]) == (400, 3200006)  # invalid_http_request: it reads transactions


@pytest.mark.parametrize("node", ["door", "past"])  # ports would make other names of tests in each process
@pytest.mark.parametrize(
    "path",
    [
        "/v1/producer/pause", "/v1/producer/get_runtime_options", "/v1/producer/create_snapshot", "/v1/net/connect",
        "/v1/net/connections", "/v1/net/disconnect",
    ],
)  # fmt: skip
def test_what_people_must_not_use_is_not_there(around: Network, node: str, path: str) -> None:
    """The producer and net APIs are 404 on a public address, also under another spelling or the agent's Host."""
    at = {"door": API, "past": TRACES}[node]
    agents = around.http("door").removeprefix("http://")
    for spelling in (path, f"/{path}", f"{path}?x=1", path.replace("/v1/", "/v1/chain/../")):
        for host in (at, agents):
            status = curl(at, spelling, "--path-as-is", "-H", f"Host: {host}")[0]
            assert status == 404 or (status == 400 and "/../" in spelling), (spelling, status)


def test_the_agent_still_has_what_it_needs(around: Network) -> None:
    """On the loopback port all of the API is there: the same path that is 404 in public."""
    assert curl(around.http("door").removeprefix("http://"), "/v1/net/connections")[0] in (200, 201)


async def first_block_with_transactions(at: str) -> dict[str, Any]:
    """What Hyperion asks for: the first block after which a contract was set, with its traces and changes of tables,
    decoded with the ABI that the node itself sends."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://{at}/", max_msg_size=0) as socket:
        definition = json.loads(await socket.receive_str(timeout=10))
        abi = Abi.parse({**definition, "tables": []})  # its tables are named as nodeos names them, not as contracts do
        wanted = {
            "start_block_num": 2, "end_block_num": 0xFFFFFFFF, "max_messages_in_flight": 1, "have_positions": [],
            "irreversible_only": False, "fetch_block": True, "fetch_traces": True, "fetch_deltas": True,
        }  # fmt: skip
        await socket.send_bytes(abi.pack("request", ["get_blocks_request_v0", wanted]))
        while True:
            kind, found = abi.unpack("result", await socket.receive_bytes(timeout=20))
            assert kind == "get_blocks_result_v0"
            traces = abi.unpack("transaction_trace[]", bytes.fromhex(found["traces"]))
            if len(traces) > 1:
                deltas = abi.unpack("table_delta[]", bytes.fromhex(found["deltas"]))
                block = abi.unpack("signed_block", bytes.fromhex(found["block"]))
                return {"number": found["this_block"]["block_num"], "block": block, "traces": traces, "deltas": deltas}
            await socket.send_bytes(abi.pack("request", ["get_blocks_ack_request_v0", {"num_messages": 1}]))


async def handshake(at: str) -> tuple[dict[str, Any], bytes]:
    """The first message of a state history, and its answer to get_status_request_v0 (variant 0)."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://{at}/", max_msg_size=0) as socket:
        abi = await socket.receive_str(timeout=10)
        await socket.send_bytes(b"\0")
        return json.loads(abi), await socket.receive_bytes(timeout=10)


def test_the_history_is_whole_and_served(around: Network) -> None:
    """The websocket tells its ABI; traces and state begin with the first blocks; a block's actions can be had."""
    abi, status = asyncio.run(handshake(SHIP))
    assert abi["version"].startswith("eosio::abi/1.")
    assert {"get_blocks_request_v0", "get_status_result_v0"} <= {struct["name"] for struct in abi["structs"]}
    # get_status_result_v0: variant 0, two (number, id), then begin and end of traces, begin and end of the state.
    numbers = [int.from_bytes(status[at : at + 4], "little") for at in (1, 73, 77, 81, 85)]
    head, traces, traces_end, state, state_end = numbers
    assert (traces <= 2, state <= 2, traces_end >= head, state_end >= head) == (True, True, True, True)
    assert len(status) >= 89
    command = ["curl", "-s", "-m", "10", "--data", '{"block_num": 2}', f"http://{TRACES}/v1/trace_api/get_block"]
    block = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (block["number"], block["transactions"][0]["actions"][0]["action"]) == (2, "onblock")


def test_an_indexer_gets_blocks_traces_and_changes(around: Network) -> None:
    """A block, what its transactions did, and which tables they changed, as get_block and cleos tell it, too."""
    found = asyncio.run(first_block_with_transactions(SHIP))
    told = around.cleos("get", "block", str(found["number"]), node="defproducera")
    assert found["block"]["producer"] == told["producer"] == "eosio"
    ids = {trace["id"].lower() for _, trace in found["traces"]}
    assert {entry["trx"]["id"] for entry in told["transactions"]} < ids  # and the chain's own onblock
    actions = [action["act"]["name"] for _, trace in found["traces"] for _, action in trace["action_traces"]]
    assert "onblock" in actions
    assert "activate" in actions or "setcode" in actions
    assert {"account", "global_property"} & {delta["name"] for _, delta in found["deltas"]}
    body = json.dumps({"block_num": found["number"]})
    command = ["curl", "-s", "-m", "10", "--data", body, f"http://{TRACES}/v1/trace_api/get_block"]
    traced = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert {transaction["id"] for transaction in traced["transactions"]} == ids


def test_the_seed_has_peers_and_takes_nothing(around: Network) -> None:
    """It is linked and follows the chain; transactions are refused there."""
    seed = next(node for node in around.document("status")["nodes"] if node["name"] == "seed")
    assert (seed["state"], seed["peers"] > 0, seed["head_block"] > 1) == ("running", True, True)
    _, _, body = curl(around.http("seed").removeprefix("http://"), "/v1/chain/send_transaction")
    assert json.loads(body)["error"]["code"] == 3110001  # missing_chain_api_plugin_exception


def test_status_tells_the_roles_and_none_is_in_the_schedule(around: Network) -> None:
    """Each with its addresses, in the table and in JSON."""
    document = around.document("status")
    found = {node["name"]: (node["role"], node["account"], node["api"], node["history"]) for node in document["nodes"]}
    assert found["door"] == ("api", "", API, "")
    assert found["past"] == ("history", "", TRACES, SHIP)
    assert found["seed"] == ("seed", "", "", "")
    assert (document["schedule"], document["problems"]) == (["defproducera"], [])
    table = around.coord("status").out
    assert f"door serves its API at http://{API}" in table
    assert f"past serves its API at http://{TRACES} and state history at ws://{SHIP}" in table
    assert "(seed)" in table


def test_nothing_is_left_to_do(around: Network) -> None:
    """The plan after the boot knows the roles as they run."""
    assert "Nothing to do: everything is done and running." in around.boot().out
    assert around.document("plan")["differences"] == []


def nodes_of(network: Network) -> dict[str, Process]:
    """The processes of its nodes."""
    return {name: process for name, process in network.processes().items() if name != "agent"}


def exported(at: str) -> str:
    """What an agent exports there; empty: nothing."""
    return subprocess.run(["curl", "-s", "-m", "5", f"http://{at}/metrics"], capture_output=True, text=True).stdout


def test_the_agent_exports_where_the_inventory_says(around: Network) -> None:
    """Prometheus' file names it. A new address is a difference, which a boot applies without touching a node."""

    async def shows(at: str) -> bool:
        return 'bootcoord_agent_node_running{node="door"} 1.0' in await asyncio.to_thread(exported, at)

    asyncio.run(poll(lambda: shows(METRICS), what="the agent's values", deadline=20))
    around.coord("metrics", "-o", "monitoring")
    assert f'["{METRICS}"]' in (around.folder / "monitoring" / "prometheus.yml").read_text()
    before = nodes_of(around)
    around.replace(METRICS, MOVED)
    (change,) = around.document("plan")["differences"]
    assert (change["part"], change["before"], change["after"]) == ("metrics", METRICS, MOVED)
    assert "agent of local started" in around.boot().out
    asyncio.run(poll(lambda: shows(MOVED), what="its values at the new address", deadline=20))
    assert exported(METRICS) == ""
    assert nodes_of(around) == before
    assert around.document("plan")["differences"] == []
