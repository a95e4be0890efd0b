"""Where a request would go in → whether this service may call it, by `UPSTREAM_ALLOWED_HOSTS`.

Public addresses are called over https. Private ones and plain http are for the hosts and networks
that the setting names. Link-local and multicast addresses, those of no host and those of clouds'
metadata services are never called, not even when they are named: no model answers there, and a
metadata service hands out credentials to whoever asks.

IPv6 addresses that carry an IPv4 address are judged by the one that they carry. A name is judged
by all addresses that it has, at the moment of connecting: names may change at any other time.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

import httpx2
from django.conf import settings
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput

Address = IPv4Address | IPv6Address

# Besides 169.254.0.0/16 and fe80::/10, which are link-local: AWS, Google, Alibaba, Oracle, Azure.
_METADATA = tuple(
    map(
        ip_network,
        ("fd00:ec2::/32", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    )
)
_NO_HOSTS = tuple(map(ip_network, ("0.0.0.0/8", "240.0.0.0/4", "::")))
_UNICAST = ip_network("2000::/3")
# What carries an IPv4 address in its last bits: mapped and compatible ones, NAT64.
_CARRIERS = tuple(map(ip_network, ("::ffff:0:0/96", "::/96", "64:ff9b::/96")))
_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")
_NUMBER_AT_END = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)\.?$")
_LOOPBACK = ip_address("::1")


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """What is named: hosts with a port or None for every port, and networks."""

    hosts: frozenset[tuple[str, int | None]]
    networks: tuple[IPv4Network | IPv6Network, ...]

    def name(self, host: str, port: int, address: Address | None) -> bool:
        """Whether the host is named, or the address that it has."""
        if not self.hosts.isdisjoint({(host, port), (host, None)}):
            return True
        return address is not None and any(address in network for network in self.networks)


@lru_cache(maxsize=16)
def allowed_hosts(entries: tuple[str, ...]) -> AllowedHosts:
    """The setting's entries, understood. Raises InvalidInput for one that is none."""
    named = [entry for entry in map(str.strip, entries) if entry]
    networks = [entry for entry in named if "/" in entry]
    hosts = [_host_and_port(entry) for entry in named if "/" not in entry]
    return AllowedHosts(frozenset(hosts), tuple(map(_network, networks)))


def check_url(url: httpx2.URL) -> None:
    """Raises InvalidInput, with the sentence for people, unless the URL itself may be called.

    A host that is a name may still turn out to be at an address that may not.
    """
    host, port = _canonical(url.raw_host.decode("ascii")), url.port or _PORTS.get(url.scheme, 80)
    address = _address_of(host)
    if address is not None:
        check_addresses(host, port, [address])
    if url.scheme != "https" and not _allowed().name(host, port, address):
        raise InvalidInput(
            _(
                "The endpoint's URL has to begin with https://. Plain http:// is for hosts that "
                "the variable UPSTREAM_ALLOWED_HOSTS names, such as %(host)s:%(port)d."
            )
            % {"host": bracketed(host), "port": port}
        )


def check_addresses(host: str, port: int, addresses: Iterable[Address]) -> None:
    """Raises InvalidInput unless `host`, which has these addresses, may be connected to."""
    host = _canonical(host)
    for address in map(carried_ipv4, addresses):
        if is_forbidden(address):
            raise InvalidInput(
                _("%(host)s is at an address that no endpoint may have.")
                % {"host": bracketed(host)}
            )
        if not _is_public(address) and not _allowed().name(host, port, address):
            raise InvalidInput(
                _(
                    "%(host)s is at a private address. To be called it has to be named in the "
                    "variable UPSTREAM_ALLOWED_HOSTS, such as %(host)s:%(port)d."
                )
                % {"host": bracketed(host), "port": port}
            )


def is_forbidden(address: Address) -> bool:
    """Whether it is one of those that are never called, whatever the setting names."""
    return (
        address.is_link_local
        or address.is_multicast
        or any(address in network for network in (*_NO_HOSTS, *_METADATA))
    )


def literal(host: str) -> Address | None:
    """The address that `host` is, None for a name."""
    try:
        return ip_address(host.partition("%")[0].strip("[]"))
    except ValueError:
        return None


def carried_ipv4(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.sixtofour is not None:
        return address.sixtofour
    if address != _LOOPBACK and int(address) and any(address in block for block in _CARRIERS):
        return IPv4Address(address.packed[-4:])
    return address


def ascii_host(host: str) -> str:
    """The host as DNS knows it. Raises ValueError unless it is a name or an address.

    An IPv4 address has four decimal numbers: what else looks like one (`0x7f.1`, `2130706433`) is
    read as an address by some and as a name by others.
    """
    try:
        found = httpx2.URL(f"https://{bracketed(host)}/").raw_host.decode("ascii")
    except httpx2.InvalidURL as error:
        raise ValueError(host) from error
    is_name = _NAME.fullmatch(found) and not _NUMBER_AT_END.search(found)
    if "%" in found or not (is_name or literal(found)):
        raise ValueError(host)
    return found


def bracketed(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _is_public(address: Address) -> bool:
    return address.is_global and (address.version == 4 or address in _UNICAST)


def _allowed() -> AllowedHosts:
    return allowed_hosts(tuple(settings.UPSTREAM_ALLOWED_HOSTS))


def _address_of(host: str) -> Address | None:
    """The address that the URL itself names; `localhost` is one by definition (RFC 6761)."""
    if host == "localhost" or host.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    address = literal(host)
    return carried_ipv4(address) if address else None


def _canonical(host: str) -> str:
    """One spelling for each host."""
    address = literal(host)
    return str(address) if address else host.lower().rstrip(".")


def _host_and_port(entry: str) -> tuple[str, int | None]:
    address = literal(entry)
    if address is not None:
        return str(address), None
    try:
        parts = urlsplit(f"//{entry}")
        host, port = ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        raise _not_a_host(entry) from None
    if parts.netloc != entry or "@" in entry:
        raise _not_a_host(entry)
    return _canonical(host), port


def _network(entry: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(entry)
    except ValueError:
        raise _not_a_host(entry) from None


def _not_a_host(entry: str) -> InvalidInput:
    return InvalidInput(
        _(
            "UPSTREAM_ALLOWED_HOSTS holds “%s”. Expected hosts, such as vllm.internal or "
            "localhost:11434, and networks, such as 10.0.0.0/8, separated by commas."
        )
        % entry
    )
