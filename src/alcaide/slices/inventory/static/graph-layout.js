// Where the nodes of a drawing go. Pure: sizes and edges in, positions out, the same every time.
//
// Connected boxes are ranked by dagre; boxes without an edge stand in a grid beside them instead of in one endless
// rank. An opened kind is one box to dagre, as large as the grid of its members, so nothing overlaps.
(() => {
  "use strict";
  const GAP = 22;
  const RANK = 46;

  // Columns for n equal cells so that the block is about `ratio` times as wide as high.
  const columns = (n, cell, ratio) => Math.max(1, Math.min(n, Math.round(Math.sqrt((n * ratio * (cell.h + GAP)) / (cell.w + GAP)))));

  // The members of an opened kind in a grid; positions are relative to the middle of the box.
  const grid = (members, cell, ratio, head) => {
    const across = columns(members.length, cell, ratio);
    const down = Math.ceil(members.length / across);
    const w = across * (cell.w + GAP) + GAP;
    const h = down * (cell.h + GAP) + GAP + head;
    const at = new Map();
    members.forEach((id, i) => at.set(id, {
      x: -w / 2 + GAP + cell.w / 2 + (i % across) * (cell.w + GAP),
      y: -h / 2 + GAP + head + cell.h / 2 + Math.floor(i / across) * (cell.h + GAP),
    }));
    return { w, h, at };
  };

  // Boxes of any size, row by row, no wider than `width`.
  const shelve = (boxes, width) => {
    const at = new Map();
    let x = 0, y = 0, row = 0, widest = 0;
    for (const box of boxes) {
      if (x > 0 && x + box.w > width) { x = 0; y += row + GAP; row = 0; }
      at.set(box.id, { x: x + box.w / 2, y: y + box.h / 2 });
      x += box.w + GAP;
      row = Math.max(row, box.h);
      widest = Math.max(widest, x - GAP);
    }
    return { at, w: widest, h: y + row };
  };

  // Ranks by dagre. Senders from outside are held before everything inside, receivers behind it: an unseen box on
  // either side of the inside, joined to its first and last boxes, keeps them there.
  const ranked = (boxes, edges, direction) => {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: direction, nodesep: GAP, ranksep: RANK, edgesep: 14, ranker: "network-simplex" });
    graph.setDefaultEdgeLabel(() => ({}));
    const side = new Map(boxes.map((box) => [box.id, box.side]));
    for (const box of boxes) graph.setNode(box.id, { width: box.w, height: box.h });
    const turned = new Set();
    edges.forEach((edge, i) => {
      if (edge.from === edge.to) return;
      const turn = side.get(edge.from) === "right" || side.get(edge.to) === "left";
      if (turn) turned.add(i);
      const [from, to] = turn ? [edge.to, edge.from] : [edge.from, edge.to];
      graph.setEdge(from, to, { width: edge.w || 0, height: edge.h || 0, labelpos: "c" }, String(i));
    });
    const inside = boxes.filter((box) => !box.side);
    if (inside.length && inside.length < boxes.length) {
      const own = edges.filter((edge) => !side.get(edge.from) && !side.get(edge.to));
      const hold = (name, where, ends) => {
        const outer = boxes.filter((box) => box.side === where);
        if (!outer.length) return;
        graph.setNode(name, { width: 0, height: 0 });
        const join = (from, to) => graph.setEdge(from, to, { weight: 0, minlen: 1 }, "hold");
        for (const box of inside) if (!own.some((edge) => edge[ends] === box.id)) where === "left" ? join(name, box.id) : join(box.id, name);
        for (const box of outer) where === "left" ? join(box.id, name) : join(name, box.id);
      };
      hold(" before", "left", "to");
      hold(" behind", "right", "from");
    }
    dagre.layout(graph);
    const at = new Map(boxes.map((box) => { const n = graph.node(box.id); return [box.id, { x: n.x, y: n.y }]; }));
    const routes = new Map();
    for (const found of graph.edges()) {
      if (found.name === "hold") continue;
      const points = graph.edge(found).points.slice(1, -1);
      routes.set(Number(found.name), turned.has(Number(found.name)) ? points.reverse() : points);
    }
    return { at, routes, w: graph.graph().width || 0, h: graph.graph().height || 0 };
  };

  // boxes: {id, w, h, side}; edges: {from, to, w, h} between boxes, with the size of their label. `side` is "" or, with
  // a boundary, "left" or "right". Gives where each box is, and through which points each edge goes.
  const arrange = (boxes, edges, direction, ratio) => {
    const touched = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
    const joined = boxes.filter((box) => touched.has(box.id) || box.side);
    const alone = boxes.filter((box) => !touched.has(box.id) && !box.side);
    const found = joined.length ? ranked(joined, edges, direction) : { at: new Map(), routes: new Map(), w: 0, h: 0 };
    if (alone.length) {
      const area = alone.reduce((sum, box) => sum + (box.w + GAP) * (box.h + GAP), 0);
      const block = shelve(alone, Math.max(found.w, Math.sqrt(area * ratio)));
      const down = found.h ? found.h + RANK : 0;
      const left = (found.w - block.w) / 2;
      for (const [id, p] of block.at) found.at.set(id, { x: p.x + left, y: p.y + down });
      found.w = Math.max(found.w, block.w);
      found.h = down + block.h;
    }
    return { ...found, direction };
  };

  window.graphLayout = { arrange, grid };
})();
