"""Read a request's body up to a cap, before anything is believed of it."""

from fastapi import HTTPException, Request

GITHUB_CAP = 25 * 1024 * 1024
"""GitHub's own cap for a payload (its documentation of webhooks)."""

CAP = 1024 * 1024


async def read_body(request: Request, cap: int) -> bytes:
    """The whole body. Raises 413 as soon as it is known to be over `cap` bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > cap:
        raise HTTPException(413, f"The body is over {cap} bytes.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > cap:
            raise HTTPException(413, f"The body is over {cap} bytes.")
    return bytes(body)
