"""Serve MiniStack on a free loopback port until standard input ends."""

import asyncio
import itertools
import os
import socket
import sys
import threading


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
listening = socket.create_server(("127.0.0.1", 0), backlog=128)
port = listening.getsockname()[1]
os.environ["GATEWAY_PORT"] = str(port)  # read when the package is imported

import botocore
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app
from ministack.services import alb, ecs, rds, secretsmanager


class Container:
    """What MiniStack asks of a container. One whose command is "exit N" does so; any other runs
    until it is stopped."""

    def __init__(self, number, command):
        self.id = f"{number:064x}"
        self.attrs = {"NetworkSettings": {"Networks": {"tests": {"IPAddress": f"192.0.2.{number % 250 + 1}"}}}}
        self.command = command or []
        self.ended = threading.Event()
        if self.command[:1] == ["exit"]:
            self.ended.set()

    @property
    def status(self):
        return "exited" if self.ended.is_set() else "running"

    def reload(self):
        pass

    def wait(self):
        self.ended.wait()
        return {"StatusCode": int(self.command[1]) if self.command[:1] == ["exit"] else 143}

    def logs(self, **_):
        return [(" ".join(self.command) + "\n").encode()]

    def stop(self, **_):
        self.ended.set()

    def remove(self, **_):
        self.ended.set()


class Image:
    id = "sha256:" + "0" * 64

    def tag(self, *_, **__):
        return True


class Docker:
    """The part of Docker's client that MiniStack runs ECS tasks with; no container is real."""

    def __init__(self):
        self.containers = self.images = self
        self.made = {}
        self.numbers = itertools.count(1)

    def run(self, image, command=None, **_):
        container = Container(next(self.numbers), command)
        self.made[container.id] = container
        return container

    def get(self, name):
        return self.made[name]

    def list(self, **_):
        return []

    def pull(self, *_, **__):
        return Image()

    def get_registry_data(self, *_, **__):
        return Image()


ecs._docker = Docker()


def parse_actions(params, prefix="DefaultActions", parse=alb._parse_actions):
    """Keep the weights of forward actions too, which MiniStack forgets."""
    actions = parse(params, prefix)
    for n, action in enumerate(actions, 1):
        forward = f"{prefix}.member.{n}.ForwardConfig."
        sticky = forward + "TargetGroupStickinessConfig."
        groups = []
        while group := alb._p(params, f"{forward}TargetGroups.member.{len(groups) + 1}.TargetGroupArn"):
            groups.append((group, alb._p(params, f"{forward}TargetGroups.member.{len(groups) + 1}.Weight", "1")))
        if groups:
            action["forward"] = groups, alb._p(params, sticky + "Enabled", "false"), alb._p(params, sticky + "DurationSeconds")
    return actions


def action_xml(action, xml=alb._action_xml):
    said = xml(action)
    if "forward" not in action:
        return said
    groups, sticky, seconds = action["forward"]
    tuples = "".join(f"<member><TargetGroupArn>{arn}</TargetGroupArn><Weight>{weight}</Weight></member>" for arn, weight in groups)
    lasting = f"<DurationSeconds>{seconds}</DurationSeconds>" if seconds else ""
    forward = (
        f"<ForwardConfig><TargetGroups>{tuples}</TargetGroups><TargetGroupStickinessConfig>"
        f"<Enabled>{sticky}</Enabled>{lasting}</TargetGroupStickinessConfig></ForwardConfig>"
    )
    return said.replace("</member>", forward + "</member>")


alb._parse_actions, alb._action_xml = parse_actions, action_xml

def update_service(data, update=ecs._update_service):
    """Keep whether tasks are spread over the zones, which MiniStack forgets."""
    name = data.get("service", "").rsplit("/", 1)[-1]
    for service in ecs._services.values():
        if service["serviceName"] == name and "availabilityZoneRebalancing" in data:
            service["availabilityZoneRebalancing"] = data["availabilityZoneRebalancing"]
    return update(data)


ecs._update_service = ecs._ACTION_MAP["UpdateService"] = update_service


def sync_endpoints(cluster, sync=rds._sync_cluster_endpoints):
    """Keep the names of a cluster, which AWS never changes and MiniStack turns into its host's."""
    kept = {name: cluster[name] for name in ("Endpoint", "ReaderEndpoint") if name in cluster}
    sync(cluster)
    cluster.update(kept)


rds._sync_cluster_endpoints = sync_endpoints

exports = {}


def create_cluster(p, create=rds._create_db_cluster_impl):
    """Keep the logs that a cluster exports, which MiniStack forgets."""
    named = (rds._p(p, f"EnableCloudwatchLogsExports.member.{n}") for n in itertools.count(1))
    exports[rds._p(p, "DBClusterIdentifier")] = list(itertools.takewhile(bool, named))
    return create(p)


def cluster_xml(c, xml=rds._cluster_xml):
    logs = "".join(f"<member>{log}</member>" for log in exports.get(c["DBClusterIdentifier"], []))
    return f"{xml(c)}<EnabledCloudwatchLogsExports>{logs}</EnabledCloudwatchLogsExports>"


rds._create_db_cluster_impl, rds._cluster_xml = create_cluster, cluster_xml



def create_secret(data, create=secretsmanager._create_secret):
    """Give the first version the id that was asked for, which MiniStack forgets."""
    taken = data["Name"] in secretsmanager._secrets
    answer = create(data)
    if not taken and "ClientRequestToken" in data:
        secret = secretsmanager._secrets[data["Name"]]
        secret["Versions"] = {data["ClientRequestToken"]: v for v in secret["Versions"].values()}
    return answer


secretsmanager._create_secret = create_secret

config = Config()
config.bind = [f"fd://{listening.fileno()}"]
config.loglevel = "ERROR"
print(port, os.path.dirname(botocore.__file__), flush=True)
asyncio.run(serve(app, config))
