#!/usr/bin/python3
"""The application behind the web server, for answers that files alone do not give.

    origin.py ADDRESS PORT [--reset-after BYTES]

GET /report   after 80 ms of work, a chunked body in three pieces
POST /orders  reads the body, answers 201 with its size
anything else 404. With --reset-after every GET promises 100,000 bytes, sends fewer and resets.
"""

import argparse
import json
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Origin(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    reset_after = 0

    def do_GET(self):
        if self.reset_after:
            self.break_off()
        elif self.path == "/report":
            time.sleep(0.08)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (b"north 12\n", b"south 7\n", b"east 3\nwest 9\n"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
                time.sleep(0.02)
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_error(404)

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        self.rfile.read(size)
        answer = json.dumps({"order": 4711, "bytes": size}).encode() + b"\n"
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Location", "/orders/4711")
        self.end_headers()
        self.wfile.write(answer)

    def break_off(self):
        """Promise more than is sent, then close with a reset instead of a FIN."""
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(bytes(self.reset_after))
        self.wfile.flush()
        time.sleep(0.1)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *arguments):
        """Say nothing: the capture is the log."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("--reset-after", type=int, default=0)
    options = parser.parse_args()
    Origin.reset_after = options.reset_after
    ThreadingHTTPServer((options.address, options.port), Origin).serve_forever()


if __name__ == "__main__":
    main()
