#!/usr/bin/env python3
"""An inventory program with _meta."""

import json

print(
    json.dumps(
        {
            "web": {"hosts": ["web1", "web2"], "vars": {"http_port": 80, "hello": "{{ inventory_hostname }}"}},
            "db": ["db1"],
            "site": {"children": ["web", "db"]},
            "_meta": {"hostvars": {"web1": {"own": [1, {"deep": None}]}, "stranger": {"own": 1}}},
        }
    )
)
