"""Attribute names of spans and fields of logs, declared once.

Names without our prefix are those of the OpenTelemetry semantic conventions.
"""

APPLICATION = "heliograph.application"
SUBJECT = "heliograph.caller"
REASON = "heliograph.error.reason"
MESSAGE_COUNT = "heliograph.message.count"

RPC_SYSTEM = "rpc.system"
RPC_SERVICE = "rpc.service"
RPC_METHOD = "rpc.method"
RPC_CODE = "rpc.grpc.status_code"

MESSAGING_SYSTEM = "messaging.system"
MESSAGING_DESTINATION = "messaging.destination.name"
MESSAGING_ID = "messaging.message.id"
