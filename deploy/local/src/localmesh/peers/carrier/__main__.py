"""Runs a carrier in a process of its own."""

from contextlib import AsyncExitStack

from localmesh.peers import command
from localmesh.peers.carrier.doors import Doors


async def _serve(options: command.Options, stack: AsyncExitStack) -> command.Ports:
    doors = Doors(options.data_dir)
    stack.push_async_callback(doors.stop)
    return await doors.start(options.port, options.control_port)


if __name__ == "__main__":
    command.run("localmesh.peers.carrier", _serve)
