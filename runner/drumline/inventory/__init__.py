"""From sources to hosts and groups; patterns; variables, and which definition wins."""
