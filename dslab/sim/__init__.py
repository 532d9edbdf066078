"""The simulator: nodes, network, schedule, simulation, trace. Standard library only."""

from .client import Client, ClientReply, ClientRequest
from .errors import (
    BudgetError,
    DeterminismError,
    DslabError,
    MessageError,
    NodeError,
    ScheduleError,
    TraceError,
)
from .message import FrozenDict, FrozenList, Message, message, plain
from .network import Exponential, LogNormal, Network
from .node import Node
from .properties import Violation, World, title, violation
from .simulation import Simulation, check_repeatable, simulate
from .system import System
from .trace import Event, MessageRecord, Trace

__all__ = [
    "BudgetError", "Client", "ClientReply", "ClientRequest", "DeterminismError", "DslabError", "Event", "Exponential",
    "FrozenDict", "FrozenList", "LogNormal", "Message", "MessageError", "MessageRecord", "Network", "Node", "NodeError",
    "ScheduleError", "Simulation", "System", "Trace", "TraceError", "Violation", "World", "check_repeatable", "message",
    "plain", "simulate", "title", "violation",
]
