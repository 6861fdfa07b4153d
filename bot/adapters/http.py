"""Asks services over HTTP, with httpx: one limit for the whole answer, a cap on its size, no redirects.

Neither proxies nor credentials of the process's environment are used: an answer is of the address asked.
"""

import asyncio

import httpx

from bot.ports import HttpAnswer, HttpAsk, Unavailable

LARGEST = 1_000_000
"""Bytes of a body that are read."""
_SYSTEM = "the service"


class HttpProber:
    """The `Prober` port; safe to share between threads."""

    def __init__(self, *, largest: int = LARGEST) -> None:
        self._largest = largest

    def ask(self, ask: HttpAsk) -> HttpAnswer:
        try:
            # httpx limits each read, not the sum: a server may drip for ever.
            return asyncio.run(asyncio.wait_for(self._ask(ask), ask.within))
        except TimeoutError as error:
            raise Unavailable(_SYSTEM, f"no whole answer within {ask.within:g} s") from error
        # A port that is none ends in a group of errors inside asyncio.
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup) as error:
            raise Unavailable(_SYSTEM, f"no answer: {error or type(error).__name__}") from error

    async def _ask(self, ask: HttpAsk) -> HttpAnswer:
        headers = {"User-Agent": "slipway", "Accept-Encoding": "identity"}
        if ask.body is not None:
            headers["Content-Type"] = "application/json"
        async with (
            httpx.AsyncClient(timeout=ask.within, trust_env=False, follow_redirects=False) as client,
            client.stream(ask.method, ask.url, content=ask.body, headers=headers) as response,
        ):
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._largest:
                    return HttpAnswer(response.status_code, bytes(body[: self._largest]), cut=True)
            return HttpAnswer(response.status_code, bytes(body))
