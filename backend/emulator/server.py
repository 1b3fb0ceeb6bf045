"""The stand-in venues as one web server on loopback: their protocols, the faults, and the control API."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from aiohttp import web

from . import control, spot_control
from .binance.protocol import Binance
from .binance_spot.protocol import BinanceSpot
from .bingx.protocol import Bingx
from .bybit.protocol import Bybit
from .faults import Fault, FaultKind
from .protocol import Answer, Call, Protocol
from .venue import Venue, wall

DIALECTS: Mapping[str, type[Protocol]] = {
    "binance": Binance,
    "binance-spot": BinanceSpot,
    "bingx": Bingx,
    "bybit": Bybit,
}
CONTROL = "/_control/"
MODULES = (control, spot_control)
"""Importing them is what fills the operations."""
GARBAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"


class Server:
    """All venues at one address; which one is asked is told by the path."""

    def __init__(self, clock: Callable[[], int] = wall) -> None:
        self.protocols = {name: dialect(Venue(name, clock, dialect.habits)) for name, dialect in DIALECTS.items()}
        self.app = web.Application()
        self.app.router.add_route("*", "/{path:.*}", self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if path.startswith(CONTROL):
            return await self._control(request, path)
        body = (await request.read()).decode()
        call = Call(request.method, path, query, body, request.headers, request.host)
        protocol = self._protocol(call)
        if protocol is None:
            return web.json_response({"error": f"No venue speaks {path}."}, status=404)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(request, protocol, call)
        return await self._answer(request, protocol, call)

    def _protocol(self, call: Call) -> Protocol | None:
        """Where two serve a path, as Binance's markets share that of their keys, it is the one that knows the key."""
        serving = [each for each in self.protocols.values() if call.path.startswith(each.paths)]
        knowing = [each for each in serving if each.key_of(call) in each.venue.keys]
        return next(iter([*knowing, *serving]), None)

    async def _stream(self, request: web.Request, protocol: Protocol, call: Call) -> web.StreamResponse:
        if protocol.venue.maintenance:
            return web.Response(status=503)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        await protocol.streams.serve(call, socket)
        return socket

    async def _answer(self, request: web.Request, protocol: Protocol, call: Call) -> web.Response:
        venue = protocol.venue
        venue.asked.append((call.method, call.path, call.params))
        faults = list(venue.faults.of_request(call.method, call.path, call.params, protocol.key_of(call)))
        for fault in faults:
            early = await _before(request, protocol, fault)
            if early is not None:
                return early
        lag = sum(fault.seconds for fault in faults if fault.kind is FaultKind.STALE)
        answer = protocol.answer(replace(call, lag_ms=int(lag * 1000)))
        response = _rendered(answer)
        for fault in faults:
            response = await _after(request, protocol, fault, answer, response)
        return response

    async def _control(self, request: web.Request, path: str) -> web.Response:
        """POST /_control/<venue>/<operation> with a JSON object of arguments; GET tells what there is."""
        if request.method == "GET":
            told = {name: inspect.getdoc(each) or "" for name, each in control.OPERATIONS.items()}
            return web.json_response({"venues": list(self.protocols), "operations": told})
        name, _, operation = path.removeprefix(CONTROL).partition("/")
        try:
            arguments = json.loads(await request.text() or "{}")
            return web.json_response({"result": control.run(self.protocols[name], operation, arguments)})
        except control.Unusable as error:
            return web.json_response({"error": str(error)}, status=400)
        except KeyError as error:
            return web.json_response({"error": f"unknown: {error}"}, status=404)


def _rendered(answer: Answer) -> web.Response:
    body = answer.data if isinstance(answer.data, str) else json.dumps(answer.data, separators=(",", ":"))
    return web.Response(text=body, status=answer.status, headers=answer.headers, content_type="application/json")


async def _before(request: web.Request, protocol: Protocol, fault: Fault) -> web.Response | None:
    """The answer of a fault that keeps the request from being carried out."""
    match fault.kind:
        case FaultKind.DROP_BEFORE:
            return _cut(request)
        case FaultKind.SLOW_BEFORE:
            await asyncio.sleep(fault.seconds)
        case FaultKind.STATUS_BEFORE:
            return _status(protocol, fault)
        case FaultKind.ECHO:
            sent = f"{request.method} {request.path_qs} {dict(request.headers)} {await request.text()}"
            return web.Response(text=sent, status=fault.status)
        case FaultKind.REFUSE:
            return _rendered(protocol.refusal(fault.code, fault.message))
        case FaultKind.RATE_LIMIT:
            return _rendered(protocol.too_many(fault.seconds))
        case FaultKind.BAN:
            protocol.venue.limits.banned_until = protocol.venue.now() + int(fault.seconds * 1000)
    return None


async def _after(
    request: web.Request, protocol: Protocol, fault: Fault, answer: Answer, response: web.Response
) -> web.Response:
    """What a fault makes of the answer to a request that was carried out."""
    match fault.kind:
        case FaultKind.DROP_AFTER:
            return _cut(request)
        case FaultKind.SLOW_AFTER:
            await asyncio.sleep(fault.seconds)
        case FaultKind.STATUS_AFTER:
            return _status(protocol, fault)
        case FaultKind.GARBAGE:
            return web.Response(text=fault.body or GARBAGE, content_type="text/html")
        case FaultKind.TRUNCATED:
            whole = str(response.text)
            return web.Response(text=whole[: len(whole) // 2], content_type="application/json")
        case FaultKind.EMPTY:
            return _rendered(protocol.emptied(answer))
    return response


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _status(protocol: Protocol, fault: Fault) -> web.Response:
    if fault.code or fault.message:
        answer = protocol.refusal(fault.code, fault.message)
        return _rendered(replace(answer, status=fault.status))
    return web.Response(text=fault.body or GARBAGE, status=fault.status, content_type="text/html")
