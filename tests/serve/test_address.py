from __future__ import annotations

import socket

import pytest

from shoal.errors import SettingError
from shoal.serve.address import base_path, host_warning, listen, ssh_line, url


def test_the_next_free_port_is_taken() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with listen("127.0.0.1", first=port) as next_one:
            assert port < next_one.getsockname()[1] < port + 50
        with pytest.raises(SettingError, match="another program has it"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("no.such.name.invalid", 0, "no such address"),
        ("192.0.2.1", 0, "expected an address of this machine"),
        ("127.0.0.1", 70000, "0 to 65535"),
    ],
)
def test_a_wrong_address_is_refused(host: str, port: int, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        listen(host, port)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_urls_of_ipv6() -> None:
    assert url("::", 8888) == "http://[::1]:8888/"
    assert ssh_line("a", "b", 1, "::1") == "ssh -N -L 1:[::1]:1 a@b"


def test_only_addresses_that_others_reach_are_warned_of() -> None:
    assert host_warning("localhost") is None
    assert "plain HTTP" in str(host_warning("0.0.0.0"))


@pytest.mark.parametrize("wrong", ["a b", "/a/../b", "a?b", "//evil.example//x", "<x>"])
def test_a_base_url_is_a_path(wrong: str) -> None:
    with pytest.raises(SettingError, match="expected a path"):
        base_path(wrong)
