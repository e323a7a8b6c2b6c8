"""A real browser, driven over its DevTools protocol: Debian's package `chromium`, without a window."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from support.retry import poll
from support.tasks import end

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = "" if PROGRAM else "there is no chromium: apt-get install chromium"
"""Why no browser can be had; empty if one can."""
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip
START_SECONDS = 60.0
ANSWER_SECONDS = 60.0


class Browser:
    """One page in one browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.said: list[str] = []
        """Errors and warnings of the console, exceptions, and violations of the content-security policy."""
        self.asked: list[str] = []
        """URLs that the page asked for."""

    async def listen(self) -> None:
        """Takes what the browser sends, until it ends."""
        async for message in self._socket:
            content = message.json()
            if "id" in content:
                answer = self._answers.pop(content["id"])
                if not answer.done():  # nobody waits for it any more
                    answer.set_result(content)
            else:
                self._note(content["method"], content["params"])

    def _note(self, method: str, what: dict[str, Any]) -> None:
        if method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            self.said.append(f"console: {[one.get('value') or one.get('description') for one in what['args']]}")
        elif method == "Runtime.exceptionThrown":
            details = what["exceptionDetails"]
            self.said.append(f"exception: {details.get('exception', {}).get('description') or details['text']}")
        elif method == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.said.append(f"log: {what['entry']['text']} {what['entry'].get('url', '')}")
        elif method == "Audits.issueAdded":
            self.said.append(f"issue: {what['issue']}")
        elif method == "Network.requestWillBeSent":
            self.asked.append(what["request"]["url"])

    async def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its result."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWER_SECONDS):
            content = await answer
        assert "error" not in content, f"{method}: {content['error']}"
        result: dict[str, Any] = content["result"]
        return result

    async def open(self, url: str) -> None:
        """Goes there, and waits until the page has drawn a state."""
        await self.do("Page.navigate", url=url)
        await self.until("document.body?.classList.contains('known')")

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression on the page; a promise's when it is kept."""
        found = await self.do("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, expression: str, seconds: float = 30.0) -> None:
        """Returns once the expression is true on the page."""

        async def is_so() -> bool:
            return bool(await self.evaluate(f"!!({expression})"))

        await poll(is_so, what=expression, deadline=seconds)

    async def text(self, selector: str) -> str:
        """What an element says."""
        return str(await self.evaluate(f"document.querySelector({selector!r}).innerText"))

    async def look(self, width: int, height: int = 900, *, dark: bool = False, calm: bool = True) -> None:
        """Has a screen of that size, a colour scheme, and a wish for little movement or none."""
        await self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"},
        ]
        await self.do("Emulation.setEmulatedMedia", features=features)

    async def picture(self, path: Path) -> None:
        """The whole page as PNG."""
        found = await self.do("Page.captureScreenshot", captureBeyondViewport=True)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(found["data"]))

    async def press(self, key: str, code: int) -> None:
        """A key, down and up."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            await self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    """A browser with a profile in that folder, for the block."""
    assert PROGRAM
    process = await asyncio.create_subprocess_exec(
        PROGRAM, *FLAGS, f"--user-data-dir={folder}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session:
            url = await _page(session, folder / "DevToolsActivePort")
            async with session.ws_connect(url, max_msg_size=0) as socket:
                found = Browser(socket)
                listening = asyncio.create_task(found.listen())
                for domain in ("Page", "Runtime", "Log", "Network", "Audits", "Accessibility", "DOM"):
                    await found.do(f"{domain}.enable")
                try:
                    yield found
                finally:
                    with suppress(ConnectionError):
                        await found.do("Browser.close")
                    await end(listening)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
        await process.wait()


async def _page(session: aiohttp.ClientSession, file: Path) -> str:
    """The address of the first page's socket."""

    async def found() -> str:
        if not file.exists():
            return ""
        port = file.read_text().split("\n")[0]
        with suppress(aiohttp.ClientError):
            async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
                pages = [one for one in await response.json() if one["type"] == "page"]
                return str(pages[0]["webSocketDebuggerUrl"]) if pages else ""
        return ""

    return await poll(found, what="chromium to start", deadline=START_SECONDS)
