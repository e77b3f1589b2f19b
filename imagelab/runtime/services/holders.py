"""redis and mongo, as far as a lesson on images needs them: they start, say that they are ready, hold their port, end."""

from __future__ import annotations

from imagelab.runtime.process import FOREVER, SIGNALS, Process, Steps


def redis(p: Process) -> Steps:
    """`redis-server`."""
    p.out("1:M # Server started, Redis version 3.2.5\n")
    p.out("1:M * The server is now ready to accept connections on port 6379\n")
    p.out("1:M * (imagelab: it holds its port and stores nothing)\n")
    return _hold(p, 6379, "1:M # User requested shutdown...\n1:M # Redis is now ready to exit, bye bye...\n")


def mongo(p: Process) -> Steps:
    """`mongod`."""
    p.out("I CONTROL  [initandlisten] MongoDB starting : pid=1 port=27017 dbpath=/data/db\n")
    p.out("I NETWORK  [thread1] waiting for connections on port 27017\n")
    p.out("I CONTROL  [initandlisten] (imagelab: it holds its port and stores nothing)\n")
    return _hold(p, 27017, "I CONTROL  [signalProcessingThread] dbexit:  rc: 0\n")


def _hold(p: Process, port: int, farewell: str) -> Steps:
    if port in p.machine.services:
        return p.complain(f"port {port}: Address already in use")
    p.handled |= {SIGNALS["TERM"], SIGNALS["INT"], SIGNALS["QUIT"]}
    p.machine.services[port] = None
    try:
        while not p.signals:
            yield FOREVER
    finally:
        p.machine.services.pop(port, None)
    p.check()
    p.out(farewell)
    return 0
