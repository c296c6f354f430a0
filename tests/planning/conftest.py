"""Playbooks and fleets made by hand."""

from support.planned import inventory, inventory_of, plan, play, task

__all__ = ["inventory", "inventory_of", "plan", "play", "task"]
