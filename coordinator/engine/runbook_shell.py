"""The parts that all runbooks share: the header, and the shell functions that wait and guard."""

from __future__ import annotations

HEAD = """\
#!/usr/bin/env bash
# The boot of the network {network}, as a person would type it. Made by: {plan}
#
# It starts its own nodes and wallet in the folder $WORK, on the sealed genesis, with the keys that the hosts have made.
# It ends where `coord boot` ends: the elected producers sign, and eosio has resigned. It is for one machine. For a
# network of several hosts, run each node's part on its own host; copy all keys to one machine only if the network is
# expendable. Stop the nodes that `coord` runs first ({down}): both would use the same ports.
#
#   bash boot.sh            runs it, and stops at the first command that fails
#   bash boot.sh stop       stops the nodes and the wallet that it started
set -euo pipefail
WORK=${{WORK:-$PWD/{network}-by-hand}}
PATIENCE=${{PATIENCE:-300}}   # seconds for each wait
"""

FUNCTIONS = r"""
mkdir -p "$WORK"
WALLET_URL="unix://$WORK/keosd.sock"

chapter() { printf '\n# %s of %s  %s\n' "$1" "$2" "$3"; }
fail() { printf 'stopped: %s\n' "$*" >&2; exit 1; }

# wait_until WHAT COMMAND...: tries twice a second until the command succeeds, or fails after $PATIENCE seconds.
wait_until() {
    local what=$1 until=$((SECONDS + PATIENCE)); shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || fail "waited $PATIENCE s for $what"
        sleep 0.5
    done
}

# ask URL PATH [BODY]: nodeos' answer; of URL PATH BODY EXPRESSION: a part of it (`a` is the answer, in Python).
ask() { curl --silent --show-error --fail --max-time 10 "$1/v1/$2" --data "${3:-}"; }
of() { ask "$1" "$2" "$3" | python3 -c "import json, sys; a = json.load(sys.stdin); print($4)"; }
head_of() { of "$1" chain/get_info '' 'a["head_block_num"]'; }
lib_of() { of "$1" chain/get_info '' 'a["last_irreversible_block_num"]'; }

# cleos; the bundled build may crash after it has done its work.
cleos() {
    local out status=0
    out=$($CLEOS --wallet-url "$WALLET_URL" "$@" 2>&1) || status=$?
    case "$status" in
        0) ;;
        134 | 139) [ -n "$(pushed "$out")" ] || { printf "%s\\n" "$out" >&2; return "$status"; } ;;
        *) printf '%s\n' "$out" >&2; return "$status" ;;
    esac
    pushed "$out"
}
pushed() { grep -oE 'executed transaction.*|"transaction_id": "[0-9a-f]+"' <<<"$1" || true; }

# What was pushed so far is in a block, and every node that runs has it.
in_a_block() {
    local wanted=$(($(head_of "$URL") + 2)) node
    wait_until "block $wanted" at_least "$URL" "$wanted"
    for node in $NODES; do
        [ -f "$WORK/${node%%=*}/pid" ] || continue
        wait_until "${node%%=*} to have block $wanted" at_least "${node#*=}" "$wanted"
    done
}
at_least() { [ "$(head_of "$1")" -ge "$2" ]; }
irreversible() {
    local wanted; wanted=$(head_of "$(follower)")
    wait_until "block $wanted to be irreversible" is_irreversible "$wanted"
}
is_irreversible() { [ "$(lib_of "$(follower)")" -ge "$1" ]; }
# A node that shows the head: a producer's, or the genesis node while it runs alone.
follower() {
    local node
    for node in $NODES; do
        [ "${node%%=*}" = "$GENESIS_NODE" ] || [ ! -f "$WORK/${node%%=*}/pid" ] || { echo "${node#*=}"; return; }
    done
    echo "$URL"
}
feature_is_active() {
    wait_until "feature $1 to be active" has_feature "$1"
}
has_feature() { of "$URL" chain/get_activated_protocol_features '{"limit":100}' 'json.dumps(a)' | grep -q "$1"; }

# Nodes: config NAME < lines; sign_as NAME ACCOUNT adds its key; start_node NAME URL [-e]; stop_node NAME.
config() { mkdir -p -m 700 "$WORK/$1"; (umask 077; cat >"$WORK/$1/config.ini"); }
key_of() {
    python3 - "$1" "$KEYS"/*.json <<'END'
import json, sys
for path in sys.argv[2:]:
    for entries in json.load(open(path)).values():
        for entry in entries:
            if entry["name"] == sys.argv[1]:
                print(f'{entry["pub"]}=KEY:{entry["pvt"]}' if "signing" in path else f'account:{entry["pvt"]}')
END
}
sign_as() {
    local key; key=$(key_of "$2" | grep -v '^account:')
    [ -n "$key" ] || fail "no signing key of $2 in $KEYS"
    printf 'producer-name = %s\nsignature-provider = %s\n' "$2" "$key" >>"$WORK/$1/config.ini"
}
start_node() {
    local name=$1 url=$2; shift 2
    $NODEOS --config-dir "$WORK/$name" --data-dir "$WORK/$name/data" --genesis-json "$GENESIS" "$@" \
        >>"$WORK/$name/nodeos.log" 2>&1 </dev/null &
    echo $! >"$WORK/$name/pid"
    wait_until "$name to answer (see $WORK/$name/nodeos.log)" ask "$url" chain/get_info
    [ "$(of "$url" chain/get_info '' 'a["chain_id"]')" = "$CHAIN_ID" ] || fail "$name runs another chain"
}
stop_node() {
    local pid; pid=$(cat "$WORK/$1/pid")
    kill "$pid"
    wait_until "$1 to end" not_running "$pid"
    rm "$WORK/$1/pid"
}
not_running() { ! kill -0 "$1"; }

# The wallet: every key of $KEYS, for as long as this script runs.
open_wallet() {
    $KEOSD --data-dir "$WORK/wallet" --config-dir "$WORK/wallet" --http-server-address '' \
        --unix-socket-path "$WORK/keosd.sock" --unlock-timeout 86400 >>"$WORK/keosd.log" 2>&1 </dev/null &
    echo $! >"$WORK/keosd.pid"
    wait_until "keosd" test -S "$WORK/keosd.sock"
    (umask 077; $CLEOS --wallet-url "$WALLET_URL" wallet create --file "$WORK/wallet.password" >/dev/null 2>&1) || true
    python3 - "$KEYS"/*.json <<'END' | while read -r key; do echo "$key" | \
        $CLEOS --wallet-url "$WALLET_URL" wallet import >/dev/null 2>&1 || true; done
import json, sys
keys = {entry["pvt"] for path in sys.argv[1:] for entries in json.load(open(path)).values() for entry in entries}
print("\n".join(sorted(keys)))
END
}

# Guards before irreversible steps. Of the nodes, those that were started count.
all_nodes_follow() {
    local node wanted; wanted=$(head_of "$URL")
    for node in $NODES; do
        [ ! -f "$WORK/${node%%=*}/pid" ] ||
            wait_until "${node%%=*} to have block $wanted" at_least "${node#*=}" "$wanted"
    done
}
guard_before_votes() {
    local registered; registered=$(of "$URL" chain/get_producers '{"json":true,"limit":1000}' \
        '" ".join(p["owner"] for p in a["rows"] if p["is_active"])')
    for producer in $ELECTED; do
        grep -qw "$producer" <<<"$registered" || fail "$producer is not registered: a vote now would elect others"
    done
}
schedule() {
    of "$(follower)" chain/get_producer_schedule '' \
        '" ".join(sorted(p["producer_name"] for p in a["active"]["producers"]))'
}
elected_producers_are_scheduled() {
    wait_until "the elected producers to be the active schedule" elected_are_scheduled
}
elected_producers_sign() {
    for producer in $ELECTED; do wait_until "a block of $producer" signs "$producer"; done
    irreversible
}
elected_are_scheduled() { [ "$(schedule)" = "$(printf '%s\n' $ELECTED | sort | paste -sd' ')" ]; }
signs() { [ "$(of "$(follower)" chain/get_info '' 'a["head_block_producer"]')" = "$1" ]; }
canary_row() {
    of "$(follower)" chain/get_table_rows \
        '{"json":true,"code":"eosio.token","scope":"eosio.prods","table":"accounts","limit":100}' \
        'sum(r["balance"].endswith(" '"$SYMBOL"'") for r in a["rows"])' | grep -qx 1
}
canary_has_acted() { wait_until "the canary's effect" canary_row; irreversible; }
guard_before_resignation() {
    elected_are_scheduled || fail "the schedule is $(schedule): eosio must not resign before the elected producers sign"
    canary_row || fail "eosio.prods@active has not acted: a chain that resigns to it now could never be changed again"
}
guard_before_retirement() {
    elected_are_scheduled || fail "the schedule is $(schedule): the genesis node must go on signing"
}

if [ "${1:-}" = stop ]; then
    for pid in "$WORK"/*/pid "$WORK"/keosd.pid; do [ ! -f "$pid" ] || { kill "$(cat "$pid")" || true; rm "$pid"; }; done
    exit 0
fi
for pid in "$WORK"/*/pid; do [ ! -f "$pid" ] || fail "it was run before: stop it and remove $WORK, or set WORK"; done
"""
