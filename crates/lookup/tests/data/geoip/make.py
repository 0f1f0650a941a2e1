#!/usr/bin/env python3
"""Writes the small files in the format of MaxMind that tests read, beside this script.

The data is made up: addresses of documentation (RFC 5737, RFC 3849), of loopback and a few others, put at places
that anybody knows. Script and files are CC0. The format: https://maxmind.github.io/MaxMind-DB/
"""

import ipaddress
import struct
from pathlib import Path

HERE = Path(__file__).parent
BUILT = 1_772_323_200  # 2026-03-01
MARKER = b"\xab\xcd\xefMaxMind.com"


class Float(float):
    """A number of 32 bits."""


class Wide(int):
    """A whole number whose type is wider than it needs: 6 for 32 bits, 9 for 64."""

    def __new__(cls, value, kind):
        made = super().__new__(cls, value)
        made.kind = kind
        return made


class Pointed:
    """Gathers values, each text once: what comes again is a pointer to the first."""

    def __init__(self):
        self.data = bytearray()
        self.texts = {}

    def add(self, value):
        at = len(self.data)
        self.data += self.encoded(value)
        return at

    def encoded(self, value):
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bool):
            return head(14, int(value))
        if isinstance(value, Float):
            return head(15, 4) + struct.pack(">f", value)
        if isinstance(value, float):
            return head(3, 8) + struct.pack(">d", value)
        if isinstance(value, int):
            raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
            kind = value.kind if isinstance(value, Wide) else 5 if len(raw) <= 2 else 6
            return head(kind, len(raw)) + raw
        if isinstance(value, list):
            return head(11, len(value)) + b"".join(self.encoded(entry) for entry in value)
        pairs = b"".join(self.encoded(key) + self.encoded(entry) for key, entry in value.items())
        return head(7, len(value)) + pairs

    def text(self, text):
        raw = text.encode()
        plain = head(2, len(raw)) + raw
        if len(plain) < 4:
            return plain
        # A pointer leads to what stands before it, so the texts of a record are written ahead of it.
        return pointer(self.texts[text]) if text in self.texts else plain

    def learn(self, value):
        if isinstance(value, str) and value not in self.texts:
            raw = value.encode()
            self.texts[value] = len(self.data)
            self.data += head(2, len(raw)) + raw
        elif isinstance(value, list):
            for entry in value:
                self.learn(entry)
        elif isinstance(value, dict):
            for key, entry in value.items():
                self.learn(key)
                self.learn(entry)


def head(kind, size):
    extended = kind > 7
    first = 0 if extended else kind << 5
    if size < 29:
        length, rest = size, b""
    elif size < 285:
        length, rest = 29, bytes([size - 29])
    else:
        length, rest = 30, (size - 285).to_bytes(2, "big")
    return bytes([first | length]) + (bytes([kind - 7]) if extended else b"") + rest


def pointer(to):
    if to < 2048:
        return bytes([0x20 | to >> 8, to & 255])
    to -= 2048
    return bytes([0x28 | to >> 16, to >> 8 & 255, to & 255])


def tree(networks, version, pointed):
    """Nodes as pairs; an entry is the number of a node, nothing, or the place of a record."""
    nodes = [[None, None]]
    records = {}
    for text, record in networks:
        network = ipaddress.ip_network(text)
        bits, length, width = int(network.network_address), network.prefixlen, network.max_prefixlen
        if version == 6 and network.version == 4:
            length, width = length + 96, 128
        key = repr(record)
        if key not in records:
            pointed.learn(record)
            records[key] = ("record", pointed.add(record))
        at = 0
        for depth in range(length - 1):
            bit = bits >> (width - 1 - depth) & 1
            if not isinstance(nodes[at][bit], int):
                # What was said of the wider network stays true beside the narrower one.
                nodes.append([nodes[at][bit]] * 2)
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][bits >> (width - length) & 1] = records[key]
    return nodes


