"""A minimal Tornado server as a process of its own: the baseline for all request benchmarks."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator

import tornado.web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets


class Hello(tornado.web.RequestHandler):
    def get(self) -> None:
        self.finish({"hello": "world"})


@contextlib.contextmanager
def hello() -> Iterator[str]:
    """Run the server; yields its URL."""
    with subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.terminate()


async def serve() -> None:
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(tornado.web.Application([("/", Hello)])).add_sockets(sockets)
    print(f"http://127.0.0.1:{sockets[0].getsockname()[1]}/", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
