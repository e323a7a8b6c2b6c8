"""The words in a log by which a kind of failure is recognised: nodeos' own, and those of scripts that run in its place.

All were seen in real logs (tests/unit/agent/nodes/corpus).
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.errors import (
    BadConfiguration,
    DamagedBlocks,
    DamagedFeatures,
    DamagedForks,
    DamagedState,
    DiskFull,
    NodeFault,
    OtherChain,
    PortTaken,
)

OPTIONS = "change it in the inventory (nodeos.options, or the role's or the node's own)"


@dataclass(frozen=True)
class Sign:
    """A pattern in a log, and what it means."""

    words: str
    """A regular expression, whatever the case of letters."""
    kind: type[NodeFault]
    text: str
    """For a person; {said} stands for the line in which nodeos explains it, {1} for the expression's first group."""


IN_THE_WAY = (
    Sign(
        r"unable to listen on (\S+) .*Address already in use|failed to listen on (\S+), Address already in use",
        PortTaken,
        "{1}{2} is taken: another program listens there",
    ),
    Sign(
        r"unable to listen on (\S+) resolved from .*bind: (.+)|failed to listen on (\S+), (?!Bad address)(.+)",
        BadConfiguration,
        "it cannot listen on {1}{3}: {2}{4}",
    ),
    Sign(
        r"(?:failed to listen on|http service failed to start for) (\S+?)[,:] Bad address",
        PortTaken,
        "{1} is taken: another program listens there",
    ),
    Sign(
        r"exceeded file system configured threshold",
        DiskFull,
        "its disk is nearly full (nodeos' resource monitor)",
    ),
    Sign(r"No space left on device", DiskFull, "its disk is full"),
    Sign(
        r"database_guard_exception|guard_exception, quitting|reached an unsafe level of usage",
        DiskFull,
        "its chain state database is full: raise chain-state-db-size-mb",
    ),
)

OF_OPTIONS = (
    Sign(
        r"Unknown option '[^']+'|unrecogni[sz]ed option '[^']+'|the argument [^\n]*for option '[^']+' is invalid[^\n]*|"
        r"option '[^']+' cannot be specified more than once",
        BadConfiguration,
        "its nodeos says: {0}; " + OPTIONS,
    ),
    Sign(r"unable to find plugin: (\S+)", BadConfiguration, "its nodeos has no plugin {1}"),
    Sign(
        r"(filesystem error: cannot resize file: (?!No space)[^\n[]+)",
        BadConfiguration,
        "its nodeos says: {1}: chain-state-db-size-mb is more than this file system can hold",
    ),
    Sign(
        r"boost12interprocess\d+interprocess_exceptionE: Invalid argument",
        BadConfiguration,
        "chain-state-db-size-mb is not a size that its nodeos can use",
    ),
    Sign(
        r"Cannot allocate memory|] bad alloc",
        BadConfiguration,
        "its memory does not suffice: raise chain-state-db-size-mb where it is small, or lower it, or the host's limit "
        "(ulimit -v), where memory is scarce",
    ),
    Sign(
        r"configured code cache size is too small",
        BadConfiguration,
        "its nodeos says: {said}: raise eos-vm-oc-cache-size-mb",
    ),
    Sign(
        r"unable to create EOS VM Optimized Compiler code cache",
        BadConfiguration,
        "its nodeos says: {said}: it may open too few files (ulimit -n), or write none there",
    ),
)

OF_THE_MACHINE = (
    Sign(
        r"error while loading shared libraries|version `GLIBC\S+ not found|command not found|Exec format error|"
        r"cannot execute",
        BadConfiguration,
        "its nodeos cannot run on this host: {said}",
    ),
    Sign(
        r"cannot create director(?:y|ies): ([^\[\n]+) \[([^\]\n]+)\]",
        BadConfiguration,
        "it cannot write {2}: {1}",
    ),
)

OF_THE_CHAIN = (
    Sign(r"Specified genesis file '\S+' does not exist", BadConfiguration, "its genesis.json is gone"),
    Sign(
        r"does not match the existing genesis",
        OtherChain,
        "its data folder holds another chain (other genesis)",
    ),
    Sign(r"Action validate exception", BadConfiguration, "nodeos refuses the limits in genesis.json"),
)

OF_ITS_FILES = (
    Sign(
        r"problem encountered while reading '[^'\n]*/protocol_features/|builtin protocol feature [^\n]*already exists",
        DamagedFeatures,
        "a file in its folder protocol_features is damaged",
    ),
    Sign(
        r"No existing chain_head\.dat|`chain_head\.dat` seems|\"state_file\":\"[^\"\n]*chain_head\.dat",
        DamagedState,
        "its state is damaged (chain_head.dat)",
    ),
    Sign(r"fork_db_dat", DamagedForks, "its reversible blocks (fork_db.dat) are damaged"),
    Sign(r"block_log_not_found", DamagedBlocks, "its block log is gone"),
    Sign(
        r"block_log_unsupported_version",
        DamagedBlocks,
        "its block log is damaged: it has no header that nodeos knows",
    ),
    Sign(
        r"blocks\.index file is (?:invalid|empty)",
        DamagedBlocks,
        "its block index (blocks.index) is damaged",
    ),
    Sign(
        r"last block position from \S+ is at \d+ which does not match",
        DamagedBlocks,
        "its block log and the log's index do not agree: one of them is cut off",
    ),
    Sign(r"block_log_exception[^\n]*\n([^\n{]+)", DamagedBlocks, "its block log is cut off or damaged ({1})"),
    Sign(r"cfile: \S*blocks\S*\.(log|index) unable to read", DamagedBlocks, "its blocks.{1} is cut off"),
    Sign(
        r"unpacking eosio::chain::genesis_state",
        DamagedBlocks,
        "its block log is cut off at its beginning",
    ),
    Sign(r"database dirty flag set", DamagedState, "its database is dirty: it was killed before"),
    Sign(r"code cache is dirty", DamagedState, "its code cache is dirty: it was killed before"),
    Sign(r"failed to read code cache header", DamagedState, "its code cache is damaged"),
    Sign(r"Failed to read DB header", DamagedState, "its state is cut off"),
    Sign(
        r"database format not compatible",
        DamagedState,
        "its database is damaged, or of another nodeos version",
    ),
    Sign(
        r"state database version pre-dates versioning|unable to find index for eosio::chain::database_header_object",
        DamagedState,
        "its state is half made: its first start did not come to its end",
    ),
    Sign(
        r"bad_database_version_exception",
        DamagedState,
        "its state is of another nodeos version, or damaged",
    ),
    Sign(
        r"] (?:\d+ fork_database_exception: )?Fork database exception",
        DamagedState,
        "its state does not fit its blocks: files of its chain are missing",
    ),
)

SIGNS = (*IN_THE_WAY, *OF_OPTIONS, *OF_THE_MACHINE, *OF_THE_CHAIN, *OF_ITS_FILES)
"""The order matters: nodeos may report a bad option as an error of the database."""
