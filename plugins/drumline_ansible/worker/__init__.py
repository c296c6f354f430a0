"""What runs in the process that has Ansible: it imports ansible-core, and nothing of drumline."""
