"""A graph as a drawing: SVG, which every browser shows, and an HTML page around it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise

from drumline.planning.views.graph import Edge, Graph
from drumline.planning.views.layout import LINE, PADDING, Layout, Spot, layout_of

#: Fills of nodes, by play. Dark text is legible on all of them.
_FILLS = ("#dbeafe", "#dcfce7", "#fef9c3", "#fce7f3", "#ede9fe", "#ffedd5", "#cffafe", "#f1f5f9")
_STYLE = """
.drumline text { font: 12px ui-monospace, monospace; fill: #0f172a; }
.drumline text tspan:first-child { font-weight: bold; }
.drumline rect { stroke: #475569; }
.drumline path { fill: none; stroke: #64748b; }
.drumline marker path { fill: #64748b; stroke: none; }
"""


def graph_as_svg(graph: Graph) -> str:
    """The graph as an SVG document."""
    return "\n".join(_svg(graph))


def _svg(graph: Graph) -> Iterator[str]:
    layout = layout_of(graph)
    size = f"{layout.width:.0f} {layout.height:.0f}"
    width, height = size.split()
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drumline" width="{width}" height="{height}" '
        f'viewBox="0 0 {size}" role="img">'
    )
    yield f"<title>What waits for what: {escape(graph.title)}</title>"
    yield f"<style>{_STYLE}</style>"
    yield (
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z"/></marker></defs>'
    )
    yield from (_path(layout, edge) for edge in graph.edges)
    yield from (_node(spot) for spot in layout.spots.values())
    yield "</svg>"


def _path(layout: Layout, edge: Edge) -> str:
    before, after = layout.spots[edge.before], layout.spots[edge.after]
    points = [(before.left + before.width, before.middle)]
    for spot in layout.ways[edge]:
        points += [(spot.left, spot.middle), (spot.left + spot.width, spot.middle)]
    points.append((after.left, after.middle))
    curve = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for number, ((left, top), (right, bottom)) in enumerate(pairwise(points)):
        if number % 2:  # through a column
            curve += f"L{right:.1f} {bottom:.1f}"
        else:
            bend = max(30.0, abs(right - left) / 2)
            curve += f"C{left + bend:.1f} {top:.1f} {right - bend:.1f} {bottom:.1f} {right:.1f} {bottom:.1f}"
    return f'<path data-before="{edge.before}" data-after="{edge.after}" marker-end="url(#arrow)" d="{curve}"/>'


def _node(spot: Spot) -> str:
    node = spot.node
    fill = _FILLS[(node.play or 0) % len(_FILLS)]
    note = f"{node.name}\n{node.note}" if node.note else node.name
    left = spot.left + PADDING
    lines = "".join(
        f'<tspan x="{left:.1f}" y="{spot.top + PADDING / 2 + LINE * (number + 0.75):.1f}">{escape(line)}</tspan>'
        for number, line in enumerate(node.label.split("\n"))
    )
    return (
        f'<g class="node" id="{node.key}"><title>{escape(note)}</title>'
        f'<rect x="{spot.left:.1f}" y="{spot.top:.1f}" width="{spot.width:.1f}" height="{spot.height:.1f}" rx="5" '
        f'fill="{fill}"/><text>{lines}</text></g>'
    )


def graph_as_html(graph: Graph) -> str:
    """A page that needs nothing else: the drawing; a click on a node shows what it waits for, and what waits for it."""
    return _PAGE.format(title=f"What waits for what: {escape(graph.title)}", svg=graph_as_svg(graph))


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ margin: 0; font: 14px system-ui, sans-serif; color: #0f172a; background: #fff; }}
header {{ position: sticky; top: 0; padding: 8px 14px; background: #f8fafc; border-bottom: 1px solid #cbd5e1; }}
input {{ width: 16em; }}
.node {{ cursor: pointer; }}
.some .node:not(.on), .some > path:not(.on) {{ opacity: 0.15; }}
.drumline .node.here rect {{ stroke: #dc2626; stroke-width: 2.5; }}
#said {{ margin-left: 1em; white-space: pre-line; }}
</style>
</head>
<body>
<header>
<label>Find: <input id="find" type="search"></label>
<span id="said">Click on a node to see what it waits for, and what waits for it.</span>
</header>
{svg}
<script>
const drawing = document.querySelector("svg"), said = document.getElementById("said");
const nodes = [...drawing.querySelectorAll(".node")], edges = [...drawing.querySelectorAll("path[data-before]")];
const ways = {{ before: new Map(), after: new Map() }};
for (const edge of edges) {{
  const {{ before, after }} = edge.dataset;
  (ways.after.get(before) ?? ways.after.set(before, []).get(before)).push(after);
  (ways.before.get(after) ?? ways.before.set(after, []).get(after)).push(before);
}}
function reached(start, way) {{
  const found = new Set(start), waiting = [...start];
  while (waiting.length) for (const next of way.get(waiting.pop()) ?? [])
    if (!found.has(next)) {{ found.add(next); waiting.push(next); }}
  return found;
}}
function show(here) {{
  const up = reached(here, ways.before), down = reached(here, ways.after);
  drawing.classList.toggle("some", here.length > 0);
  for (const node of nodes) {{
    node.classList.toggle("on", up.has(node.id) || down.has(node.id));
    node.classList.toggle("here", here.includes(node.id));
  }}
  for (const {{ dataset, classList }} of edges)
    classList.toggle("on", (up.has(dataset.before) && up.has(dataset.after)) ||
      (down.has(dataset.before) && down.has(dataset.after)));
  if (here.length === 1) said.textContent = document.getElementById(here[0]).querySelector("title").textContent +
    ` (waits for ${{up.size - 1}}; ${{down.size - 1}} wait for it)`;
}}
drawing.addEventListener("click", (event) => {{
  const node = event.target.closest(".node");
  show(node ? [node.id] : []);
}});
document.getElementById("find").addEventListener("input", ({{ target }}) => {{
  const word = target.value.trim().toLowerCase();
  show(word ? nodes.filter((node) => node.textContent.toLowerCase().includes(word)).map((node) => node.id) : []);
}});
</script>
</body>
</html>"""
