// Draws which part of a file reaches which callable. Without script the table below the drawing says the same.
(() => {
  "use strict";
  const place = document.getElementById("calls");
  const data = window.alcaide && window.alcaide.data("calls-data");
  if (!place || !data || !data.nodes.length || !window.cytoscape) return;
  place.hidden = false;
  const color = (name) => window.alcaide.color(name);
  const tone = (level) => ({ critical: "--failed", dangerous: "--failed", high: "--failed", medium: "--unknown", unlisted: "--unknown", allowed: "--passed" })[level] || "--neutral";
  const short = (text) => (text.length <= 34 ? text : `${text.slice(0, 14)}…${text.slice(-18)}`);
  const style = () => [
    { selector: "node", style: { label: "data(short)", shape: "round-rectangle", width: "data(wide)", height: 30, "font-size": 12, "text-valign": "center", color: color("--text"), "background-color": color("--surface"), "border-width": 1.5, "border-color": color("--line-strong") } },
    { selector: "node[kind = 'file']", style: { shape: "cut-rectangle", "background-color": color("--sunken"), "font-weight": 600 } },
    ...["critical", "dangerous", "high", "medium", "unlisted", "allowed"].map((level) => ({ selector: `node[level = '${level}']`, style: { "border-color": color(tone(level)), "border-width": level === "critical" || level === "dangerous" ? 3 : 2, "background-color": color(`${tone(level)}-soft`) } })),
    { selector: "edge", style: { width: 1.5, "line-color": color("--line-strong"), "target-arrow-color": color("--line-strong"), "target-arrow-shape": "triangle", "curve-style": "bezier", label: "data(label)", "font-size": 11, color: color("--muted"), "text-background-color": color("--surface"), "text-background-opacity": 1 } },
  ];
  const cy = window.cytoscape({
    container: place,
    elements: [
      ...data.nodes.map((node) => ({ data: { ...node, short: short(node.label), wide: 24 + 7 * short(node.label).length } })),
      ...data.edges.map((edge, index) => ({ data: { id: `edge ${index}`, source: edge.source, target: edge.target, label: edge.count > 1 ? `${edge.count} times` : "" } })),
    ],
    style: style(),
    minZoom: 0.1, maxZoom: 2,
  });
  const draw = () => {
    const narrow = place.clientWidth < 640;
    cy.resize();
    cy.layout({ name: "dagre", rankDir: narrow ? "TB" : "LR", nodeSep: 10, rankSep: narrow ? 50 : 140, animate: false }).run();
    cy.fit(undefined, 20);
    if (cy.zoom() > 1.2) { cy.zoom(1.2); cy.center(); }
  };
  draw();
  new ResizeObserver(draw).observe(place);
  window.alcaide.onTheme(() => cy.style(style()));
})();
