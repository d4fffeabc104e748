"""A headless Chromium, spoken to by its DevTools protocol over two pipes."""

import asyncio
import base64
import contextlib
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mojito.chromium import find_chromium

START_SECONDS = 180
LONGEST_MESSAGE = 2**26
# nothing but loopback has an address, so that no page works by luck of a network
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
]
# the protocol is spoken over the descriptors 3 and 4
_MOVED = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null'
_WATCHED = ("Page", "Network", "Runtime", "Log")


_NO_PAGE_YET = (
    "Cannot find default execution context",
    "Execution context was destroyed.",
    "Inspected target navigated or closed",
)


class NoPageYet(AssertionError):
    """What was asked for between one document and the next."""


class Answer(NamedTuple):
    """What a page gets instead of what the server would answer."""

    content_type: str
    body: str
    status: int = 200


class Page:
    """One page, and everything that it did since it was opened."""

    def __init__(self, browser: "Browser", session: str, answers: Mapping[str, Answer]) -> None:
        self._browser = browser
        self._session = session
        self._answers = answers
        self.events: list[dict[str, Any]] = []
        self._answering: set[asyncio.Task[Any]] = set()

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a command for this page."""
        return await self._browser.call(method, self._session, **params)

    async def open(self, url: str, *, width: int, height: int, mobile: bool) -> None:
        """Begins to load; what it does is kept from here on."""
        for domain in _WATCHED:
            await self.call(f"{domain}.enable")
        if self._answers:
            patterns = [{"urlPattern": pattern} for pattern in self._answers]
            await self.call("Fetch.enable", patterns=patterns)
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )
        await self.call("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """What an expression is in the page. Raises AssertionError when it throws there."""
        told = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def holds(self, expression: str) -> bool:
        """Whether an expression is true in the page; while there is none, it is not."""
        try:
            return await self.value(f"Boolean({expression})")
        except NoPageYet:
            return False

    async def picture(self, path: Path) -> None:
        """Keeps what can be seen of it."""
        told = await self.call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(told["data"]))

    @property
    def requests(self) -> list[str]:
        """Every address that it asked for, answered or not."""
        return [event["request"]["url"] for event in self._of("Network.requestWillBeSent")]

    @property
    def complaints(self) -> list[str]:
        """Exceptions, and what stands in the console as warning or error."""
        thrown = [event["exceptionDetails"] for event in self._of("Runtime.exceptionThrown")]
        said = [e for e in self._of("Runtime.consoleAPICalled") if e["type"] in _BAD]
        entries = [event["entry"] for event in self._of("Log.entryAdded")]
        return [
            *(str(one.get("exception", {}).get("description", one["text"])) for one in thrown),
            *(" ".join(str(part.get("value")) for part in one["args"]) for one in said),
            *(f"{one['text']} {one.get('url', '')}" for one in entries if one["level"] in _BAD),
        ]

    def heard(self, method: str, params: dict[str, Any]) -> None:
        """Keeps an event; one that waits for an answer gets it."""
        self.events.append({"method": method, **params})
        if method == "Fetch.requestPaused":
            task = asyncio.create_task(self._answer(params))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, paused: dict[str, Any]) -> None:
        url = paused["request"]["url"]
        answer = next(
            a for pattern, a in self._answers.items() if url.endswith(pattern.lstrip("*"))
        )
        await self.call(
            "Fetch.fulfillRequest",
            requestId=paused["requestId"],
            responseCode=answer.status,
            responseHeaders=[{"name": "Content-Type", "value": answer.content_type}],
            body=base64.b64encode(answer.body.encode()).decode(),
        )

    def _of(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["method"] == method]


_BAD = ("warning", "error", "assert")


class Browser:
    """A Chromium process."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._last_id = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}

    async def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """The answer to a command. Raises AssertionError when it is refused or never answered."""
        self._last_id += 1
        number = self._last_id
        message = {"id": number, "method": method, "params": params}
        answered = self._waiting[number] = asyncio.get_running_loop().create_future()
        sent = message if session is None else {**message, "sessionId": session}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(sent).encode() + b"\0")
        async with asyncio.timeout(START_SECONDS):
            told = await answered
        if told.get("error", {}).get("message") in _NO_PAGE_YET:
            raise NoPageYet(told["error"]["message"])
        assert "error" not in told, f"{method}: {told['error']}"
        return told["result"]

    @contextlib.asynccontextmanager
    async def page(self, answers: Mapping[str, Answer] | None = None) -> AsyncGenerator[Page]:
        """A fresh page without history and store; some addresses may be answered from here."""
        context = (await self.call("Target.createBrowserContext"))["browserContextId"]
        made = await self.call("Target.createTarget", url="about:blank", browserContextId=context)
        told = await self.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        session = told["sessionId"]
        page = self._pages[session] = Page(self, session, answers or {})
        try:
            yield page
        finally:
            await self.call("Target.disposeBrowserContext", browserContextId=context)
            del self._pages[session]

    async def listen(self) -> None:
        """Hands out what the browser says, until it ends."""
        assert self._process.stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                raw = await self._process.stdout.readuntil(b"\0")
                self._heard(json.loads(raw[:-1]))
        for waiting in self._waiting.values():
            waiting.set_exception(AssertionError(f"Chromium ended:\n{self._log.read_text()}"))

    def _heard(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._waiting.pop(message["id"]).set_result(message)
        elif (page := self._pages.get(message.get("sessionId", ""))) is not None:
            page.heard(message["method"], message["params"])


@contextlib.asynccontextmanager
async def started(folder: Path) -> AsyncGenerator[Browser]:
    """A browser with a profile of its own, gone at the end."""
    log = folder / "chromium.log"
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            *(
                "sh",
                "-c",
                _MOVED,
                find_chromium(),
                *FLAGS,
                f"--user-data-dir={folder / 'profile'}",
            ),
            stdin=PIPE,
            stdout=PIPE,
            stderr=written,
            limit=LONGEST_MESSAGE,
        )
    browser = Browser(process, log)
    listening = asyncio.create_task(browser.listen())
    try:
        yield browser
    finally:
        if process.returncode is None:
            await browser.call("Browser.close")
        await process.wait()
        await listening
