"""What hosts say of themselves, made into Ansible's facts: each module makes some of them of the same :class:`Said`."""
