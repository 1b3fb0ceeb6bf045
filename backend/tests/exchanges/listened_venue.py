"""A server that takes any venue's websocket, lets everybody in, and remembers what it was asked for."""

from __future__ import annotations

import json
from typing import Any, Self

from aiohttp import web


class ListenedVenue:
    def __init__(self) -> None:
        self.hosts: set[str] = set()
        self.asked: list[Any] = []
        self.sockets: dict[str, web.WebSocketResponse] = {}
        """By the channel that was subscribed to, where there are channels."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.json_response({"listenKey": "k" * 64, "error": [], "result": {"token": "t", "expires": 900}})
        self.hosts.add(request.host.partition(":")[0])
        self.asked.append(request.path)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await self._hear(socket, json.loads(message.data))
        return socket

    async def _hear(self, socket: web.WebSocketResponse, said: dict[str, Any]) -> None:
        self.asked.append(said)
        if said.get("op") == "subscribe":
            self.sockets |= {topic["channel"]: socket for topic in said["args"] if isinstance(topic, dict)}
        if said.get("op") == "login":
            await socket.send_json({"event": "login", "code": "0"})
        elif said.get("op") == "auth":
            await socket.send_json({"success": True, "ret_msg": "", "op": "auth", "conn_id": "1"})
        elif str(said.get("method")).startswith("userDataStream"):
            await socket.send_json({"id": said["id"], "status": 200, "result": {"subscriptionId": 0}})
        elif said.get("event") == "challenge":
            await socket.send_json({"event": "challenge", "message": "226aee50-88fc-4618-a42a-34f7709570b2"})

    @property
    def channels(self) -> set[str]:
        """Whatever was subscribed to, in the venue's words; paths of sockets that tell everything by themselves."""
        found: set[str] = {each for each in self.asked if isinstance(each, str)}
        for said in self.asked:
            if isinstance(said, dict) and "subscribe" in (said.get("op"), said.get("event")):
                for topic in said.get("args") or [said]:
                    found.add(topic if isinstance(topic, str) else topic.get("channel") or topic["feed"])
            elif isinstance(said, dict) and "subscribe" in str(said.get("method")):
                found.add(said["params"].get("channel") or said["method"])
        return found
