#!/usr/bin/env python3
"""A hostile network against the network side alone (tests/nethost).

usage: net_attack_test.py BUILD [CASE...]"""
import sys
from concurrent.futures import ThreadPoolExecutor

from net_attacks import QUICK, attack, greedy_address, stalled
from net_peer import NetHost


def run(cases):
    with NetHost(sys.argv[1]) as net:
        attack(net, cases, sys.argv[2:])
        assert net.resident_kb() < 40000, net.resident_kb()
        net.stop()


# The second group does little but wait.
with ThreadPoolExecutor() as pool:
    list(pool.map(run, (QUICK + (stalled,), (greedy_address,))))
