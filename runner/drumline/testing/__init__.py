"""What authors of plugins test with.

The transport contract suite is :mod:`drumline.testing.contract`; it alone needs pytest, so it is imported by name.
"""

from drumline.testing.collect import collect

__all__ = ["collect"]
