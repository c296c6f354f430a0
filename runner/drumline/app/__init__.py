"""The composition root: the one place that wires loading, planning, execution, journal and reports together."""

from drumline.app.prepared import Prepared, plan_of, shuffled
from drumline.app.preparing import prepare, written_plays
from drumline.app.project import inventory_of, registry

__all__ = ["Prepared", "inventory_of", "plan_of", "prepare", "registry", "shuffled", "written_plays"]
