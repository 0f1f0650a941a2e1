"""The programs we are measured beside, and the chain of routers to measure over."""

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

PACKAGES = {
    "arp-scan": "arp-scan",
    "fping": "fping",
    "mtr": "mtr-tiny",
    "nmap": "nmap",
    "ping": "iputils-ping",
    "tcpdump": "tcpdump",
    "ip": "iproute2",
    "wrk": "wrk",
}


def install():
    """Installs what is missing as root on Debian, else names it. Returns what is still missing."""
    missing = [name for name in PACKAGES if not shutil.which(name)]
    packages = [PACKAGES[name] for name in missing]
    if packages and os.geteuid() == 0 and Path("/etc/debian_version").exists():
        print("installing:", *packages, flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        subprocess.run(command, check=False, env=environment, **quiet)
        missing = [name for name in PACKAGES if not shutil.which(name)]
    if missing:
        packages = " ".join(PACKAGES[name] for name in missing)
        print(f"not measured beside {', '.join(missing)}: sudo apt-get install -y {packages}")
    return missing


def versions():
    """What the programs call themselves."""
    told = {}
    for name, flag in [("arp-scan", "--version"), ("nmap", "--version"), ("fping", "--version"), ("mtr", "--version"), ("ping", "-V"), ("tcpdump", "--version")]:
        if shutil.which(name):
            ran = subprocess.run([name, flag], capture_output=True, text=True, check=False)
            lines = (ran.stdout or ran.stderr).splitlines()
            told[name] = lines[0] if lines else "unknown"
    return told


@contextmanager
def chain(program, delays, silent=None):
    """A chain of routers: gives the names of its namespaces, source first, and the address of the target."""
    hops = [] if silent is None else ["--silent", str(silent)]
    process = subprocess.Popen(
        [program, *hops, *map(str, delays)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        names = [process.stdout.readline().strip() for _ in range(len(delays) + 1)]
        target = process.stdout.readline().strip()
        if not target:
            raise RuntimeError("the chain of routers could not be built: root, iproute2 and /dev/net/tun are needed")
        # A device that has just come up drops what it is given at first.
        time.sleep(0.5)
        yield names, target
    finally:
        process.stdin.close()
        process.wait()


@contextmanager
def lan(program, hosts, prefix, lost=0):
    """A link with so many hosts: gives the namespace to watch it from, and its network."""
    process = subprocess.Popen(
        [program, str(hosts), str(prefix), str(lost)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        name, network = process.stdout.readline().strip(), process.stdout.readline().strip()
        if not network:
            raise RuntimeError("the link could not be built: root, iproute2 and /dev/net/tun are needed")
        time.sleep(0.5)
        yield name, network
    finally:
        process.stdin.close()
        process.wait()
