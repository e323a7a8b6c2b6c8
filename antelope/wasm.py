"""Reads facts from a contract's WebAssembly without running it.

Format: WebAssembly Core Specification 1.0, 5.5 (modules).
"""

from __future__ import annotations

import hashlib

from antelope.codec import Reader
from antelope.errors import AbiError, BadWasm

HEADER = b"\0asm\x01\0\0\0"
"""The first bytes of a WebAssembly module of version 1."""
_IMPORT_SECTION = 2
_FUNCTION, _TABLE, _MEMORY, _GLOBAL = range(4)


def code_hash(wasm: bytes) -> str:
    """The code hash in hexadecimal, as in get_code_hash's answer."""
    return hashlib.sha256(wasm).hexdigest()


def imports(wasm: bytes) -> set[str]:
    """The names of the functions that a module imports, such as send_deferred. Raises BadWasm."""
    if not wasm.startswith(HEADER):
        raise BadWasm("these bytes are not a WebAssembly module of version 1")
    reader = Reader(wasm)
    reader.take(len(HEADER))
    try:
        while reader.remaining:
            section, content = reader.unsigned(1), reader.bytes_()
            if section == _IMPORT_SECTION:
                return _imported_functions(Reader(content))
    except AbiError as error:
        raise BadWasm(f"the WebAssembly module is damaged: {error}") from error
    return set()


def _imported_functions(reader: Reader) -> set[str]:
    names: set[str] = set()
    for _ in range(reader.count()):
        reader.bytes_()  # the module that it is imported from: always env
        name, kind = reader.string(), reader.unsigned(1)
        if kind == _FUNCTION:
            reader.varuint32()
            names.add(name)
        elif kind == _GLOBAL:
            reader.take(2)
        elif kind in (_TABLE, _MEMORY):
            if kind == _TABLE:
                reader.take(1)
            for _ in range(1 + reader.unsigned(1)):  # flag 1: a maximum follows the minimum
                reader.varuint32()
        else:
            raise BadWasm(f"the WebAssembly module imports something of unknown kind {kind}")
    return names
