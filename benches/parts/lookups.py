"""Look-ups by themselves, and over HTTP with the load generator on the same machine, beside a route that says "ok"."""

import json
import os
import random
import re
import statistics

from measure import Row, run
from parts.operations import Client, Server

PART = "lookups"
CASE = "over HTTP with a token, 32 connections, wrk beside it"
CONNECTIONS = 32
ALONE = "by themselves, in one thread"
# Files in the format of MaxMind, separated by colons.
FILES = "NETWARK_BENCH_GEOIP"
# Behind the same middleware and the same check of the token, and nothing else to do.
HELLO = "/healthz"
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
SCRIPT = """
local requests = {{}}
init = function()
  for _, path in ipairs({{{paths}}}) do requests[#requests + 1] = wrk.format("GET", path) end
end
local at = 0
request = function()
  at = at % #requests + 1
  return requests[at]
end
"""


def paths():
    """What is asked, by the name of the row: many different questions of each kind."""
    dice = random.Random(1)
    v4 = [".".join(str(dice.randrange(256)) for _ in range(4)) for _ in range(256)]
    v6 = [":".join(f"{dice.randrange(65536):x}" for _ in range(8)) for _ in range(256)]
    mac = [":".join(f"{dice.randrange(256):02x}" for _ in range(6)) for _ in range(256)]
    return {
        "hello (/healthz)": [HELLO],
        "IP calculator, IPv4": [f"/api/v1/ip-calc/{one}/{dice.randrange(8, 33)}" for one in v4],
        "IP calculator, IPv6": [f"/api/v1/ip-calc/{one}/{dice.randrange(16, 129)}" for one in v6],
        "MAC vendor": [f"/api/v1/mac-oui/{one}" for one in mac],
    }


def load(at, server, token, asked, seconds):
    """One run of wrk: requests a second and the 99th percentile in milliseconds."""
    script = at.scratch / "requests.lua"
    script.write_text(SCRIPT.format(paths=", ".join(f'"{path}"' for path in asked)))
    command = [
        "wrk", "--latency", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script),
        "-H", f"Authorization: Bearer {token}", f"http://127.0.0.1:{server.port}",
    ]  # fmt: skip
    ran = run(command)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", ran.out)
    last = re.search(r"99%\s+([\d.]+)(us|ms|s)", ran.out)
    if ran.code != 0 or not rate or not last:
        raise RuntimeError(f"wrk failed: {ran.err or ran.out}")
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", ran.out)
    return float(rate[1]), float(last[1]) * UNITS[last[2]], wrong[0] if wrong else ""


def known(server, token, asked):
    """Whether this version has the route."""
    try:
        Client(server.port, token).ask("GET", asked[0].removeprefix("/api/v1"))
    except RuntimeError as error:
        if "there is no route" in str(error):
            return False
        raise
    return True


def alone(at, tool, command, name):
    """A program that says on each line how long one kind of look-up takes; a row for each."""
    runs = [run(command) for _ in range(at.few)]
    wrong = next((one for one in runs if one.code != 0), None)
    if wrong:
        raise RuntimeError(f"{command[0]} failed: {wrong.err}")
    told = [[json.loads(line) for line in one.out.splitlines()] for one in runs]
    for lines in zip(*told, strict=True):
        numbers = {
            key: statistics.median(line[key] for line in lines)
            for key, value in lines[0].items()
            if isinstance(value, (int, float))
        }
        kind = next((value for value in lines[0].values() if isinstance(value, str)), "")
        yield Row(PART, ALONE, f"{tool} {kind}".strip(), len(runs), numbers=numbers, note=name)


def measure(at):
    """What needs no server first, then every route."""
    yield from alone(at, "MAC vendor", [at.example("vendor_speed")], "")
    yield from alone(at, "WHOIS parsing", [at.example("parse_whois")], "")
    for file in filter(None, os.environ.get(FILES, "").split(":")):
        yield from alone(at, "GeoIP", [at.example("geoip_speed"), file], os.path.basename(file))
    yield from over_http(at)


def over_http(at):
    """Every route in turn, some times over; the ratio is that of the medians."""
    if not at.has("wrk"):
        raise RuntimeError("wrk is missing")
    seconds = 2 if at.quick else 10
    server = Server(at.binary, at.scratch / "lookups")
    try:
        token = server.token()
        asked = {name: some for name, some in paths().items() if some == [HELLO] or known(server, token, some)}
        done = {name: [] for name in asked}
        for name, some in asked.items():
            load(at, server, token, some, 1)
        for _ in range(at.few):
            for name, some in asked.items():
                before = server.cpu()
                one = load(at, server, token, some, seconds)
                done[name].append((*one, (server.cpu() - before) / (one[0] * seconds) * 1e6))
        hello = statistics.median(one[0] for one in done["hello (/healthz)"])
        for name, runs in done.items():
            rate, last, cpu = (statistics.median(one[i] for one in runs) for i in (0, 1, 3))
            numbers = {"requests/s": rate, "p99 ms": last, "us cpu/request": cpu, "of hello": rate / hello}
            note = next((one[2] for one in runs if one[2]), "")
            yield Row(PART, CASE, name, len(runs), rss=server.rss(), numbers=numbers, note=note)
    finally:
        server.stop()
