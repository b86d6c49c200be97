#!/usr/bin/python3
"""Write the files of the web site that the laboratory's server serves: site.py FOLDER."""

import random
import struct
import sys
import zlib
from pathlib import Path

HOME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Example Weather</title>
<link rel="icon" href="/logo.svg">
<link rel="stylesheet" href="/style.css">
<script src="https://static.example.net/app.js" defer></script>
</head><body>
<h1><img src="/logo.svg" alt="" width="32" height="32"> Example Weather</h1>
<p>Today over the harbour: fair, a light breeze from the west.</p>
<img src="/map.png" alt="map" width="96" height="96">
<img src="https://static.example.net/radar.png" alt="radar" width="128" height="128">
<ul id="towns"></ul>
<p><a href="/about.html">About</a></p>
</body></html>
"""
ABOUT = "<!doctype html>\n<title>About</title>\n<p>Weather for places that do not exist.</p>\n"
STYLE = "".join(f".wind-{n} {{ transform: rotate({n * 10}deg); color: hsl({n * 10}, 60%, 40%); }}\n" for n in range(36))
SCRIPT = """fetch("https://api.example.net/towns.json")
  .then((answer) => answer.json())
  .then((towns) => {
    const list = document.getElementById("towns");
    for (const town of towns) {
      const item = document.createElement("li");
      item.textContent = `${town.name}: ${town.degrees} degrees`;
      list.append(item);
    }
  });
"""
TOWNS = "[" + ",\n".join(f'{{"name": "Town {n}", "degrees": {5 + n % 17}}}' for n in range(40)) + "]\n"
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="3" fill="#fb0"/></svg>\n'


def png(side, source):
    """A square of noise: it does not compress, as photographs do not."""
    rows = b"".join(b"\0" + source.randbytes(3 * side) for _ in range(side))
    chunks = (
        (b"IHDR", struct.pack("!IIBBBBB", side, side, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def main(folder):
    source = random.Random(1)
    folder.mkdir(parents=True)
    texts = {
        "index.html": HOME,
        "about.html": ABOUT,
        "style.css": STYLE,
        "app.js": SCRIPT,
        "towns.json": TOWNS,
        "logo.svg": LOGO,
        "small.html": "<!doctype html>\n<title>Small</title>\n<p>It is raining.</p>\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "map.png").write_bytes(png(96, source))
    (folder / "radar.png").write_bytes(png(128, source))
    (folder / "200k.bin").write_bytes(source.randbytes(200_000))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
