"""A nodeos that only answers, from a file, and writes down how it was started and whatever is pushed to it.

Its folder holds `answers.json` ({"info", "account", "rows": {"CODE SCOPE TABLE": [...]}}); it writes `started` (a line
for each start: its arguments) and `pushed` (a line for each transaction).
"""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def install(folder: Path, data: Path) -> Path:
    """Writes the executable into that folder. An agent with that data folder counts it as examined already."""
    folder.mkdir()
    program = folder / "nodeos"
    program.write_text(f"#!{sys.executable} -P\nimport sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
                       f"import fake_nodeos\nfake_nodeos.run({str(folder)!r})\n")  # fmt: skip
    program.chmod(0o755)
    known = data / "nodeos" / f"{hashlib.sha256(program.read_bytes()).hexdigest()}.1.json"
    known.parent.mkdir(parents=True)
    known.write_text(json.dumps({"version": "v5.0.3", "options": ["agent-name"], "features": []}))
    return program


def run(folder: str) -> None:
    """Serves until it is ended."""
    home = Path(folder)
    with (home / "started").open("a") as file:
        file.write(" ".join(sys.argv[1:]) + "\n")
    config = Path(sys.argv[sys.argv.index("--config-dir") + 1]) / "config.ini"
    address = next(line for line in config.read_text().splitlines() if line.startswith("http-server-address"))

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            answers = json.loads((home / "answers.json").read_text())
            call = self.path.rpartition("/")[2]
            found: object = {
                "rows": answers["rows"].get(f"{body.get('code')} {body.get('scope')} {body.get('table')}", [])
            }
            if call == "get_info":
                now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000")
                found = {**answers["info"], "head_block_time": now}
            elif call == "get_account":
                found = answers["account"]
            elif call.startswith(("push", "send")):
                with (home / "pushed").open("a") as file:
                    file.write(json.dumps(body) + "\n")
            text = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST  # noqa: N815 (http.server's name)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    ThreadingHTTPServer(("127.0.0.1", int(address.rpartition(":")[2])), Answers).serve_forever()
