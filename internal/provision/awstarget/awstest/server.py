"""Serve moto on a free loopback port until standard input ends."""

import os
import sys
import threading

import botocore
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server


class Quiet(MotoRequestHandler):
    """A request handler that logs nothing."""

    def log(self, *_):
        pass


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
server = make_server(
    "127.0.0.1",
    0,
    DomainDispatcherApplication(create_backend_app),
    threaded=True,
    request_handler=Quiet,
)
print(server.server_port, os.path.dirname(botocore.__file__), flush=True)
server.serve_forever()
