"""Serves the game on a free port of loopback, which it prints; `main.py openapi` prints the game's OpenAPI document instead."""

import json
import socket
import sys

import uvicorn

from app import app

if sys.argv[1:] == ["openapi"]:
    print(json.dumps(app.openapi(), indent=2))
    sys.exit(0)

# Named as TCP: of a socket that is not, asyncio does not know that small answers must not wait for each other (TCP_NODELAY).
with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    print(listener.getsockname()[1], flush=True)
    # The gateway resolves the client and says it in X-Forwarded-For; its access log says the rest.
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", forwarded_allow_ips="127.0.0.1"))
    server.run(sockets=[listener])
