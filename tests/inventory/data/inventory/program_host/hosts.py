#!/usr/bin/env python3
"""An inventory program without _meta, which is asked for each host."""

import json
import sys

if sys.argv[1] == "--list":
    print(json.dumps({"web": {"hosts": ["web1", "web2"]}}))
elif sys.argv[2] == "web1":
    print(json.dumps({"own": sys.argv[2]}))
