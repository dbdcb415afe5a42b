"""Who calls, and which applications they may touch: signed tokens, checked in every service."""

from mesh.rpc.auth.identity import ALL, Caller, acting_as, authorize, caller
from mesh.rpc.auth.tokens import mint

__all__ = ["ALL", "Caller", "acting_as", "authorize", "caller", "mint"]
