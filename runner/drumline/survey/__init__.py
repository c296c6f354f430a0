"""Looks at files of playbooks, roles and inventories without hosts: what is wrong, odd or missing in them."""
