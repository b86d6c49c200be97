#!/usr/bin/python3
"""Load pages in a browser with its developer tools open, and keep the archive (HAR) that they themselves export.

    devtools.py PORT OUT.har URL...

PORT is the browser's --remote-debugging-port. Its own developer tools are opened in a window of their own, attached to the first
page; each URL is loaded there in turn, and at the end the tools' network panel writes what it saw. ``_timing`` of an entry is what the
browser measured (Network.ResourceTiming, ms from requestTime on): the panel's ``connect`` has the lookup in it as well, and its ``wait``
ends when the page is told.
"""

import asyncio
import contextlib
import itertools
import json
import sys
import urllib.request
from pathlib import Path

import websockets

TOOLS = "devtools://devtools/bundled/"
QUIET = 1.5  # seconds without any event before the next page
OPEN = f"""(async () => {{
  const legacy = await import("{TOOLS}ui/legacy/legacy.js");
  await import("{TOOLS}panels/network/network.js");
  await legacy.ViewManager.ViewManager.instance().showView("network");
  const common = await import("{TOOLS}core/common/common.js");
  common.Settings.Settings.instance().moduleSetting("network-log.preserve-log").set(true);
  return true;
}})()"""
EXPORT = f"""(async () => {{
  const har = await import("{TOOLS}models/har/har.js");
  const logs = await import("{TOOLS}models/logs/logs.js");
  const requests = logs.NetworkLog.NetworkLog.instance().requests();
  const log = await har.Log.Log.build(requests, {{sanitize: true}});
  log.entries.forEach((entry, place) => {{ entry._timing = requests[place].timing; }});  // what the browser itself measured
  return JSON.stringify({{log}}, null, 1);
}})()"""


class Session:
    """The DevTools protocol of a browser."""

    def __init__(self, socket):
        self.socket, self.numbers, self.waiting, self.news = socket, itertools.count(1), {}, asyncio.Event()
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message:
                self.waiting.pop(message["id"]).set_result(message)
            else:
                self.news.set()

    async def call(self, method, session=None, **parameters):
        number = next(self.numbers)
        answer = self.waiting[number] = asyncio.get_running_loop().create_future()
        where = {"sessionId": session} if session else {}
        await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters, **where}))
        told = await answer
        if "error" in told or "exceptionDetails" in told.get("result", {}):
            raise RuntimeError(f"{method}: {told}")
        return told["result"]

    async def evaluate(self, session, expression):
        told = await self.call("Runtime.evaluate", session, expression=expression, awaitPromise=True, returnByValue=True)
        return told["result"].get("value")

    async def attach(self, target):
        return (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]

    async def quiet(self):
        with contextlib.suppress(TimeoutError):
            while True:
                await asyncio.wait_for(self.news.wait(), QUIET)
                self.news.clear()


def ask(port, what):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json{what}") as answer:  # the browser of this recipe
        return json.load(answer)


async def main(port, urls):
    browser = Session(await websockets.connect(ask(port, "/version")["webSocketDebuggerUrl"], max_size=None))
    page = next(target["id"] for target in ask(port, "") if target["type"] == "page")
    window = await browser.call(
        "Target.createTarget", url=f"{TOOLS}devtools_app.html?ws=127.0.0.1:{port}/devtools/page/{page}", newWindow=True
    )
    tools, tab = await browser.attach(window["targetId"]), await browser.attach(page)
    await asyncio.sleep(3)
    await browser.evaluate(tools, OPEN)
    await browser.call("Network.enable", tab)  # for the events that tell when a page is through
    await asyncio.sleep(2)
    for url in urls:
        await browser.call("Page.navigate", tab, url=url)
        await browser.quiet()
    archive = await browser.evaluate(tools, EXPORT)
    await browser.call("Browser.close")
    return archive


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(asyncio.run(main(int(sys.argv[1]), sys.argv[3:])), encoding="utf-8")
