"""Run asynchronous work to its end from ordinary code, also where an event loop runs already, as in a notebook."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def in_event_loop(work: Coroutine[Any, Any, T]) -> T:
    """T a coroutine to its end, also where a loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    box: list[T | BaseException] = []
    inner: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []

    async def noted() -> T:
        task = asyncio.create_task(work)
        inner.append((asyncio.get_running_loop(), task))
        return await task

    def apart() -> None:
        try:
            box.append(asyncio.run(noted()))
        except BaseException as error:
            box.append(error)

    thread = threading.Thread(target=apart, name="apu-ask")
    thread.start()
    try:
        thread.join()
    except BaseException:  # interrupted: nothing more may be sent
        for loop, task in inner:
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]
