"""Traces over 8 and 16 routers, beside mtr; and 200 traces in one process."""

import json
import subprocess

from measure import in_turn
from peers import chain

PART = "traces"
# One way, in milliseconds: 25 ms there and back over 8 links, 50 over 16.
DELAYS = [0.2, 1, 3, 0.5, 4, 2, 0.3, 1.5]


def hops(expected):
    """Reads a report in the form of `mtr --json`; ours has it too."""

    def read(run):
        try:
            hubs = json.loads(run.out)["report"]["hubs"]
        except (ValueError, KeyError):
            return {}, "failed: " + (run.err or run.out).strip()[:200]
        lost = max((hub["Loss%"] for hub in hubs if hub["host"] != "???"), default=100.0)
        complaint = "" if len(hubs) == expected else f"{len(hubs)} hops instead of {expected}"
        return {"hops": len(hubs), "worst loss %": lost}, complaint

    return read


def pair(at, target, expected, cycles, interval, grace=None):
    """Netwark and mtr with the same work."""
    flags = ["-n", "-c", str(cycles), "-i", str(interval)]
    tools = [("netwark", [at.binary, "mtr", *flags, "--json", target], hops(expected))]
    if at.has("mtr"):
        tools.append(("mtr -n -j", ["mtr", *flags, "-j", target], hops(expected)))
        if grace:
            tools.append((f"mtr -n -j -G {grace}", ["mtr", *flags, "-G", str(grace), "-j", target], hops(expected)))
    return tools


def measure(at):
    """Cycles at several intervals, one cycle, a silent hop, many at once."""
    for count in (8, 16):
        links = (DELAYS * 2)[:count]
        with chain(at.example("chain"), links) as (names, target):
            source = names[0]
            if not at.quick:
                yield from in_turn(PART, f"{count} hops, 10 cycles at 1 s", pair(at, target, count, 10, 1), 1, source)
            yield from in_turn(
                PART, f"{count} hops, 10 cycles at 0.1 s", pair(at, target, count, 10, 0.1, 1), at.few, source
            )
            yield from in_turn(
                PART, f"{count} hops, 10 cycles at 0.02 s", pair(at, target, count, 10, 0.02, 0.1), at.few, source
            )
            yield from in_turn(
                PART, f"{count} hops, one cycle", pair(at, target, count, 1, 0.02, 0.1), at.few, source
            )
        with chain(at.example("chain"), links, silent=4) as (names, target):
            tools = pair(at, target, count, 1, 0.02, 0.1)
            yield from in_turn(PART, f"{count} hops, one cycle, hop 4 silent", tools, at.few, names[0])
    yield from many(at)


def many(at):
    """200 traces to 200 addresses behind the same 8 routers, 10 cycles at 1 s, in one process."""
    traces = 20 if at.quick else 200
    with chain(at.example("chain"), DELAYS) as (names, _):
        targets = [f"10.77.255.{n}" for n in range(1, traces + 1)]
        batch = "".join(f"addr add {address}/32 dev lo\n" for address in targets[1:])
        subprocess.run(["ip", "-n", names[-1], "-batch", "-"], input=batch, text=True, check=True)

        def read(run):
            told = run.out.strip()
            numbers = {"share of a core %": 100 * run.cpu / run.wall}
            if told.startswith("reached "):
                numbers["reached"] = int(told.split()[1])
                numbers["probes lost"] = int(told.rsplit(",", 1)[1].split()[0])
            return numbers, "" if run.code == 0 else run.err.strip()[:200]

        tools = [("netwark, one process", [at.example("trace_many"), "10", "1000", *targets], read)]
        yield from in_turn(PART, f"{traces} traces at once, 8 hops, 10 cycles at 1 s", tools, 1, names[0])
