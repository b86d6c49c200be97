#!/usr/bin/python3
"""An archive (HAR) in the network panel of Chromium, for the documentation: panel.py PORT IN.har URL OUT.png.

PORT is the browser's --remote-debugging-port. Its developer tools are opened in a window, the archive is loaded as by "Import HAR",
the times of URL are shown, and the browser is ended.
"""

import asyncio
import base64
import json
import sys
from pathlib import Path

import websockets

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "captures"))
from devtools import OPEN, TOOLS, Session, ask

SIZE = {"width": 1500, "height": 640}
LOAD = f"""(async () => {{
  const network = await import("{TOOLS}panels/network/network.js");
  const logs = await import("{TOOLS}models/logs/logs.js");
  const panel = network.NetworkPanel.NetworkPanel.instance();
  await panel.networkLogView.onLoadFromFile(new File([ARCHIVE], "capture.har"));
  await new Promise((done) => setTimeout(done, 1500));
  const requests = logs.NetworkLog.NetworkLog.instance().requests();
  await panel.selectAndActivateRequest(requests.find((request) => request.url() === URL), "timing");
  await new Promise((done) => setTimeout(done, 1500));
  return requests.length;
}})()"""


async def main(port, archive, url):
    """A picture of the panel."""
    browser = Session(await websockets.connect(ask(port, "/version")["webSocketDebuggerUrl"], max_size=None))
    window = await browser.call("Target.createTarget", url=f"{TOOLS}devtools_app.html", newWindow=True)
    tools = await browser.attach(window["targetId"])
    await browser.call("Emulation.setDeviceMetricsOverride", tools, deviceScaleFactor=1, mobile=False, **SIZE)
    await asyncio.sleep(3)
    await browser.evaluate(tools, OPEN)
    await browser.evaluate(tools, LOAD.replace("URL", json.dumps(url)).replace("ARCHIVE", json.dumps(archive)))
    picture = await browser.call("Page.captureScreenshot", tools)
    await browser.call("Browser.close")
    return base64.b64decode(picture["data"])


if __name__ == "__main__":
    content = asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="utf-8"), sys.argv[3]))
    Path(sys.argv[4]).write_bytes(content)
