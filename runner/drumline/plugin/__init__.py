"""The public plugin API: everything that a plugin of drumline may import, and all that it needs.

Hooks are described in :mod:`drumline.plugin.spec`. What they return is in modules by its kind: ``transports``,
``actions``, ``sources``, ``templates``, ``commands``; for those who follow runs in ``runs``, ``events``, ``history``.
"""

from drumline.diagnostics import Diagnostic, Diagnostics, Position, did_you_mean
from drumline.errors import (
    AuthenticationFailed,
    CertificateInvalid,
    CommandRefused,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimedOut,
    DrumlineError,
    FilesError,
    HostError,
    HostKeyChanged,
    HostKeyUnknown,
    NameNotResolved,
    OptionInvalid,
    PackageMissing,
    PluginError,
    QuotaExceeded,
    SessionLimit,
    TransferFailed,
    TransferStopped,
    UsageError,
)
from drumline.model.outcome import Approval, ClockReading, Completed, Ending, Exit, Result
from drumline.model.request import (
    Ask,
    Become,
    Get,
    Language,
    Put,
    ReadClock,
    Reconnect,
    Request,
    Run,
    Sleep,
    Waiting,
)
from drumline.model.target import Option, Platform, Target
from drumline.model.traits import ApprovalArguments, Effect, Sets, Shows, Traits, WaitArguments
from drumline.plugin.actions import Action, ActionFailed, ActionSpec, Argument, Call, NeededFile, Steps, Written
from drumline.plugin.commands import CommandContext, CommandSpec, Setting
from drumline.plugin.hooks import Hooks
from drumline.plugin.hostpath import HostPath
from drumline.plugin.modes import Mode
from drumline.plugin.registry import Registry
from drumline.plugin.sources import HostVariables, InventorySource, SourceData
from drumline.plugin.spec import hookimpl, hookspec
from drumline.plugin.templates import LookupCall, SecretStore, SecretUnavailable, TemplateFunction
from drumline.plugin.times import Duration, Moment
from drumline.plugin.traits import Costs, TransportTraits
from drumline.plugin.transports import Connection, Emit, Session, Staged, StagingSession, Stream, Transport
from drumline.secret import Secret

__all__ = [
    "Action",
    "ActionFailed",
    "ActionSpec",
    "Approval",
    "ApprovalArguments",
    "Argument",
    "Ask",
    "AuthenticationFailed",
    "Become",
    "Call",
    "CertificateInvalid",
    "ClockReading",
    "CommandContext",
    "CommandRefused",
    "CommandSpec",
    "Completed",
    "ConnectTimedOut",
    "Connection",
    "ConnectionLost",
    "ConnectionRefused",
    "Costs",
    "Diagnostic",
    "Diagnostics",
    "DrumlineError",
    "Duration",
    "Effect",
    "Emit",
    "Ending",
    "Exit",
    "FilesError",
    "Get",
    "Hooks",
    "HostError",
    "HostKeyChanged",
    "HostKeyUnknown",
    "HostPath",
    "HostVariables",
    "InventorySource",
    "Language",
    "LookupCall",
    "Mode",
    "Moment",
    "NameNotResolved",
    "NeededFile",
    "Option",
    "OptionInvalid",
    "PackageMissing",
    "Platform",
    "PluginError",
    "Position",
    "Put",
    "QuotaExceeded",
    "ReadClock",
    "Reconnect",
    "Registry",
    "Request",
    "Result",
    "Run",
    "Secret",
    "SecretStore",
    "SecretUnavailable",
    "Session",
    "SessionLimit",
    "Sets",
    "Setting",
    "Shows",
    "Sleep",
    "SourceData",
    "Staged",
    "StagingSession",
    "Steps",
    "Stream",
    "Target",
    "TemplateFunction",
    "Traits",
    "TransferFailed",
    "TransferStopped",
    "Transport",
    "TransportTraits",
    "UsageError",
    "WaitArguments",
    "Waiting",
    "Written",
    "did_you_mean",
    "hookimpl",
    "hookspec",
]
