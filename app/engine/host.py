"""The window's side of one engine process, without Qt: spawn it, send, receive, notice its death, reap it.

Neither sending nor receiving ever blocks the caller: each has a thread of its own. Everything received arrives, in
order, at `on_message` in the receiving thread, and the end of the process, once and last, at `on_end`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue

from app.engine import process, protocol

PATIENCE = 2.0  # seconds in which an engine whose pipe has closed must have ended


class EngineHost:
    """One engine process from spawn to end; `pid` is its number.

    on_message  gets each message, in the receiving thread
    on_end      gets the exit code (negative: the signal that ended it), in the receiving thread
    """

    def __init__(
        self,
        segment: str,
        first_generation: int,
        on_message: Callable[[protocol.Message], None],
        on_end: Callable[[int], None],
    ) -> None:
        self._on_message = on_message
        self._on_end = on_end
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=process.main, args=(theirs, segment, first_generation), name="ringside engine", daemon=True
        )
        self._process.start()
        self.pid = self._process.pid or 0
        theirs.close()
        self._outbox: SimpleQueue[protocol.Command | None] = SimpleQueue()
        self._sender = threading.Thread(target=self._send_all, name="to the engine", daemon=True)
        self._receiver = threading.Thread(target=self._receive_all, name="from the engine", daemon=True)
        self._sender.start()
        self._receiver.start()

    def send(self, command: protocol.Command) -> None:
        """Queue a command; one sent to an engine that has died is lost."""
        self._outbox.put(command)

    def close(self) -> None:
        """End the process, gently if it listens, and both threads. Takes as long as that, 2 s at most."""
        self.send(protocol.Shutdown())
        self._receiver.join(PATIENCE)
        if self._receiver.is_alive():
            with contextlib.suppress(ValueError):  # it ended just now and was reaped
                self._process.kill()
            self._receiver.join()

    def _send_all(self) -> None:
        while (command := self._outbox.get()) is not None:
            try:
                self._connection.send(command)
            except OSError:  # it died: the receiver tells
                return

    def _receive_all(self) -> None:
        connection: Connection = self._connection
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._on_message(connection.recv())
        self._process.join(PATIENCE)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        code = self._process.exitcode or 0
        self._outbox.put(None)
        self._sender.join()
        connection.close()
        self._process.close()
        self._on_end(code)
