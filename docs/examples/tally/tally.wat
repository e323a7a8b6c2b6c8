;; tally: counts how often each account has called it. One action, count(user), and one table, counts.
;;
;;     wat2wasm tally.wat            (Debian: apt-get install wabt) makes tally.wasm; tally.abi describes both
;;
;; Names are 64-bit numbers: count is 0x45353c8000000000, counts is 0x45353ce000000000.
;; A contract in C++ is the usual way. This one is written out by hand so that nothing but wabt is needed.
(module
  (import "env" "eosio_assert" (func $assert (param i32 i32)))
  (import "env" "require_auth" (func $require_auth (param i64)))
  (import "env" "read_action_data" (func $read_action_data (param i32 i32) (result i32)))
  (import "env" "db_find_i64" (func $db_find (param i64 i64 i64 i64) (result i32)))
  (import "env" "db_get_i64" (func $db_get (param i32 i32 i32) (result i32)))
  (import "env" "db_store_i64" (func $db_store (param i64 i64 i64 i64 i32 i32) (result i32)))
  (import "env" "db_update_i64" (func $db_update (param i32 i64 i32 i32)))
  (import "env" "prints" (func $prints (param i32)))
  (import "env" "printui" (func $printui (param i64)))

  (memory 1)
  (data (i32.const 32) "tally has no such action\00")
  (data (i32.const 64) "count takes one account\00")
  (data (i32.const 96) "counted: \00")

  ;; A row is 16 bytes at address 0: the account, which is the primary key, and its count.
  (func (export "apply") (param $receiver i64) (param $code i64) (param $action i64)
    (local $user i64) (local $row i32)
    (if (i64.ne (local.get $code) (local.get $receiver)) (then (return)))      ;; somebody else's action: a notification
    (call $assert (i64.eq (local.get $action) (i64.const 0x45353c8000000000)) (i32.const 32))
    (call $assert (i32.eq (call $read_action_data (i32.const 0) (i32.const 8)) (i32.const 8)) (i32.const 64))
    (local.set $user (i64.load (i32.const 0)))
    (call $require_auth (local.get $user))
    (local.set $row (call $db_find (local.get $receiver) (local.get $receiver) (i64.const 0x45353ce000000000) (local.get $user)))
    (if (i32.lt_s (local.get $row) (i32.const 0))
      (then                                                                    ;; the first time: the user pays its RAM
        (i64.store (i32.const 8) (i64.const 1))
        (drop (call $db_store (local.get $receiver) (i64.const 0x45353ce000000000) (local.get $user) (local.get $user)
          (i32.const 0) (i32.const 16))))
      (else
        (drop (call $db_get (local.get $row) (i32.const 0) (i32.const 16)))
        (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 1)))
        (call $db_update (local.get $row) (i64.const 0) (i32.const 0) (i32.const 16))))
    (call $prints (i32.const 96))
    (call $printui (i64.load (i32.const 8)))))
