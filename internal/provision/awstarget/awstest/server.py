"""Serve moto on a free loopback port until standard input ends.

One thread answers one request after the other, for moto does not stand changes at the same time,
and connections stay open. What moto finds out anew for each request and never changes is kept.
"""

import asyncio
import functools
import io
import json
import os
import secrets
import sys
import threading
from urllib.parse import unquote

import botocore
import xmltodict
from moto.core import responses
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY
from moto.elbv2.exceptions import TooManyTagsError
from moto.elbv2.models import ELBv2Backend
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    create_backend_app,
)
from moto.rds.models import MasterUserSecret


class Application(DomainDispatcherApplication):
    """moto's, which looks into its folders for each request."""

    get_backend_for_host = functools.cache(
        DomainDispatcherApplication.get_backend_for_host
    )


responses.method_names_from_class = functools.cache(responses.method_names_from_class)
xmltodict._validate_name = functools.cache(xmltodict._validate_name)
application = Application(create_backend_app)


def credentials(secret):
    """What is in the secret of a cluster's administrator, who has one name and password in moto."""
    return json.dumps(
        {
            "username": secret.resource.master_username,
            "password": secrets.token_urlsafe(24),
        }
    )


MasterUserSecret._generate_secret_string = credentials


def add_tags(self, resource_arns, tags):
    """A resource of load balancing has fifty tags at most; moto stops at ten."""
    new = self.tagging_service.flatten_tag_list(tags)
    for arn in resource_arns:
        if len(self.tagging_service.get_tag_dict_for_resource(arn) | new) > 50:
            raise TooManyTagsError()
        self._get_resource_by_arn(arn)
        self.tagging_service.tag_resource(arn, tags)


ELBv2Backend.add_tags = add_tags


class Connection(asyncio.Protocol):
    """A client: HTTP/1.1 with bodies whose length is said before."""

    def connection_made(self, transport):
        self.transport = transport
        self.received = b""

    def data_received(self, data):
        self.received += data
        while True:
            head, end, rest = self.received.partition(b"\r\n\r\n")
            if not end:
                return
            environ = environment(head.decode("latin-1"))
            length = int(environ.get("CONTENT_LENGTH", 0))
            if len(rest) < length:
                return
            environ["wsgi.input"] = io.BytesIO(rest[:length])
            self.received = rest[length:]
            self.transport.write(answer(environ))


def environment(head):
    """What WSGI wants to know of a request, but for its body."""
    line, *lines = head.split("\r\n")
    method, target, version = line.split(" ")
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": target,
        "RAW_URI": target,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": version,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        PRESERVED_HEADER_NAMES_ENVIRON_KEY: {},
    }
    for line in lines:
        name, _, value = line.partition(":")
        name = name.upper().replace("-", "_")
        if name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            name = "HTTP_" + name
        environ[name] = value.strip()
    return environ


def answer(environ):
    """The bytes of the answer to a request."""
    head = []

    def start(status, headers, _=None):
        head[:] = [f"HTTP/1.1 {status}"]
        head.extend(
            f"{name}: {value}"
            for name, value in headers
            if environ["REQUEST_METHOD"] == "HEAD" or name.lower() != "content-length"
        )

    chunks = application(environ, start)
    body = b"".join(chunks)
    if environ["REQUEST_METHOD"] != "HEAD":
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(port, os.path.dirname(botocore.__file__), flush=True)
    await server.serve_forever()


threading.Thread(target=end_with_parent, daemon=True).start()
asyncio.run(main())
