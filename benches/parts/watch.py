"""Who is there on a link: sweeps beside arp-scan and nmap."""

import json
import re

from measure import in_turn
from peers import lan

PART = "who is there"
# What both nmap and arp-scan print of a host on a line of its own.
ADDRESS = re.compile(r"^(?:Nmap scan report for )?(10\.88\.\d+\.\d+)\b", re.M)
OWN = "10.88.0.1"


def complaint(found, hosts):
    return "" if found == hosts else f"{found} of {hosts} hosts"


def ours(hosts):
    """Reads our JSON."""

    def read(run):
        try:
            outcome = json.loads(run.out)
        except ValueError:
            return {}, "failed: " + (run.err or run.out).strip()[:200]
        found = sum(1 for host in outcome["hosts"] if not host.get("own"))
        return {"found": found, "packets": outcome["sent"], "found after ms": outcome["found_ms"]}, complaint(
            found, hosts
        )

    return read


def listed(hosts):
    """Counts the addresses that a peer lists."""

    def read(run):
        found = len({address for address in ADDRESS.findall(run.out) if address != OWN})
        return {"found": found}, complaint(found, hosts)

    return read


def tools(at, network, hosts, rate, slow):
    """The same network for everybody, each at full rate and as it comes."""
    full = ["-n", "--json", "-r", str(rate), "--share", "100", "-W", "0.1", network]
    rows = [
        ("netwark, full rate", [at.binary, "sweep", *full], ours(hosts)),
        ("netwark, one try", [at.binary, "sweep", "-t", "1", *full], ours(hosts)),
    ]
    if not slow:
        rows.append(("netwark, as it comes", [at.binary, "sweep", "-n", "--json", network], ours(hosts)))
    if at.has("arp-scan"):
        flags = ["arp-scan", "-I", "eth0", "-q", "-x", "-B", "100M"]
        rows.append(("arp-scan -B 100M", [*flags, network], listed(hosts)))
        rows.append(("arp-scan -B 100M -r 1", [*flags, "-r", "1", network], listed(hosts)))
    if at.has("nmap") and (not slow or at.slow):
        rows.append(("nmap -sn -n", ["nmap", "-sn", "-n", network], listed(hosts)))
    return rows


def measure(at):
    """A /24, a /20 and a /16, then names with a resolver that does not answer, then loss."""
    for hosts, prefix in [(250, 24)] if at.quick else [(250, 24), (1_000, 20), (5_000, 16)]:
        with lan(at.example("lan"), hosts, prefix) as (name, network):
            slow = prefix < 24
            case = f"/{prefix}, {hosts:,} hosts"
            yield from in_turn(PART, case, tools(at, network, hosts, 300_000, slow), at.few, name)
    with lan(at.example("lan"), 250, 24) as (name, network):
        # There is no way to any resolver from this namespace.
        named = [("netwark, with names", [at.binary, "sweep", "--json", "-r", "20000", network], ours(250))]
        yield from in_turn(PART, "/24, 250 hosts, names, dead resolver", named, at.few, name)
    with lan(at.example("lan"), 250, 24, 50) as (name, network):
        lossy = [("netwark, 4 tries", [at.binary, "sweep", "-n", "--json", "-t", "4", network], ours(250))]
        yield from in_turn(PART, "/24, 250 hosts, 5 % lost", lossy, at.few, name)
