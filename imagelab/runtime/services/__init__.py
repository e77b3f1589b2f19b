"""Programs that stay: services with a port. nginx answers; redis and mongo hold their port and say so."""

from __future__ import annotations

from imagelab.runtime.process import Program
from imagelab.runtime.services.holders import mongo, redis
from imagelab.runtime.services.nginx import nginx

PROGRAMS: dict[str, Program] = {"nginx": nginx, "redis": redis, "mongo": mongo}