def packed(nodes, size):
    count = len(nodes)

    def number(entry):
        if entry is None:
            return count
        return entry if isinstance(entry, int) else count + 16 + entry[1]

    out = bytearray()
    for left, right in nodes:
        left, right = number(left), number(right)
        if size == 28:
            out += (left & 0xFFFFFF).to_bytes(3, "big")
            out.append((left >> 24) << 4 | right >> 24)
            out += (right & 0xFFFFFF).to_bytes(3, "big")
        else:
            out += left.to_bytes(size // 8, "big") + right.to_bytes(size // 8, "big")
    return bytes(out)


def write(name, kind, networks, version=6, size=28, description="Made-up data for tests"):
    pointed = Pointed()
    nodes = tree(networks, version, pointed)
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": Wide(BUILT, 9),
        "database_type": kind,
        "description": {"en": description},
        "ip_version": version,
        "languages": ["en", "fr"],
        "node_count": Wide(len(nodes), 6),
        "record_size": size,
    }
    plain = Pointed()
    plain.add(metadata)
    (HERE / name).write_bytes(packed(nodes, size) + bytes(16) + bytes(pointed.data) + MARKER + bytes(plain.data))


def nested(city, region, code, country, continent, latitude, longitude, radius=None, **more):
    location = {"latitude": latitude, "longitude": longitude}
    if radius:
        location |= {"accuracy_radius": radius, "time_zone": "Europe/Paris"}
    return {
        "city": {"names": {"fr": f"{city} (fr)", "en": city}},
        "continent": {"code": continent, "names": {"en": {"EU": "Europe", "AS": "Asia"}[continent]}},
        "country": {"geoname_id": 3_017_382, "is_in_european_union": True, "iso_code": code, "names": {"en": country}},
        "location": location,
        "subdivisions": [{"iso_code": "X", "names": {"en": region}}],
        **more,
    }


def system(number, name):
    return {"autonomous_system_number": number, "autonomous_system_organization": name}


LYON = nested("Lyon", "Rhône", "FR", "France", "EU", 45.7485, 4.8467, 20, postal={"code": "69000"})
OSAKA = nested("Osaka", "Osaka", "JP", "Japan", "AS", 34.6937, 135.5022, registered_country={"iso_code": "FR", "names": {"en": "France"}})
BREMEN = nested("Bremen", "Bremen", "DE", "Germany", "EU", 53.0793, 8.8017)
PLACES = [
    ("127.0.0.0/8", LYON),
    ("192.0.2.0/24", LYON),
    ("192.0.2.128/25", OSAKA),
    ("198.51.100.0/24", BREMEN),
    ("203.0.113.0/24", {"country": {"iso_code": "NO", "names": {"en": "Norway"}}}),
    ("2001:db8::/32", BREMEN),
    ("2001:db8:1::/48", OSAKA),
]
SYSTEMS = [
    ("127.0.0.0/8", system(64500, "Example Networks")),
    ("192.0.2.0/24", system(64501, "Lyon Transit")),
    ("198.51.100.0/24", system(4_200_000_000, "Hanse Net")),
    ("2001:db8::/32", system(64501, "Lyon Transit")),
]
FLAT = [
    ("192.0.2.0/24", {"city": "Lyon", "country_code": "FR", "latitude": Float(45.7485), "longitude": Float(4.8467),
                      "postcode": "", "state1": "Rhône", "state2": "", "timezone": ""}),
    ("198.51.100.0/24", {"city": "", "country_code": "DE", "latitude": Float(0), "longitude": Float(0),
                         "postcode": "", "state1": "", "state2": "", "timezone": ""}),
]
ONE_RECORD = [("192.0.2.0/24", {"asn": "AS64502", "as_name": "Flat Net", "country": "France", "country_code": "FR",
                                "continent": "Europe", "continent_code": "EU"})]

write("city.mmdb", "DBIP-City-Lite", PLACES)
write("asn.mmdb", "DBIP-ASN-Lite", SYSTEMS, size=24)
write("city-32.mmdb", "GeoLite2-City", PLACES, size=32)
write("flat-v4.mmdb", "city ipv4", FLAT, version=4, size=24)
write("one.mmdb", "ipinfo generic_lite", ONE_RECORD)
write("v6-only.mmdb", "city ipv6", [("2000::/3", FLAT[0][1]), ("::/3", BREMEN)])
write("domain.mmdb", "GeoIP2-Domain", [("192.0.2.0/24", {"domain": "example.org"})])
