// Draws a system from the JSON block of the page. Without script the tables of the page say the same.
(() => {
  "use strict";
  const block = document.getElementById("graph-data");
  if (!block || !window.cytoscape || !window.dagre) return;
  const drawing = JSON.parse(block.textContent);
  const place = document.getElementById("graph");
  const canvas = document.getElementById("graph-canvas");
  const stage = document.getElementById("graph-stage");
  const card = document.getElementById("graph-card");
  const said = document.getElementById("graph-said");
  place.hidden = false;
  stage.style.height = "100%";
  Object.assign(card.style, { position: "absolute", top: "10px", right: "10px", maxWidth: "min(300px, calc(100% - 20px))", zIndex: 5, overflowWrap: "anywhere" });

  const flowsView = drawing.view === "flows";
  const narrow = () => canvas.clientWidth < 640;
  const CELL = { w: 178, h: 48 };
  const CLOSED = { w: 178, h: 64 };
  const HEAD = 26;
  const TONES = ["model", "dataset", "prompt", "agent", "tool", "tool-server", "vector-store", "guardrail"];
  const ICONS = {
    model: "brain", dataset: "database", prompt: "message-2", agent: "robot", tool: "tool", "tool-server": "server-2",
    "vector-store": "vector-triangle", service: "cloud", guardrail: "shield-half", party: "building",
  };
  // Kinds differ in shape too: colour alone would leave out those who do not see it.
  const SHAPES = {
    dataset: "barrel", "vector-store": "barrel", agent: "round-hexagon", service: "round-octagon", guardrail: "cut-rectangle",
    prompt: "round-tag", tool: "bottom-round-rectangle", "tool-server": "rectangle",
  };
  const TEXT_FROM = 46; // where the label begins, right of the icon
  const WORDS = { classified: "classified", internal: "internal", public: "public", unstated: "not stated" };

  const nodes = new Map(drawing.nodes.map((node) => [node.id, node]));
  const groups = new Map(drawing.groups.map((group) => [group.kind, group]));
  const closed = new Set(drawing.closed);
  const icons = new Map();
  let cy = null;
  let chosen = "";
  let across = true;

  // ── from the register's nodes and arrows to what is shown now ─────────────────────────────────────────────

  const shownAs = (id) => {
    const node = nodes.get(id);
    return closed.has(node.kind) ? `kind ${node.kind}${flowsView && node.outside ? " outside" : ""}` : id;
  };

  const elide = (text, length) => (text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`);

  const nodeLabel = (node) => {
    const versions = node.versions.length > 2 ? `${node.versions.length} versions` : node.versions.join(", ");
    const below = node.kind === "party" ? (node.outside ? "outside party" : "party") : `${node.kind_label.toLowerCase()}${versions ? ` · ${versions}` : ""}`;
    return `${elide(node.name, node.kind === "prompt" ? 15 : 19)}\n${elide(below, 23)}`;
  };

  // Members of each shown thing: a node stands for itself, a closed kind for all of its nodes.
  const shown = () => {
    const found = new Map();
    for (const node of drawing.nodes) {
      const id = shownAs(node.id);
      if (!found.has(id)) found.set(id, []);
      found.get(id).push(node);
    }
    return found;
  };

  // Arrows between the same two shown things are one line, as sensitive as the most sensitive of them.
  const lines = () => {
    const found = new Map();
    const order = ["public", "internal", "unstated", "classified"];
    for (const arrow of drawing.arrows) {
      const [from, to] = [shownAs(arrow.source), shownAs(arrow.target)];
      if (from === to) continue;
      const key = `${from} → ${to}`;
      const line = found.get(key) || { id: key, from, to, arrows: [], leaving: false, crosses: false, worst: "public" };
      line.arrows.push(arrow);
      line.leaving ||= arrow.leaving;
      line.crosses ||= arrow.crosses || arrow.entering || arrow.leaving;
      if (order.indexOf(arrow.sensitivity) > order.indexOf(line.worst)) line.worst = arrow.sensitivity;
      found.set(key, line);
    }
    return [...found.values()];
  };

  const lineLabel = (line) => {
    const classes = [...new Set(line.arrows.flatMap((arrow) => (arrow.data.length ? arrow.data : ["not stated"])))];
    const words = elide(classes.join(", "), 34);
    if (line.arrows.length === 1) return words;
    return flowsView && line.leaving ? `${line.arrows.length} flows: ${words}` : `${line.arrows.length} flows`;
  };

  const sideOf = (members, all) => {
    if (!flowsView || !members.some((node) => node.outside)) return "";
    const ids = new Set(members.map((node) => node.id));
    const sends = all.some((arrow) => ids.has(arrow.source));
    const takes = all.some((arrow) => ids.has(arrow.target));
    return takes || !sends ? "right" : "left";
  };

  const elements = () => {
    const ratio = narrow() ? 0.6 : 1.8;
    const things = shown();
    const edges = lines();
    const opened = drawing.closed.filter((kind) => !closed.has(kind));
    const owner = new Map();
    const boxes = [];
    const inner = new Map();
    for (const kind of opened) {
      for (const outside of flowsView ? [false, true] : [false]) {
        const members = drawing.nodes.filter((node) => node.kind === kind && (!flowsView || node.outside === outside));
        if (!members.length) continue;
        const id = `box ${kind}${outside ? " outside" : ""}`;
        const block = window.graphLayout.grid(members.map((node) => node.id), CELL, ratio, HEAD);
        inner.set(id, { ...block, kind, members });
        for (const node of members) owner.set(node.id, id);
        boxes.push({ id, w: block.w, h: block.h, side: sideOf(members, drawing.arrows) });
      }
    }
    for (const [id, members] of things) {
      if (owner.has(id)) continue;
      const size = id.startsWith("kind ") ? CLOSED : CELL;
      boxes.push({ id, ...size, side: sideOf(members, drawing.arrows) });
    }
    const many = edges.length > 40;
    const spoken = (line) => !many || (flowsView && line.leaving);
    const between = edges.map((line) => ({
      from: owner.get(line.from) || line.from, to: owner.get(line.to) || line.to,
      ...(spoken(line) ? labelSize(lineLabel(line)) : {}),
    }));
    // Of the two directions, the one that can be shown clearly larger; else across, and on a phone down.
    const laid = (narrow() ? ["TB", "LR"] : ["LR", "TB"]).map((direction) => window.graphLayout.arrange(boxes, between, direction, ratio));
    const scale = (found) => Math.min((canvas.clientWidth - 48) / found.w, (innerHeight * 0.65 - 48) / found.h, 0.85);
    const { at, routes, direction } = laid.reduce((best, found) => (scale(found) > scale(best) * 1.2 ? found : best));
    across = direction === "LR";

    const found = [];
    const inside = flowsView ? "inside" : undefined;
    for (const box of boxes) {
      const outside = Boolean(box.side);
      const parent = outside ? undefined : inside;
      const middle = at.get(box.id);
      if (inner.has(box.id)) {
        const { kind, members, at: cells } = inner.get(box.id);
        found.push({ data: { id: box.id, kind, label: `${groups.get(kind).label} (${members.length})`, parent }, classes: "box", selectable: false });
        for (const node of members) {
          const cell = cells.get(node.id);
          found.push({ data: { ...dataOf(node), parent: box.id }, position: { x: middle.x + cell.x, y: middle.y + cell.y }, classes: node.outside ? "outside" : "" });
        }
      } else if (box.id.startsWith("kind ")) {
        const members = things.get(box.id);
        const kind = members[0].kind;
        found.push({ data: { id: box.id, kind, label: `${members.length} ${groups.get(kind).label.toLowerCase()}\nopen to see each`, parent }, position: middle, classes: `closed${outside ? " outside" : ""}` });
      } else {
        const node = nodes.get(box.id);
        found.push({ data: { ...dataOf(node), parent }, position: middle, classes: node.outside ? "outside" : "" });
      }
    }
    if (inside && boxes.some((box) => !box.side)) {
      found.unshift({ data: { id: "inside", label: drawing.organisation ? `Inside ${drawing.organisation}` : "Inside the organisation" }, classes: "boundary", selectable: false });
    }
    edges.forEach((line, i) => {
      const whole = !owner.has(line.from) && !owner.has(line.to);
      const bend = whole && routes.has(i) ? bends(at.get(line.from), at.get(line.to), routes.get(i), line) : null;
      found.push({
        data: { id: line.id, source: line.from, target: line.to, label: lineLabel(line), ...bend },
        classes: [flowsView ? line.worst : "plain", flowsView && line.leaving ? "leaving" : "", line.crosses ? "crosses" : "", spoken(line) ? "" : "quiet", bend ? "bent" : ""].join(" "),
      });
    });
    return found;
  };

  const labelSize = (text) => ({ w: Math.min(150, text.length * 6 + 12), h: text.length > 24 ? 30 : 17 });

  // Points of a route as cytoscape wants them: how far along the straight line, and how far beside it.
  // Each line leaves and enters straight, so that it does not run over its neighbours in the rank.
  const bends = (from, to, route, line) => {
    const half = (id) => (across ? CELL.w : id.startsWith("kind ") ? CLOSED.h : CELL.h) / 2 + 12;
    const ahead = (across ? to.x - from.x : to.y - from.y) > 0 ? 1 : -1;
    const stub = (p, id, sign) => (across ? { x: p.x + sign * half(id), y: p.y } : { x: p.x, y: p.y + sign * half(id) });
    const points = [stub(from, line.from, ahead), ...route, stub(to, line.to, -ahead)];
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = Math.hypot(dx, dy);
    if (!length) return null;
    const weights = points.map((p) => ((p.x - from.x) * dx + (p.y - from.y) * dy) / length / length);
    const distances = points.map((p) => ((p.y - from.y) * dx - (p.x - from.x) * dy) / length);
    return distances.some((distance) => Math.abs(distance) > 3) ? { weights, distances } : null;
  };

  const dataOf = (node) => ({ id: node.id, kind: node.kind, label: nodeLabel(node) });

  // ── how it looks ──────────────────────────────────────────────────────────────────────────────────────────

  const token = (name) => window.alcaide.color(name);
  const toneOf = (kind) => (TONES.includes(kind) ? token(`--tone-${TONES.indexOf(kind)}`) : token("--muted"));

  const picture = (kind, colour) => {
    const body = icons.get(ICONS[kind] || "cube");
    if (!body) return "none";
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48" viewBox="0 0 24 24" fill="none" stroke="${colour}" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${body}</svg>`;
    return `data:image/svg+xml;utf8,${encodeURIComponent(svg)}`;
  };

  const style = () => {
    const font = getComputedStyle(document.body).fontFamily;
    const [text, muted, surface, raised, line, accent] = ["--text", "--muted", "--surface", "--raised", "--line-strong", "--accent"].map(token);
    const found = [
      { selector: "node", style: {
        width: CELL.w, height: CELL.h, shape: "round-rectangle", "background-color": raised, "border-width": 1.5, "border-color": line,
        label: "data(label)", color: text, "font-family": font, "font-size": 12, "line-height": 1.3, "text-wrap": "wrap",
        "text-max-width": 200, "text-valign": "center", "text-halign": "right", "text-margin-x": TEXT_FROM - CELL.w, "text-justification": "left",
        "background-width": 18, "background-height": 18, "background-position-x": "12%", "background-position-y": "50%",
        "min-zoomed-font-size": 5, "overlay-opacity": 0 } },
      { selector: "node.closed", style: { height: CLOSED.h, "border-style": "double", "border-width": 5, "font-weight": 600 } },
      { selector: "node.outside", style: { "border-style": "dashed", "background-color": surface } },
      { selector: "node[kind = 'party']", style: { "corner-radius": 24 } },
      { selector: "node.box, node.boundary", style: {
        shape: "round-rectangle", "background-color": surface, "background-opacity": 0.5, "border-width": 1, "border-color": line, "border-style": "solid",
        padding: 12, "text-valign": "top", "text-halign": "center", "text-margin-x": 0, "text-margin-y": -5, "text-max-width": 900, color: muted, "font-size": 12, "font-weight": 600, "background-image": "none" } },
      { selector: "node.boundary", style: { "border-width": 2, "border-color": muted, padding: 26, "text-valign": "bottom", "text-margin-y": 8, "font-size": 14, "background-opacity": 0.35 } },
      { selector: "edge", style: {
        width: 1.5, "line-color": line, "target-arrow-color": line, "target-arrow-shape": "triangle", "arrow-scale": 0.9, "curve-style": "bezier",
        label: "data(label)", "font-family": font, "font-size": 10.5, color: muted, "text-background-color": surface, "text-background-opacity": 0.92,
        "text-background-padding": 2, "text-background-shape": "round-rectangle", "text-wrap": "wrap", "text-max-width": 150,
        "min-zoomed-font-size": 6, "overlay-opacity": 0 } },
      { selector: "edge.bent", style: {
        "curve-style": "round-segments", "segment-weights": "data(weights)", "segment-distances": "data(distances)", "segment-radii": [28], "edge-distances": "node-position" } },
      { selector: "edge.quiet", style: { label: "", opacity: 0.65 } },
      { selector: "edge.crosses", style: { "line-style": "dashed", "line-dash-pattern": [6, 4] } },
      { selector: ".faded", style: { opacity: 0.18 } },
      { selector: "edge.near", style: { label: "data(label)", "line-color": accent, "target-arrow-color": accent, width: 2, "z-index": 20 } },
      { selector: "node.near", style: { "border-width": 2 } },
      { selector: "node.chosen", style: { "border-width": 3, "border-color": accent, "border-style": "solid" } },
    ];
    if (flowsView) {
      const colours = { classified: "--failed", internal: "--unknown", unstated: "--muted", public: "--passed" };
      for (const [level, name] of Object.entries(colours)) {
        const colour = token(name);
        found.push({ selector: `edge.leaving.${level}`, style: { "line-color": colour, "target-arrow-color": colour, color: colour, "font-weight": 600, width: level === "classified" ? 3.5 : 2.5, "z-index": 10 } });
      }
    }
    for (const kind of groups.keys()) {
      const tone = toneOf(kind);
      found.push({ selector: `node[kind = "${kind}"]:childless`, style: { "border-color": tone, shape: SHAPES[kind] || "round-rectangle", "background-image": picture(kind, tone) } });
    }
    found.push({ selector: "node.chosen", style: { "border-color": accent } });
    return found;
  };

  // ── the legend, the kinds, the card ───────────────────────────────────────────────────────────────────────

  const make = (name, text, className) => {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  const sample = (draw) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [key, value] of Object.entries({ width: 34, height: 16, viewBox: "0 0 34 16", "aria-hidden": "true" })) svg.setAttribute(key, value);
    draw(svg);
    return svg;
  };

  const mark = (svg, name, values) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(values)) element.setAttribute(key, value);
    svg.append(element);
  };

  const legend = () => {
    const list = document.getElementById("graph-legend");
    list.replaceChildren();
    const entry = (svg, text) => { const item = make("li"); item.append(svg, text); list.append(item); };
    for (const [kind, group] of groups) {
      const tone = toneOf(kind);
      entry(sample((svg) => {
        const inner = icons.get(ICONS[kind] || "cube");
        if (!inner) return mark(svg, "rect", { x: 8, y: 2, width: 14, height: 12, rx: 3, fill: "none", stroke: tone });
        const parsed = new DOMParser().parseFromString(`<svg xmlns="http://www.w3.org/2000/svg">${inner}</svg>`, "image/svg+xml");
        const shape = document.createElementNS("http://www.w3.org/2000/svg", "g");
        for (const [key, value] of Object.entries({ transform: "translate(16 0) scale(.66)", fill: "none", stroke: tone, "stroke-width": 1.9, "stroke-linecap": "round", "stroke-linejoin": "round" })) shape.setAttribute(key, value);
        shape.append(...[...parsed.documentElement.children].map((child) => document.importNode(child, true)));
        svg.append(shape);
      }), group.label);
    }
    const stroke = (colour, width, dashed) => sample((svg) => mark(svg, "line", { x1: 2, y1: 8, x2: 32, y2: 8, stroke: colour, "stroke-width": width, ...(dashed ? { "stroke-dasharray": "6 4" } : {}) }));
    if (flowsView) {
      const used = new Set(drawing.arrows.filter((arrow) => arrow.leaving).map((arrow) => arrow.sensitivity));
      for (const [level, name, width] of [["classified", "--failed", 3.5], ["internal", "--unknown", 2.5], ["unstated", "--muted", 2.5], ["public", "--passed", 2.5]]) {
        if (used.has(level)) entry(stroke(token(name), width, true), `leaves, ${WORDS[level]} data`);
      }
      entry(stroke(token("--line-strong"), 1.5, false), "stays inside");
    }
    if (drawing.arrows.some((arrow) => arrow.crosses)) entry(stroke(token("--line-strong"), 1.5, true), "crosses the boundary");
  };

  const kinds = () => {
    const row = document.getElementById("graph-groups");
    row.replaceChildren();
    if (!drawing.closed.length) return;
    row.append(make("span", "Show one by one:", "small muted"));
    for (const kind of drawing.closed) {
      const group = groups.get(kind);
      const button = make("button", `${group.label} ${group.size}`, `button small${closed.has(kind) ? "" : " primary"}`);
      button.type = "button";
      button.setAttribute("aria-pressed", String(!closed.has(kind)));
      button.addEventListener("click", () => toggle(kind));
      row.append(button);
    }
  };

  const toggle = (kind) => {
    if (closed.has(kind)) closed.delete(kind); else closed.add(kind);
    let focused = document.activeElement;
    focused = focused && focused.closest("#graph-groups") ? [...focused.parentNode.children].indexOf(focused) : -1;
    kinds();
    if (focused >= 0) document.getElementById("graph-groups").children[focused].focus();
    choose("");
    fill();
    say(`${groups.get(kind).label} are ${closed.has(kind) ? "one node" : "shown one by one"}`);
  };

  const say = (text) => { said.textContent = ""; requestAnimationFrame(() => { said.textContent = text; }); };

  const describe = (element) => {
    card.replaceChildren();
    const body = make("div", "", "card-body stack");
    if (element.isEdge()) {
      const line = lines().find((found) => found.id === element.id());
      for (const arrow of line.arrows.slice(0, 8)) {
        body.append(make("strong", `${nodes.get(arrow.source).name} → ${nodes.get(arrow.target).name}`));
        body.append(make("div", `${arrow.label}${arrow.leaving ? ", leaves the organisation" : arrow.entering ? ", enters the organisation" : ""}${arrow.encrypted ? ", encrypted" : ""}`, "small"));
        if (arrow.purpose) body.append(make("div", arrow.purpose, "small muted"));
      }
      if (line.arrows.length > 8) body.append(make("div", `and ${line.arrows.length - 8} more`, "small muted"));
    } else if (nodes.has(element.id())) {
      const node = nodes.get(element.id());
      body.append(make("strong", node.name));
      body.append(make("div", [node.kind_label, node.outside ? "outside the organisation" : "", ...node.versions].filter(Boolean).join(" · "), "small muted"));
      if (node.digests.length) body.append(make("div", `sha256 ${node.digests[0].slice(0, 16)}…${node.described ? " of its description" : ""}`, "small mono"));
      if (node.environments.length) body.append(make("div", `Runs in ${node.environments.join(", ")}`, "small"));
      body.append(make("div", `${node.flows} ${node.flows === 1 ? "flow" : "flows"}`, "small"));
      if (node.href) { const link = make("a", "Open the component", "small"); link.href = node.href; body.append(link); }
    } else {
      body.append(make("strong", element.data("label").split("\n")[0]));
      body.append(make("div", "Open it to see each.", "small muted"));
    }
    card.append(body);
    card.hidden = false;
  };

  const spotlight = (element) => {
    cy.batch(() => {
      cy.elements().removeClass("near faded");
      if (!element || element.hasClass("box") || element.hasClass("boundary")) return;
      const near = element.isEdge() ? element.union(element.connectedNodes()) : element.closedNeighborhood();
      near.addClass("near");
      cy.elements().difference(near.union(near.ancestors())).filter(":childless, edge").addClass("faded");
    });
  };

  const choose = (id) => {
    chosen = id;
    if (!cy) return;
    cy.elements().removeClass("chosen");
    const element = id ? cy.getElementById(id) : null;
    if (!element || !element.nonempty()) { card.hidden = true; spotlight(null); return; }
    element.addClass("chosen");
    describe(element);
    spotlight(element);
    if (element.isNode()) say(element.data("label").replace("\n", ", "));
  };

  const open = (element) => {
    if (element.hasClass("closed")) toggle(element.data("kind"));
    else if (element.hasClass("box")) toggle(element.data("kind"));
    else if (nodes.has(element.id()) && nodes.get(element.id()).href) location.assign(nodes.get(element.id()).href);
  };

  // ── moving about ──────────────────────────────────────────────────────────────────────────────────────────

  const zoomBy = (factor, at) => cy.zoom({ level: cy.zoom() * factor, renderedPosition: at || { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 } });

  const fit = () => {
    cy.fit(cy.elements(), 24);
    if (cy.zoom() > 1.15) { cy.zoom(1.15); cy.center(); }
  };

  const least = () => (narrow() ? 0.62 : 0.45);

  // A large drawing that fits is too small to read: start at its first boxes, at a size that can be read.
  const start = () => {
    fit();
    const zoom = least();
    if (cy.zoom() >= zoom) return;
    cy.zoom(zoom);
    const box = cy.elements().boundingBox();
    const axis = across ? "x" : "y";
    const first = cy.nodes(":childless").min((node) => node.position(axis)).ele.position();
    const [w, h] = [canvas.clientWidth, canvas.clientHeight];
    cy.pan(across ? { x: 24 - box.x1 * zoom, y: h / 2 - first.y * zoom } : { x: w / 2 - first.x * zoom, y: 24 - box.y1 * zoom });
  };

  const walk = (step) => {
    const all = cy.nodes(":childless").sort((a, b) => a.position("x") - b.position("x") || a.position("y") - b.position("y"));
    if (!all.length) return;
    const here = all.toArray().findIndex((node) => node.id() === chosen);
    const next = all[(here + step + all.length) % all.length];
    choose(next.id());
    const box = next.renderedBoundingBox();
    if (box.x1 < 0 || box.y1 < 0 || box.x2 > canvas.clientWidth || box.y2 > canvas.clientHeight) cy.center(next);
  };

  const act = {
    in: () => zoomBy(1.25), out: () => zoomBy(0.8), fit,
    png: () => {
      const blob = cy.png({ output: "blob", full: true, scale: 2, bg: token("--surface"), maxWidth: 8000, maxHeight: 8000 });
      const link = make("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${drawing.name}-${flowsView ? "data-flow" : "graph"}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    },
  };

  const keys = {
    "+": act.in, "=": act.in, "-": act.out, 0: act.fit, n: () => walk(1), p: () => walk(-1), Escape: () => choose(""),
    Enter: () => { if (chosen) open(cy.getElementById(chosen)); },
    ArrowLeft: () => cy.panBy({ x: 60, y: 0 }), ArrowRight: () => cy.panBy({ x: -60, y: 0 }),
    ArrowUp: () => cy.panBy({ x: 0, y: 60 }), ArrowDown: () => cy.panBy({ x: 0, y: -60 }),
  };

  const listen = () => {
    cy.on("tap", (event) => { if (event.target === cy) choose(""); });
    cy.on("tap", "node, edge", (event) => {
      const element = event.target;
      if (element.hasClass("closed")) open(element);
      else if (!element.hasClass("boundary") && !element.hasClass("box")) choose(element.id());
    });
    cy.on("dbltap", "node", (event) => open(event.target));
    cy.on("mouseover", "node:childless, edge", (event) => { canvas.classList.add("over"); if (!chosen) { describe(event.target); spotlight(event.target); } });
    cy.on("mouseout", "node:childless, edge", () => { canvas.classList.remove("over"); if (!chosen) { card.hidden = true; spotlight(null); } });
    for (const button of place.querySelectorAll("[data-graph]")) button.addEventListener("click", () => act[button.dataset.graph]());
    canvas.addEventListener("keydown", (event) => {
      const does = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      does();
    });
    // The wheel belongs to the page until Ctrl says otherwise; a trackpad's pinch arrives as Ctrl and wheel.
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      zoomBy(Math.exp(-event.deltaY / 300), { x: event.clientX - box.left, y: event.clientY - box.top });
    }, { passive: false });
    window.alcaide.onTheme(() => { cy.style(style()); legend(); });
    let width = canvas.clientWidth;
    new ResizeObserver(() => {
      const turned = (width < 640) !== narrow();
      width = canvas.clientWidth;
      if (turned) fill(); else cy.resize();
    }).observe(canvas);
  };

  // As high as the drawing needs, within what the window has.
  const size = () => {
    canvas.style.height = "";
    const box = cy.elements().boundingBox();
    const needed = box.h * Math.max(least(), Math.min(1.15, (canvas.clientWidth - 48) / box.w)) + 60;
    canvas.style.minHeight = "300px";
    canvas.style.height = `${Math.round(Math.max(300, Math.min(canvas.clientHeight, needed)))}px`;
    cy.resize();
  };

  const fill = () => {
    cy.elements().remove();
    cy.add(elements());
    cy.layout({ name: "preset", fit: false }).run();
    size();
    start();
  };

  const sprite = async () => {
    const use = document.querySelector("svg use");
    const address = use && (use.getAttribute("href") || "").split("#")[0];
    if (!address) return;
    const answer = await fetch(address);
    if (!answer.ok) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
    for (const symbol of parsed.querySelectorAll("symbol")) icons.set(symbol.id, symbol.innerHTML.replace(/ xmlns="[^"]*"/g, ""));
  };

  const begin = () => {
    cy = cytoscape({
      container: stage, elements: [], style: style(), minZoom: 0.08, maxZoom: 3, boxSelectionEnabled: false, selectionType: "single",
      autounselectify: true, userZoomingEnabled: matchMedia("(pointer: coarse)").matches,
    });
    kinds();
    legend();
    fill();
    listen();
    canvas.dataset.ready = "1";
  };

  sprite().catch(() => {}).then(begin);
})();
