"""Messaging and storage: operations of a tool that does nothing, over the in-process bus, and over RabbitMQ,
WebSocket and PostgreSQL."""

import http.client
import json
import os
import signal
import statistics
import subprocess
import time
from pathlib import Path

from measure import Process, Row, memory

PART = "messaging"
SCRIPTS = Path(__file__).resolve().parent.parent.parent / "scripts"


class Services:
    """A private PostgreSQL, syncing its disk, and a private RabbitMQ."""

    def __init__(self):
        names = "$NETWARK_TEST_POSTGRES_URL $NETWARK_TEST_AMQP_URL"
        command = [SCRIPTS / "with-postgres", SCRIPTS / "with-rabbitmq", "sh", "-c", f'echo "{names}"; exec cat']
        environment = {**os.environ, "NETWARK_TEST_FSYNC": "on"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        urls = self.process.stdout.readline().split()
        if len(urls) != 2:
            raise RuntimeError("PostgreSQL or RabbitMQ is not installed")
        self.postgres, self.broker = urls
        self.number = 0

    def database(self):
        """A URL of an empty database."""
        self.number += 1
        name = f"bench{self.number}"
        subprocess.run(
            ["psql", "-q", f"{self.postgres}/postgres", "-c", f"CREATE DATABASE {name}"], check=True
        )
        return f"{self.postgres}/{name}"

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Program(Process):
    """A part of the example program that stays, and the line it prints when it is ready."""

    def __init__(self, at, *arguments):
        command = [at.example("messaging"), *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(command)} ended")
        self.said = json.loads(line)

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def ask(at, said, kind, *arguments):
    """Runs a load to its end and returns what it measured."""
    command = [at.example("messaging"), kind, "--server", said["server"], "--token", said["token"], *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{kind}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def done_in(port, token, number):
    """Milliseconds from the POST of each operation to its `done`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"type": "noop", "target": "nothing", "queues": ["netwark"]})

    def request(method, path, content=None):
        connection.request(method, "/api/v1" + path, content, headers)
        return json.loads(connection.getresponse().read())

    took = []
    for _ in range(number):
        began = time.perf_counter()
        operation = request("POST", "/operations", body)["operation_id"]
        while request("GET", f"/operations/{operation}")["status"] in ("pending", "progress"):
            pass
        took.append((time.perf_counter() - began) * 1e3)
    return took


def sustained(at, case, tool, serve, number, broker=None):
    """Operations a second, and the time of one when nothing else happens."""
    directory = at.scratch / f"messaging-{time.monotonic_ns()}"
    server = Program(at, "serve", "--directory", directory, *serve)
    swarm = None
    try:
        if broker:
            swarm = Program(at, "swarm", "--server", server.said["server"], "--broker", broker, "--directory", directory)
        ask(at, server.said, "load", "--operations", 200, "--at-once", 32)
        before = server.cpu()
        runs = [ask(at, server.said, "load", "--operations", number, "--at-once", 64) for _ in range(at.few)]
        cpu = (server.cpu() - before) / at.few
        rate = statistics.median(run["per_second"] for run in runs)
        wall = statistics.median(run["done_s"] for run in runs)
        yield Row(
            PART, case, tool, len(runs), wall, cpu, server.rss(),
            {"operations": number, "a second": rate, "posted s": statistics.median(run["posted_s"] for run in runs)},
        )
        port = int(server.said["server"].rsplit(":", 1)[1])
        took = done_in(port, server.said["token"], 20 if at.quick else 200)
        numbers = {"median ms": statistics.median(took), "worst ms": max(took)}
        yield Row(PART, f"{case}: POST to done, one by one", tool, len(took), numbers=numbers)
    finally:
        if swarm:
            swarm.stop()
        server.stop()


def fleet(at, services, websockets, amqp, tool, smaller=None):
    """One operation for every worker of many, and what an idle link costs the server: the difference to a smaller
    fleet, given as its size and the server's memory then, so that what the first link brings is not counted."""
    directory = at.scratch / f"fleet-{websockets}"
    serve = ["--database", services.database(), "--broker", services.broker]
    server = Program(
        at, "serve", "--directory", directory, *serve, "--workers", websockets, "--amqp-workers", amqp
    )
    swarm = None
    try:
        arguments = ["--server", server.said["server"], "--broker", services.broker, "--directory", directory]
        swarm = Program(at, "swarm", *arguments)
        time.sleep(5)
        links, idle = websockets + amqp, server.rss()
        numbers = {}
        if smaller:
            numbers["KB a link"] = (idle - smaller[1]) / (links - smaller[0]) / 1e3
        yield Row(PART, f"{websockets} links and {amqp} over the broker, idle", tool, 1, rss=idle, numbers=numbers)
        run = ask(at, server.said, "broadcast", "--rounds", 3 if at.quick else 10)
        if run["results"] != websockets + amqp:
            raise RuntimeError(f"{run['results']} results of {websockets + amqp}")
        took = run["seconds"]
        yield Row(PART, f"one operation for all {links}, every result stored", tool, len(took), statistics.median(took),
                  rss=server.rss(), numbers={"worst s": max(took), "results": run["results"]})
        return links, idle
    finally:
        if swarm:
            swarm.stop()
        server.stop()


def worker_alone(at, tool):
    """Milliseconds from the start of a worker's program until its server has it online, and its memory then: all
    that is resident, most of it pages of the program that the machine may drop, and what is its own."""
    directory = at.scratch / "alone"
    database = f"sqlite://{at.scratch}/alone.db"
    server = Program(at, "serve", "--directory", directory, "--database", database, "--workers", 1)
    try:
        token = json.loads((directory / "workers.json").read_text(encoding="utf-8"))[0]["token"]
        connection = http.client.HTTPConnection("127.0.0.1", int(server.said["server"].rsplit(":", 1)[1]), timeout=30)
        headers = {"Authorization": f"Bearer {server.said['token']}"}

        def is_online():
            connection.request("GET", "/api/v1/workers", headers=headers)
            return json.loads(connection.getresponse().read())[0]["online"]

        took, resident, most, own = [], [], [], []
        for _ in range(at.few):
            environment = {"PATH": os.environ["PATH"], "NETWARK_WORKER_TOKEN": token}
            command = [at.binary, "worker", "--server", server.said["server"], "--data-dir", str(directory / "worker")]
            began = time.perf_counter()
            worker = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
            while not is_online():
                time.sleep(0.001)
            took.append((time.perf_counter() - began) * 1e3)
            time.sleep(5)
            resident.append(memory(worker.pid))
            most.append(memory(worker.pid, "VmHWM"))
            own.append(memory(worker.pid, "RssAnon"))
            worker.terminate()
            worker.wait()
            while is_online():
                time.sleep(0.01)
        numbers = {"online ms": statistics.median(took), "worst ms": max(took)}
        numbers |= {"own MiB": max(own) / 2**20, "at most MiB": max(most) / 2**20}
        yield Row(PART, "a worker alone", tool, len(took), rss=max(resident), numbers=numbers)
    finally:
        server.stop()


def measure(at):
    """The embedded shape first, then the scaled one."""
    number = 1000 if at.quick else 6000
    database = f"sqlite://{at.scratch}/messaging.db"
    yield from sustained(
        at, "embedded: SQLite, in-process", "netwark", ["--database", database, "--embedded"], number
    )
    yield from worker_alone(at, "netwark")
    services = Services()
    try:
        scaled = ["--database", services.database(), "--broker", services.broker, "--amqp-workers", 1]
        yield from sustained(at, "scaled: PostgreSQL, RabbitMQ", "netwark", scaled, number, services.broker)
        smaller = yield from fleet(at, services, 50, 5, "netwark")
        if not at.quick:
            yield from fleet(at, services, 500, 50, "netwark", smaller)
    finally:
        services.stop()
