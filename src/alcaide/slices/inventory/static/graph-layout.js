// Where the nodes of a drawing go. Pure: sizes and edges in, positions out, the same every time.
//
// Connected boxes are ranked by dagre; boxes without an edge stand in a grid beside them instead of in one endless
// rank. An opened kind is one box to dagre, as large as the grid of its members, so nothing overlaps.
(() => {
  "use strict";
  const GAP = 22;
  const RANK = 96;

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

  const ranked = (boxes, edges, direction) => {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: direction, nodesep: GAP, ranksep: RANK, edgesep: 12, ranker: "network-simplex" });
    graph.setDefaultEdgeLabel(() => ({}));
    for (const box of boxes) graph.setNode(box.id, { width: box.w, height: box.h });
    edges.forEach((edge, i) => graph.setEdge(edge.from, edge.to, {}, String(i)));
    dagre.layout(graph);
    const at = new Map(boxes.map((box) => { const n = graph.node(box.id); return [box.id, { x: n.x, y: n.y }]; }));
    return { at, w: graph.graph().width || 0, h: graph.graph().height || 0 };
  };

  // boxes: {id, w, h, side}; edges: {from, to} between boxes. `side` is "" or, with a boundary, "left" or "right".
  const arrange = (boxes, edges, direction, ratio) => {
    const touched = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
    const inside = boxes.filter((box) => !box.side);
    const joined = inside.filter((box) => touched.has(box.id));
    const alone = inside.filter((box) => !touched.has(box.id));
    const ids = new Set(joined.map((box) => box.id));
    const own = edges.filter((edge) => ids.has(edge.from) && ids.has(edge.to) && edge.from !== edge.to);
    const at = new Map();
    let w = 0, h = 0;
    // Boxes joined to nothing but the outside have no rank of their own: they stand below each other.
    if (joined.length) {
      const first = ranked(joined, own, direction);
      for (const [id, p] of first.at) at.set(id, p);
      w = first.w; h = first.h;
    }
    if (alone.length) {
      const area = alone.reduce((sum, box) => sum + (box.w + GAP) * (box.h + GAP), 0);
      const second = shelve(alone, Math.max(w, Math.sqrt(area * ratio)));
      const down = h ? h + RANK / 2 : 0;
      const shift = (Math.max(w, second.w) - second.w) / 2;
      for (const [id, p] of second.at) at.set(id, { x: p.x + shift, y: p.y + down });
      if (second.w > w) for (const box of joined) at.get(box.id).x += (second.w - w) / 2;
      w = Math.max(w, second.w);
      h = down + second.h;
    }
    beside(boxes.filter((box) => box.side), edges, at, { w, h }, direction);
    return at;
  };

  // Outside boxes stand on both sides of the inside, each near the middle of what it is joined to.
  const beside = (outside, edges, at, size, direction) => {
    const flat = direction === "LR";
    for (const side of ["left", "right"]) {
      const boxes = outside.filter((box) => box.side === side);
      const wish = (box) => {
        const ends = edges.flatMap((e) => (e.from === box.id ? [e.to] : e.to === box.id ? [e.from] : [])).filter((id) => at.has(id));
        if (!ends.length) return 0;
        return ends.reduce((sum, id) => sum + (flat ? at.get(id).y : at.get(id).x), 0) / ends.length;
      };
      const wished = boxes.map((box) => [wish(box), box]).sort((a, b) => a[0] - b[0] || (a[1].id < b[1].id ? -1 : 1));
      const length = boxes.reduce((sum, box) => sum + (flat ? box.h : box.w) + GAP, -GAP);
      let along = ((flat ? size.h : size.w) - length) / 2;
      for (const [, box] of wished) {
        const half = (flat ? box.h : box.w) / 2;
        const deep = (flat ? box.w : box.h) / 2 + RANK * 1.7;
        const across = side === "left" ? -deep : (flat ? size.w : size.h) + deep;
        at.set(box.id, flat ? { x: across, y: along + half } : { x: along + half, y: across });
        along += half * 2 + GAP;
      }
    }
  };

  window.graphLayout = { arrange, grid };
})();
