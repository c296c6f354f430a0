"""drumline: push playbooks to Windows and Linux fleets in waves, over warm connections.

The public surface for plugin authors is :mod:`drumline.plugin`, and :mod:`drumline.testing` for their tests.
"""

__version__ = "0.1.0"
