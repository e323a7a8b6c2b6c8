"""Every message by which `coord` and `agent` refuse or fail, read from the code that raises it.

A message is found where an error of ours is made (`OperationFailed(f"…")`, raised or returned), where a mistake in an
inventory is reported (`problems.add(path, message, hint)`), where preflight finds something (`Finding(…)`), and where
`coord status --check` says what is wrong. So the page has all of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bootcoord", "coordinator", "agent", "inventory", "boot", "support", "antelope")
BUILT_IN = frozenset({"Exception", "ValueError", "KeyError", "TypeError", "TimeoutError", "RuntimeError", "OSError"})
COMMANDS: Mapping[str, tuple[str, str]] = {"typed": ("coord", "INVENTORY"), "typed_agent": ("agent", "--data DIR")}
"""The functions that write a command into a message: the program, and the argument that the command always gets."""
FINDINGS: Mapping[str, int] = {"Finding": 2, "HostProblem": 3}
"""The classes of preflight's results, and which argument is the message."""
HEALTH = "coordinator/report/health.py"
"""What `coord status --check` says."""
SHORTEST = 12
"""Minimum letters of a message; shorter ones only pass on somebody else's words."""


@dataclass(frozen=True, order=True)
class Message:
    """One message, with `…` where something is filled in."""

    text: str
    hint: str
    """What to do, where that is apart from the message."""
    error: str
    """The error's class; `Problem`: a mistake in an inventory."""
    module: str
    """Where it is made, as in `coordinator/hosts`."""


def messages(root: Path = ROOT) -> tuple[Message, ...]:
    """All messages, sorted by text; once for each folder that has them."""
    paths = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    errors = _errors(trees.values())
    found = {
        message
        for path, tree in trees.items()
        for message in _of(tree, path.relative_to(root).parent.as_posix(), errors)
    }
    for path, tree in trees.items():
        module = path.relative_to(root).parent.as_posix()
        found |= {*_findings(tree, module), *(_wrong(tree, module) if path == root / HEALTH else ())}
    return tuple(sorted(found))


@dataclass(frozen=True, order=True)
class Advice:
    """A place where a message names a command, or an action on a file."""

    module: str
    """Its file, as in `coordinator/cli/plan.py`."""
    words: str
    """The command as in `coord boot --until …`, or the message."""

    def __str__(self) -> str:
        return f"{self.module}: {self.words}"


FILES = re.compile(
    r"chmod|\bput (it|a whole copy)\b|\b[Pp]ut back\b|move it away|write it there|remove (it|…)(?=,| and)|kill -9|"
    r"ssh -N|set account permission|let sudoers|MaxSessions|add it to …|its log\b|see its log"
)
"""What messages say to do with files and other programs."""


def advice(root: Path = ROOT) -> tuple[Advice, ...]:
    """All of it, in order."""
    found = set[Advice]()
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            tree, module = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(root).as_posix()
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and _name(node.func) in COMMANDS:
                    words = template(node).replace(" INVENTORY", "").replace(" --data DIR", "")
                    found.add(Advice(module, words))
    made = messages(root)
    found |= {Advice(one.module, one.text) for one in made if one.error != "Problem" and FILES.search(one.text)}
    return tuple(sorted(found))


def _errors(trees: Iterable[ast.Module]) -> frozenset[str]:
    """The names of all classes of errors: those that inherit from a built-in one, directly or not."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found, before = set(BUILT_IN), set[str]()
    while found != before:
        before = set(found)
        found |= {name for name, parents in bases.items() if parents & found}
    return frozenset(found - BUILT_IN)


def _of(tree: ast.Module, module: str, errors: frozenset[str]) -> Iterator[Message]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if (error := _name(node.func)) in errors:
            texts = [text for text in map(template, node.args) if _says_something(text)]
            if texts:
                yield Message(texts[0], "", error, module)
        elif _is_problem(node):
            texts = [template(argument) for argument in node.args[1:3]]
            if _says_something(texts[0]):
                yield Message(texts[0], texts[1] if len(texts) > 1 else "", "Problem", module)


def _findings(tree: ast.Module, module: str) -> Iterator[Message]:
    """What preflight finds: a message, which may have been put together before, and what to do."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            at = FINDINGS.get(_name(call.func), len(call.args))
            hints = [hint for argument in call.args[at + 1 : at + 2] for hint in _texts(function, argument)]
            for text in (text for argument in call.args[at : at + 1] for text in _texts(function, argument)):
                yield Message(text, hints[0] if len(hints) == 1 else "", "Finding", module)


def _texts(function: ast.FunctionDef, node: ast.expr) -> list[str]:
    """All texts that an expression may have. For a name: of what was last assigned to it before."""
    if isinstance(node, ast.IfExp):
        return [*_texts(function, node.body), *_texts(function, node.orelse)]
    if isinstance(node, ast.Name):
        before = [one for one in _assigned(function, node.id) if one.lineno < node.lineno]
        return sorted({text for value in before[-1:] for text in _texts(function, value)})
    return [text] if _says_something(text := template(node)) else []


def _assigned(function: ast.FunctionDef, name: str) -> list[ast.expr]:
    """What is assigned to a name, in order."""
    found = [
        one.value
        for one in ast.walk(function)
        if isinstance(one, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in one.targets)
    ]
    return sorted(found, key=lambda value: value.lineno)


def _wrong(tree: ast.Module, module: str) -> Iterator[Message]:
    """What `coord status --check` calls wrong: what the functions of its file yield."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Yield) and node.value and _says_something(text := template(node.value)):
            yield Message(text, "", "Wrong", module)


def _says_something(text: str) -> bool:
    return len(text.replace("…", "").strip()) >= SHORTEST


def _is_problem(call: ast.Call) -> bool:
    added = isinstance(call.func, ast.Attribute) and call.func.attr == "add" and _name(call.func.value) == "problems"
    return (added or _name(call.func) == "Problem") and len(call.args) >= 2


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def template(node: ast.expr) -> str:
    """The text that an expression makes, with `…` for what is not known before it runs."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return _joined(template(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined((template(node.left), template(node.right)))
    if isinstance(node, ast.FormattedValue):
        return template(node.value)
    if isinstance(node, ast.Call) and _name(node.func) in COMMANDS:
        return _command(node)
    return "…"


def _command(call: ast.Call) -> str:
    """The command line that a call of `typed` or `typed_agent` makes."""
    program, operand = COMMANDS[_name(call.func)]
    name, *words = map(template, call.args)
    return " ".join([program, name, operand, *(words if program == "coord" else words[1:])])


def _joined(parts: Iterable[str]) -> str:
    text = "".join(parts)
    while "……" in text:
        text = text.replace("……", "…")
    return re.sub(r"\s+", " ", text)
